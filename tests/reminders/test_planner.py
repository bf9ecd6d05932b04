"""Plans as rows: keyed by revision, planned anew on every change, never twice."""

from datetime import UTC, datetime, timedelta

import time_machine
from sqlalchemy import func, select

from config import db
from messaging.models import Patient
from reminders import appointments, planner
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import NOW, World, cadence_version, plan_of, states_of, why_of

VISIT = NOW + timedelta(days=7)


def test_a_visit_gets_every_step_of_the_cadence(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), VISIT)
    assert states_of(visit) == {"72h": "planned", "24h": "planned", "2h": "planned"}
    for reminder in plan_of(visit).values():
        assert reminder.try_after == reminder.due_at
        assert reminder.why


def test_days_before_are_counted_on_the_wall_across_a_change_of_clocks(world: World) -> None:
    # Denver springs forward on 8 March 2026; 10:00 MDT on Tuesday is 16:00 UTC, on Saturday 10:00 MST is 17:00 UTC.
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), datetime(2026, 3, 10, 16, 0, tzinfo=UTC))
    assert plan_of(visit)["72h"].due_at == datetime(2026, 3, 7, 17, 0, tzinfo=UTC)


def test_planning_twice_changes_nothing(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), VISIT)
    before = {step: (row.id, row.due_at, row.state) for step, row in plan_of(visit).items()}
    with time_machine.travel(NOW + timedelta(hours=1), tick=False), db.unit_of_work(db.EVERY) as session:
        planner.replan(session, session.get_one(Appointment, visit.id))
    assert {step: (row.id, row.due_at, row.state) for step, row in plan_of(visit).items()} == before


def test_a_step_that_was_past_when_the_visit_was_booked_is_dropped_and_says_so(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), NOW + timedelta(hours=30), booked_at=NOW)
    plan = plan_of(visit)
    assert plan["72h"].state == "dropped"
    assert "booked after this step" in why_of(plan["72h"])[-1]
    assert plan["24h"].state == "planned"


def test_what_lies_before_the_import_is_not_sent_late(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), NOW + timedelta(hours=30))
    assert states_of(visit)["72h"] == "dropped"


def test_a_visit_that_has_begun_gets_no_rows(world: World) -> None:
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), NOW - timedelta(days=1))
    assert states_of(visit) == {}


def test_a_patient_who_is_not_active_gets_nothing_more(world: World) -> None:
    patient = world.patient()
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(patient, VISIT)
        with db.unit_of_work(db.EVERY) as session:
            session.get_one(Patient, patient.id).state = "deceased"
            planner.replan(session, session.get_one(Appointment, visit.id))
    assert set(states_of(visit).values()) == {"superseded"}


def test_a_patient_who_comes_back_is_planned_for_again(world: World) -> None:
    patient = world.patient()
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(patient, VISIT)
        for state in ("inactive", "active"):
            with db.unit_of_work(db.EVERY) as session:
                session.get_one(Patient, patient.id).state = state
                planner.replan(session, session.get_one(Appointment, visit.id))
    assert set(states_of(visit).values()) == {"planned"}


def test_reminders_follow_the_patients_own_clock(world: World) -> None:
    # 7:00 in Los Angeles is inside quiet hours, 8:00 in Denver is not.
    early = datetime(2026, 3, 12, 14, 0, tzinfo=UTC)
    with time_machine.travel(NOW, tick=False):
        here = world.visit(world.patient(), early)
        there = world.visit(world.patient(zone="America/Los_Angeles"), early)
    assert plan_of(here)["24h"].due_at == early - timedelta(days=1)
    assert plan_of(there)["24h"].due_at != early - timedelta(days=1)


def test_a_published_cadence_replaces_the_plan_of_the_same_revision(world: World) -> None:
    definition = {"name": "ours", "steps": [{"name": "2h", "before": "90 minutes", "text": "reminder_hours"}]}
    with time_machine.travel(NOW, tick=False):
        visit = world.visit(world.patient(), VISIT)
        with db.unit_of_work(db.EVERY) as session:
            session.add(cadence_version(world.clinic, definition, NOW))
            planner.plan_many(session, session.scalars(select(Appointment)).all())
    assert states_of(visit) == {"72h": "superseded", "24h": "superseded", "2h": "planned"}
    assert plan_of(visit)["2h"].due_at == VISIT - timedelta(minutes=90)


def test_many_visits_are_planned_in_batches(world: World) -> None:
    patient = world.patient()
    pairs = [
        (
            patient,
            appointments.VisitRecord(
                external_id=f"B{number}",
                record="",
                starts_at=VISIT + timedelta(hours=number),
                zone="America/Denver",
                booked_at=NOW,
            ),
        )
        for number in range(600)
    ]
    with time_machine.travel(NOW, tick=False), db.unit_of_work(db.EVERY) as session:
        appointments.save_many(session, world.clinic, pairs)
        assert session.scalar(select(func.count()).select_from(Reminder)) == 1800
