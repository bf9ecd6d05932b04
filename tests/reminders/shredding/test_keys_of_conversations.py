"""A conversation has a key of its own, wrapped by the patient's once it is known whose it is, and destroyed with it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from config import db, keys, runtime
from config.db import data_keys
from messaging import conversations
from messaging.models import Clinic, Conversation, Message, Patient
from messaging.people import directory
from reminders.shredding import carrying_out

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NUMBER = "+13035550163"


def said(clinic: Clinic, words: str) -> UUID:
    """A text from the number, whoever has it; return its id."""
    with db.unit_of_work(clinic.id) as session:
        ours = session.get_one(Clinic, clinic.id)
        talk = conversations.of_number(session, ours, NUMBER)
        sid = f"SM{db.new_id().hex}"
        return conversations.file_inbound(session, ours, talk, body=words, provider_sid=sid, reading=[]).id


def above(clinic: Clinic) -> UUID | None:
    """The key that wraps the conversation's."""
    with db.unit_of_work(clinic.id, read_only=True) as session:
        talk = session.scalars(select(Conversation)).one()
        return session.get_one(db.DataKey, talk.key_id).wrapped_by


def body(clinic: Clinic, message_id: UUID) -> str | None:
    runtime.forget("db.keys")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return session.get_one(Message, message_id).body


def shred(clinic: Clinic, patient: Patient) -> None:
    with db.unit_of_work(clinic.id) as session:
        own = session.get_one(Patient, patient.id)
        assert carrying_out.shred(session, session.get_one(Clinic, clinic.id), own, "operator:ada")
    runtime.forget("db.keys")


@both
def test_what_was_said_before_anybody_knew_whose_number_it_is_is_destroyed_with_the_patients_key(
    house: Any, clinic: Clinic, new_patient: Any
) -> None:
    first = said(clinic, "is this the clinic, I cannot sleep")
    assert above(clinic) == clinic.key_id
    patient = new_patient("Maya", number=NUMBER)
    assert above(clinic) == patient.key_id
    assert body(clinic, first) == "is this the clinic, I cannot sleep"
    with db.unit_of_work(clinic.id, read_only=True) as session:
        copy = session.get_one(Message, first).body_ct  # as it lies in a backup or a freed page
        bound = ("message", "body_ct", str(first), str(clinic.id))
    assert copy is not None
    shred(clinic, patient)
    assert body(clinic, first) == ""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        for key_id in session.scalars(select(db.DataKey.id)).all():
            with pytest.raises(keys.WrongKey):
                data_keys.unsealed(session, key_id, copy, *bound)


@both
def test_a_number_that_turns_out_to_be_somebody_elses_takes_its_key_back(
    house: Any, clinic: Clinic, new_patient: Any
) -> None:
    patient = new_patient("Maya", number=NUMBER)
    text = said(clinic, "wrong number")
    assert above(clinic) == patient.key_id
    with db.unit_of_work(clinic.id) as session:
        own = session.get_one(Patient, patient.id)
        own.numbers[0].line = "wrong_person"
        session.flush()
        conversations.attribute(session, session.get_one(Clinic, clinic.id), NUMBER)
    assert above(clinic) == clinic.key_id
    assert body(clinic, text) == "wrong number"


@both
def test_on_a_phone_that_two_have_shared_the_others_words_stay(house: Any, clinic: Clinic, new_patient: Any) -> None:
    maya, ana = new_patient("Maya", number=NUMBER), new_patient("Ana", number=NUMBER)
    text, hers = said(clinic, "maya speaking"), said(clinic, "ana speaking")
    assert above(clinic) == clinic.key_id
    with db.unit_of_work(clinic.id) as session:
        session.get_one(Message, text).patient_id = maya.id
        session.get_one(Message, hers).patient_id = ana.id
        session.delete(session.get_one(Patient, ana.id).numbers[0])
        session.flush()
        conversations.attribute(session, session.get_one(Clinic, clinic.id), NUMBER)
    assert above(clinic) == maya.key_id
    shred(clinic, maya)
    assert body(clinic, text) == ""
    assert body(clinic, hers) == "ana speaking"


@both
def test_many_keys_of_conversations_are_opened_at_once(house: Any, clinic: Clinic, new_patient: Any) -> None:
    people = [new_patient(f"P{n}", number=f"+1303555017{n}") for n in range(5)]
    with db.unit_of_work(clinic.id) as session:
        ours = session.get_one(Clinic, clinic.id)
        talks = [conversations.of_number(session, ours, f"+1303555017{n}").key_id for n in range(5)]
    assert len(set(talks) | {person.key_id for person in people}) == 10
    runtime.forget("db.keys")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        db.load_keys(session, talks)
        assert [data_keys.cached(key_id) is not None for key_id in talks] == [True] * 5


def test_directory_finds_the_conversation_again(house: Any, clinic: Clinic) -> None:
    said(clinic, "hello")
    with db.unit_of_work(clinic.id) as session:
        ours = session.get_one(Clinic, clinic.id)
        whom = directory.PatientRecord("R9", "Maya", "Lind", NUMBER, None)
        patient, _ = directory.save_patient(session, ours, whom)
        talk = conversations.of_patient(session, ours, patient)
        assert talk is not None
        assert talk.number == NUMBER
