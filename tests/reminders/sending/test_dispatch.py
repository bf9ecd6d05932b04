"""What is due is sent once, after everything has been read again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Message, Patient
from messaging.people import directory
from reminders import appointments, reasons
from reminders.models import Appointment, Reminder
from reminders.sending import dispatch
from tests.reminders.conftest import NOW, World, cadence_version, plan_of, states_of, texts_to, why_of

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
VISIT = NOW + timedelta(days=7)
FAR, DAY_BEFORE, HOURS_BEFORE = (
    datetime(2026, 3, 7, 17, 0, tzinfo=UTC),
    VISIT - timedelta(days=1),
    VISIT - timedelta(hours=2),
)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        dispatch.drain()


def publish(world: World, *steps: dict[str, Any], **cadence: Any) -> None:
    definition = {"name": "ours", "steps": list(steps)} | cadence
    with db.unit_of_work(db.EVERY) as session:
        session.add(cadence_version(world.clinic, definition, NOW))


def change(patient: Patient, **facts: object) -> None:
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Patient, patient.id)
        for name, value in facts.items():
            setattr(found, name, value)


def items_of(patient: Patient) -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(InboxItem).where(InboxItem.patient_id == patient.id))
        return [row.summary or "" for row in rows]


@BOTH
def test_a_due_reminder_is_queued_once_and_in_words(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(FAR - timedelta(seconds=1))
    assert texts_to(patient) == []
    for _ in range(3):
        drain(FAR)
    [body] = texts_to(patient)
    assert body.startswith("Hi Rosa, Larkspur Clinic is looking forward to seeing you on Tue, Mar 10 at 10:00 AM.")
    assert states_of(visit)["72h"] == "queued"


def test_stop_between_planning_and_sending_silences(world: World) -> None:
    patient = world.patient(number="+13035550177")
    visit = world.visit(patient, VISIT)
    with time_machine.travel(FAR, tick=False), db.unit_of_work(db.EVERY) as session:
        ledger.record(session, world.clinic, "+13035550177", "revoked", source="text", actor="patient:x")
    drain(DAY_BEFORE)
    assert texts_to(patient) == []
    assert why_of(plan_of(visit)["24h"])[-1] == "not texted: opted out"
    assert items_of(patient) == []
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(IntakeLink)).all() == []


@pytest.mark.parametrize("line", ["landline", "dead", "wrong_person"])
def test_a_number_that_cannot_be_texted_asks_for_one_call(world: World, line: str) -> None:
    patient = world.patient(number="+13035550177")
    visit = world.visit(patient, VISIT)
    with db.unit_of_work(db.EVERY) as session:
        directory.learn_line(session, world.clinic, "+13035550177", line, "operator")
    for at in (FAR, DAY_BEFORE, HOURS_BEFORE):
        drain(at)
    assert set(states_of(visit).values()) == {"dropped"}
    [summary] = items_of(patient)
    assert summary.startswith("Could not be texted: ")
    assert summary.endswith("Visit Tue 10:00 AM: call instead")


@pytest.mark.parametrize("state", ["inactive", "deceased"])
def test_nothing_goes_to_a_patient_who_is_not_active(world: World, state: str) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    change(patient, state=state)
    drain(DAY_BEFORE)
    assert (texts_to(patient), items_of(patient)) == ([], [])
    assert why_of(plan_of(visit)["24h"])[-1] == f"dropped: the patient is {state}"


def test_a_visit_changed_behind_the_planners_back_is_read_again(world: World) -> None:
    patient = world.patient()
    for nth, state in enumerate(("cancelled", "arrived", "no_show", "change_asked", "confirmed"), 1):
        visit = world.visit(patient, VISIT - timedelta(minutes=nth))
        with db.unit_of_work(db.EVERY) as session:
            session.get_one(Appointment, visit.id).state = state
        drain(FAR)
        assert states_of(visit)["72h"] == "dropped"
    revised = world.visit(patient, VISIT)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Appointment, revised.id).revision = 2
    drain(FAR)
    assert states_of(revised)["72h"] == "superseded"
    assert texts_to(patient) == []


@BOTH
def test_after_an_outage_only_the_newest_useful_step_is_sent(world: World) -> None:
    publish(
        world,
        {"name": "first", "before": "150 minutes", "text": "reminder_day"},
        {"name": "second", "before": "120 minutes", "text": "reminder_hours"},
        min_gap="10 minutes",
    )
    patient = world.patient()
    visit = world.visit(patient, VISIT + timedelta(hours=2))
    drain(VISIT + timedelta(minutes=5))
    assert states_of(visit) == {"first": "dropped", "second": "queued"}
    assert why_of(plan_of(visit)["first"])[-1] == reasons.words(dispatch.NEWEST_WINS)
    assert len(texts_to(patient)) == 1


def test_an_older_step_that_comes_to_its_turn_late_is_not_sent_after_a_newer_one(world: World) -> None:
    publish(
        world,
        {"name": "first", "before": "150 minutes", "text": "reminder_day"},
        {"name": "second", "before": "120 minutes", "text": "reminder_hours"},
        min_gap="10 minutes",
    )
    patient = world.patient()
    visit = world.visit(patient, VISIT + timedelta(hours=2))
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Reminder, plan_of(visit)["first"].id).try_after = VISIT + timedelta(minutes=1)
    drain(VISIT)
    drain(VISIT + timedelta(minutes=2))
    assert states_of(visit) == {"first": "dropped", "second": "queued"}


def test_catching_up_is_bounded(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(FAR + timedelta(minutes=61))
    assert texts_to(patient) == []
    assert "catch-up" in why_of(plan_of(visit)["72h"])[-1]
    drain(VISIT + timedelta(minutes=1))
    assert set(states_of(visit).values()) == {"dropped"}


def test_quiet_hours_are_asked_again_at_the_patients_place(world: World) -> None:
    publish(world, {"name": "day", "before": "1 day", "text": "reminder_day"}, catch_up="2 hours")
    patient = world.patient()
    visit = world.visit(patient, datetime(2026, 3, 12, 14, 30, tzinfo=UTC))  # 8:30 in Denver
    change(patient, zone="America/Los_Angeles")
    due = datetime(2026, 3, 11, 14, 30, tzinfo=UTC)
    drain(due)
    assert states_of(visit)["day"] == "planned"
    drain(due + timedelta(minutes=30))
    assert states_of(visit)["day"] == "queued"


def test_a_text_expires_before_the_visit_and_before_the_patients_night(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(HOURS_BEFORE)
    evening = world.visit(patient, datetime(2026, 3, 12, 1, 30, tzinfo=UTC))  # 19:30 in Denver
    drain(datetime(2026, 3, 11, 1, 30, tzinfo=UTC))
    with db.unit_of_work(db.EVERY) as session:
        ends = [
            session.get_one(Message, plan_of(booked)[step].message_id).expires_at
            for booked, step in ((visit, "2h"), (evening, "24h"))
        ]
    assert ends == [VISIT, datetime(2026, 3, 11, 2, 0, tzinfo=UTC)]


def test_a_reminder_is_done_when_its_text_has_left(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(FAR)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, plan_of(visit)["72h"].message_id).state = "delivered"
    drain(FAR)
    assert states_of(visit)["72h"] == "done"


def test_a_reminder_whose_text_was_taken_back_says_so(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(FAR)
    with db.unit_of_work(db.EVERY) as session:
        assert outbox.cancel(session, [plan_of(visit)["72h"].message_id]) == 1
    drain(FAR)
    assert states_of(visit)["72h"] == "dropped"


def test_a_reminder_that_cannot_be_prepared_asks_for_a_call(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    with db.unit_of_work(db.EVERY) as session:
        dispatch.give_up(session, session.get_one(Reminder, plan_of(visit)["72h"].id))
    assert states_of(visit)["72h"] == "dropped"
    assert "call instead" in items_of(patient)[0]


def test_the_lane_says_since_when_its_oldest_waits(world: World) -> None:
    world.visit(world.patient(), VISIT)
    with db.unit_of_work(db.EVERY) as session:
        assert dispatch.oldest(session, NOW) is None
        assert dispatch.oldest(session, VISIT) == FAR


def test_confirming_drops_the_rest_but_not_what_was_sent(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(FAR)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, plan_of(visit)["72h"].message_id).state = "sent"
    with db.unit_of_work(db.EVERY) as session:
        appointments.confirm(session, session.get_one(Appointment, visit.id), f"patient:{patient.id}")
    drain(DAY_BEFORE)
    drain(HOURS_BEFORE)
    assert states_of(visit) == {"72h": "done", "24h": "dropped", "2h": "dropped"}
    assert len(texts_to(patient)) == 1


@pytest.mark.parametrize(("late", "state"), [(2, "queued"), (50, "dropped")])
def test_a_text_so_late_that_the_next_would_follow_too_soon_gives_way_to_it(
    world: World, late: int, state: str
) -> None:
    steps = [{"name": before, "before": f"{before} hours", "text": "reminder_hours"} for before in ("5", "2")]
    publish(world, *steps, min_gap="3 hours")
    visit = world.visit(world.patient(), VISIT + timedelta(hours=8))
    drain(VISIT + timedelta(hours=3, minutes=late))
    assert states_of(visit) == {"5": state, "2": "planned"}
    drain(VISIT + timedelta(hours=6))
    assert states_of(visit)["2"] == "queued"
