"""While a colleague and a patient are talking, what may wait does, and what may not is shown to the colleague first."""

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging import conversations, outbox
from messaging.models import Clinic, Message, Patient, Staff
from reminders import handoffs
from reminders.models import Handoff, Reminder
from reminders.sending import dispatch
from tests.reminders.conftest import NOW, World, plan_of, states_of, texts_to
from tests.reminders.sending.test_dispatch import DAY_BEFORE, FAR, HOURS_BEFORE, VISIT

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        dispatch.drain()


def say(world: World, patient: Patient, at: datetime, by: Staff | None) -> None:
    """Words of the patient, or of a colleague."""
    with time_machine.travel(at, tick=False), db.unit_of_work(db.EVERY) as session:
        clinic, number = (
            session.get_one(Clinic, world.clinic.id),
            session.get_one(Patient, patient.id).numbers[0].number,
        )
        conversation = conversations.of_number(session, clinic, number or "")
        if by is None:
            conversations.file_inbound(
                session, clinic, conversation, body="hm", provider_sid=f"SM{db.new_id()}", reading=[]
            )
        else:
            outbox.text_conversation(
                session,
                clinic,
                conversation,
                kind="reply",
                programme="care_team",
                body="hello",
                dedupe=f"x:{db.new_id()}",
                author_id=by.id,
            )


def talk(world: World, patient: Patient, at: datetime) -> Staff:
    """A colleague and the patient have just written to each other."""
    kim = world.staff("Kim")
    say(world, patient, at - 2 * MINUTE, None)
    say(world, patient, at - MINUTE, kim)
    return kim


def reminders_to(patient: Patient) -> list[Message]:
    with db.unit_of_work(db.EVERY) as session:
        rows = select(Message).where(Message.patient_id == patient.id, Message.kind == "reminder")
        return list(session.scalars(rows))


@BOTH
def test_a_reminder_of_a_far_visit_waits_until_the_conversation_is_over_and_goes_then(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    kim = talk(world, patient, FAR)
    drain(FAR)
    assert states_of(visit)["72h"] == "planned"
    say(world, patient, FAR + 5 * MINUTE, None)
    say(world, patient, FAR + 6 * MINUTE, kim)
    drain(FAR + 10 * MINUTE)
    assert states_of(visit)["72h"] == "planned"
    drain(FAR + 17 * MINUTE)
    assert states_of(visit)["72h"] == "queued"
    assert len(reminders_to(patient)) == 1


@BOTH
@pytest.mark.parametrize("at", [DAY_BEFORE, HOURS_BEFORE])
def test_what_cannot_wait_is_shown_first_and_goes_when_nobody_decides(world: World, at: datetime) -> None:
    patient = world.patient()
    world.visit(patient, VISIT)
    talk(world, patient, at)
    drain(at)
    (text,) = reminders_to(patient)
    assert (text.state, text.offered_until, text.try_after) == ("queued", at + 10 * MINUTE, at + 10 * MINUTE)
    with time_machine.travel(at, tick=False), db.unit_of_work(db.EVERY) as session:
        assert [each.id for each in outbox.kept_back(session, text.conversation_id)[1]] == [text.id]
    with time_machine.travel(at + 11 * MINUTE, tick=False), db.unit_of_work(db.EVERY) as session:
        assert outbox.kept_back(session, text.conversation_id) == ([], [])
        waiting = select(Message.id).where(Message.state == "queued", Message.try_after <= at + 11 * MINUTE)
        assert text.id in session.scalars(waiting).all()


@BOTH
def test_a_text_that_a_colleague_skips_never_goes_and_the_plan_says_so(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    talk(world, patient, DAY_BEFORE)
    drain(DAY_BEFORE)
    (text,) = reminders_to(patient)
    with db.unit_of_work(db.EVERY) as session:
        outbox.cancel(session, [text.id])
    drain(DAY_BEFORE + 20 * MINUTE)
    assert plan_of(visit)["24h"].state == "dropped"
    assert len(reminders_to(patient)) == 1


@pytest.mark.parametrize("who", ["patient", "colleague", "nobody"])
def test_one_who_talks_alone_holds_nothing_up(world: World, who: str) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    if who != "nobody":
        say(world, patient, FAR - MINUTE, None if who == "patient" else world.staff("Kim"))
    drain(FAR)
    assert states_of(visit)["72h"] == "queued"
    assert reminders_to(patient)[0].offered_until is None


def test_a_clinic_decides_how_long_a_conversation_lasts(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, "quiet_after": 0}
    talk(world, patient, FAR)
    drain(FAR)
    assert states_of(visit)["72h"] == "queued"


def test_a_reminder_whose_visit_was_cancelled_meanwhile_does_not_go(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    talk(world, patient, FAR)
    drain(FAR)
    with db.unit_of_work(db.EVERY) as session:
        reminder = session.scalars(select(Reminder).where(Reminder.appointment_id == visit.id, Reminder.step == "72h"))
        reminder.one().state = "superseded"
    drain(FAR + 20 * MINUTE)
    assert texts_to(patient) == ["hello"]


def test_the_word_that_somebody_is_coming_waits_two_minutes_at_most(world: World) -> None:
    patient = world.patient()
    kim = talk(world, patient, NOW)
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        handoff = handoffs.request(
            session, clinic, session.get_one(Patient, patient.id), requested_by="api:front_desk", place="Room 4"
        )
        assert handoffs.accept(session, handoff, session.get_one(Staff, kim.id))
        text = session.get_one(Message, session.get_one(Handoff, handoff.id).message_id)
        assert text.offered_until == NOW + 2 * MINUTE
