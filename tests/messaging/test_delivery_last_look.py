"""The last look before a sending, and a late callback: what they must still stand."""

from datetime import timedelta

import time_machine
from sqlalchemy import delete

from config import clock, db, runtime
from messaging import conversations, outbox
from messaging.delivery import deliver
from messaging.models import Attempt, Conversation, Patient


def test_a_wrong_person_told_between_queueing_and_sending_holds_the_text(network, desk, new_patient):
    message = desk.text(new_patient(number="+13035550117"), kind="reply", programme="care_team")
    desk.learn("+13035550117", "wrong_person")
    deliver.deliver("bulk")
    assert desk.state(message) == "held"
    assert network.asked() == 0


def test_a_patient_whose_key_is_gone_does_not_stop_the_lane(network, desk, new_patient):
    gone = new_patient()
    erased, message = desk.text(gone), desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.id == gone.key_id))
    runtime.forget("db.keys")
    deliver.deliver("bulk")
    assert desk.state(message) == "sent"
    assert desk.state(erased) in ("held", "failed")


def test_a_callback_takes_its_sid_back_from_an_equal_text_that_was_given_it(network, desk, new_patient):
    patient = new_patient()
    first, second = desk.text(patient, body="Same."), desk.text(patient, body="Same.")
    deliver.deliver("bulk")
    earlier, later = network.accepted()
    with db.unit_of_work(db.EVERY) as session:  # as the reconciler may match them: the words are equal
        attempt = deliver.attempt_by_token(session, earlier["status_callback"].rsplit("/", 1)[1])
        session.get_one(Attempt, attempt.id).state = "unknown"
        session.get_one(Attempt, attempt.id).provider_sid = None
    with db.unit_of_work(db.EVERY) as session:
        attempt = deliver.attempt_by_token(session, later["status_callback"].rsplit("/", 1)[1])
        session.get_one(Attempt, attempt.id).provider_sid = earlier["sid"]
    desk.callback(earlier["status_callback"], "delivered", earlier["sid"])
    assert "delivered" in desk.state(first, second)


def _plan(desk, patient):
    """A colleague's text for tomorrow morning."""
    at = clock.now() + timedelta(hours=18)
    with db.unit_of_work(desk.clinic.id) as session:
        number = session.get_one(Patient, patient.id).numbers[0].number
        here = conversations.of_number(session, desk.clinic, number)
        return outbox.text_conversation(
            session,
            desk.clinic,
            here,
            kind="reply",
            programme="care_team",
            body="Good morning",
            dedupe="compose:1",
            at=at,
            expires_at=at + timedelta(hours=4),
        )


def _writes(desk, message, body="I am here already"):
    with db.unit_of_work(desk.clinic.id) as session:
        here = session.get_one(Conversation, message.conversation_id)
        inbound = {"body": body, "provider_sid": "SM" + "1" * 32, "reading": []}
        conversations.file_inbound(session, desk.clinic, here, **inbound)


def test_a_planned_text_waits_for_its_hour_and_then_leaves(network, desk, new_patient):
    message = _plan(desk, new_patient())
    deliver.deliver("urgent")
    assert desk.state(message) == "queued"
    with time_machine.travel(clock.now() + timedelta(hours=18, minutes=1), tick=True):
        deliver.deliver("urgent")
    assert desk.state(message) == "sent"


def test_a_planned_text_that_the_patient_has_overtaken_is_held_and_a_human_is_asked(network, desk, new_patient):
    message = _plan(desk, new_patient())
    _writes(desk, message)
    with time_machine.travel(clock.now() + timedelta(hours=18, minutes=1), tick=True):
        deliver.deliver("urgent")
    assert (desk.state(message), network.asked()) == ("held", 0)
    (item,) = desk.items()
    assert "they have written since it was planned" in item.summary


def test_what_the_patient_wrote_before_does_not_hold_a_planned_text(network, desk, new_patient):
    patient = new_patient()
    with db.unit_of_work(desk.clinic.id) as session:
        number = session.get_one(Patient, patient.id).numbers[0].number
        here = conversations.of_number(session, desk.clinic, number)
        conversations.file_inbound(session, desk.clinic, here, body="hi", provider_sid="SM1", reading=[])
    message = _plan(desk, patient)
    with time_machine.travel(clock.now() + timedelta(hours=18, minutes=1), tick=True):
        deliver.deliver("urgent")
    assert desk.state(message) == "sent"


def test_a_planned_text_does_not_leave_long_after_its_hour(network, desk, new_patient):
    patient = new_patient()
    message = _plan(desk, patient)
    with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
        deliver.deliver("urgent")
    assert (desk.state(message), network.asked()) == ("held", 0)
    assert "its time had passed" in desk.items()[0].summary
