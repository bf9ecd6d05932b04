"""Conversations: one for a number, a patient's only when exactly one fits."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from config import clock, db
from messaging import conversations
from messaging.models import Conversation, PatientNumber
from messaging.people import directory

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NUMBER = "+13035550117"


def owner(clinic):
    with db.unit_of_work(clinic.id) as session:
        return conversations.of_number(session, clinic, NUMBER).patient_id


def tell_apart(clinic, patient) -> None:
    with db.unit_of_work(clinic.id) as session:
        for row in session.scalars(select(PatientNumber).where(PatientNumber.patient_id == patient.id)):
            row.line = "wrong_person"
        conversations.attribute(session, clinic, NUMBER)


def test_a_number_has_one_conversation(clinic):
    with db.unit_of_work(clinic.id) as session:
        first = conversations.of_number(session, clinic, NUMBER)
        assert conversations.of_number(session, clinic, NUMBER).id == first.id
        assert first.number == NUMBER


def test_a_number_of_nobody_is_nobody_s(clinic):
    assert owner(clinic) is None


@both
def test_a_shared_number_is_nobody_s_until_one_is_told_apart(clinic, new_patient):
    maya = new_patient(number=NUMBER)
    assert owner(clinic) == maya.id
    milo = new_patient("Milo", number=NUMBER)
    assert owner(clinic) is None
    tell_apart(clinic, milo)
    assert owner(clinic) == maya.id
    tell_apart(clinic, maya)
    assert owner(clinic) is None


def test_a_patient_who_comes_later_is_given_the_conversation(clinic, new_patient):
    assert owner(clinic) is None
    maya = new_patient(number=NUMBER)
    assert owner(clinic) == maya.id


def test_a_patient_s_conversation_is_the_latest_of_their_numbers(clinic, new_patient):
    maya = new_patient(number=NUMBER)
    with db.unit_of_work(clinic.id) as session:
        assert conversations.of_patient(session, clinic, maya) is None
        first = conversations.of_number(session, clinic, NUMBER)
    new_patient(record="R110", number="+13035550118")
    with db.unit_of_work(clinic.id) as session:
        second = conversations.of_number(session, clinic, "+13035550118")
        session.get_one(Conversation, second.id).last_at = clock.now() + timedelta(seconds=5)
    with db.unit_of_work(clinic.id) as session:
        latest = conversations.of_patient(session, clinic, maya)
        assert latest is not None
        assert latest.id == second.id != first.id


def test_a_stranger_s_conversation_is_never_a_patient_s(clinic, new_patient):
    maya = new_patient(number=NUMBER)
    owner(clinic)
    with db.unit_of_work(clinic.id) as session:
        directory.learn_line(session, clinic, NUMBER, "wrong_person", "operator")
        assert conversations.of_patient(session, clinic, maya) is None


def file(clinic, sid: str, body: str = "Y", at=None) -> None:
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, NUMBER)
        conversations.file_inbound(
            session, clinic, conversation, body=body, provider_sid=sid, reading=["answer.en.confirm"], at=at
        )


def test_a_text_that_came_in_is_filed_as_the_patient_s(clinic, new_patient):
    maya = new_patient(number=NUMBER)
    file(clinic, "SM1", "Yes, see you!")
    with db.unit_of_work(clinic.id) as session:
        (message,) = conversations.messages(session, conversations.of_number(session, clinic, NUMBER).id)
        assert (message.body, message.patient_id, message.state) == ("Yes, see you!", maya.id, "received")
        assert message.reading == ["answer.en.confirm"]


def test_a_text_is_filed_once(clinic):
    file(clinic, "SM1")
    with pytest.raises(IntegrityError):
        file(clinic, "SM1")


def test_messages_come_oldest_first_and_the_latest_page_first(clinic):
    start = clock.now()
    for number in range(7):
        file(clinic, f"SM{number}", str(number), at=start + timedelta(seconds=number))
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, NUMBER)
        last = conversations.messages(session, conversation.id, limit=3)
        before = conversations.messages(session, conversation.id, before=last[0].created_at, limit=3)
        assert [message.body for message in last] == ["4", "5", "6"]
        assert [message.body for message in before] == ["1", "2", "3"]


@both
def test_two_who_begin_a_conversation_at_once_begin_the_same(clinic):
    start, ids = threading.Barrier(4), []

    def begin() -> None:
        start.wait()
        with db.unit_of_work(clinic.id) as session:
            ids.append(conversations.of_number(session, clinic, NUMBER).id)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1
    with db.unit_of_work(clinic.id) as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 1
