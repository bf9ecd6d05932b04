"""What is due is found in the patient's own history, and a reminder asks that and nothing more."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from intake_links import links
from intake_links.models import IntakeLink, Screen
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from messaging.versions import publishing
from reminders import questionnaires, reasons
from reminders.cadence_decision import CADENCE
from reminders.models import Appointment, Reminder
from reminders.sending import dispatch
from tests.reminders.conftest import NOW, World, plan_of, texts_to, why_of

BY_SCHEDULE = {
    "name": "ours",
    "steps": [
        {"name": "day", "before": "1 day", "text": "reminder_link", "text_without_intake": "reminder_day",
         "intake": ["schedule"]}
    ],
}  # fmt: skip
YEARLY = {"asks": [{"name": "annual", "instruments": ["phq9"], "every": "1 year"}]}


def publish(world: World, kind: publishing.Kind, definition: dict[str, Any]) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        draft = publishing.save(session, clinic, kind, definition, edit=0, actor="operator")
        publishing.publish(session, clinic, kind, edit=draft.edit, actor="operator")


def answered(world: World, patient: Patient, instrument: str, days_ago: int) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        at = NOW - timedelta(days=days_ago)
        session.add(
            Screen(
                clinic_id=world.clinic.id, key_id=patient.key_id, patient_id=patient.id, instrument=instrument,
                instrument_version="1", language="en", source="staff", event=f"{instrument}{days_ago}",
                state="submitted", answers="[]", started_at=at, submitted_at=at,
            )
        )  # fmt: skip


def wanted(world: World, patient: Patient, *intake: str) -> tuple[list[str], list[str]]:
    with db.unit_of_work(world.clinic.id) as session:
        clinic, known = session.get_one(Clinic, world.clinic.id), session.get_one(Patient, patient.id)
        asked, notes = questionnaires.wanted(session, clinic, known, intake, NOW)
        return asked, [reasons.words(note) for note in notes]


def sent(world: World, visit: Appointment) -> Reminder:
    """The reminder of the visit once its day has come."""
    due = visit.starts_at - timedelta(days=1)
    with time_machine.travel(due, tick=False), db.unit_of_work(world.clinic.id) as session:
        rows = session.scalars(select(Reminder).where(Reminder.appointment_id == visit.id)).all()
        dispatch.send(session, rows)
    return plan_of(visit)["day"]


@pytest.fixture
def frozen() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("frozen")
def test_what_a_step_names_is_asked_at_each_visit_until_a_schedule_is_published(world):
    patient = world.patient()
    answered(world, patient, "phq9", 20)
    assert wanted(world, patient, "phq9") == (["phq9"], [])
    publish(world, questionnaires.SCHEDULE, YEARLY)
    assert wanted(world, patient, "phq9", "audit_c") == (["audit_c"], ["not asked: phq9, recent (annual)"])


@pytest.mark.usefixtures("frozen")
def test_a_score_taken_in_the_clinic_counts_and_an_old_one_does_not(world):
    patient = world.patient()
    assert wanted(world, patient, "schedule")[0] == ["phq2", "gad2"]
    answered(world, patient, "gad7", 100)
    answered(world, patient, "phq2", 366)
    assert wanted(world, patient, "schedule") == (["phq2"], ["not asked: gad2, recent (annual)"])


@pytest.mark.usefixtures("frozen")
def test_who_has_something_positive_open_or_a_care_manager_of_their_own_is_in_treatment(world):
    world.staff("Ines")
    assert wanted(world, world.patient(panel="Ines"), "schedule")[0] == ["phq9", "gad7"]
    assert wanted(world, world.patient(panel="Dr Abel"), "schedule")[0] == ["phq2", "gad2"]
    patient = world.patient()
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        items.open_item(
            session, clinic, kind="screen", about=f"patient:{patient.id}", dedupe="x", summary="x",
            patient_id=patient.id,
        )  # fmt: skip
    assert wanted(world, patient, "schedule")[0] == ["phq9", "gad7"]
    with db.unit_of_work(world.clinic.id) as session:
        for item in session.scalars(select(InboxItem)):
            item.state = "done"
    assert wanted(world, patient, "schedule")[0] == ["phq2", "gad2"]


@pytest.mark.usefixtures("frozen")
def test_with_a_link_open_nothing_is_asked(world):
    patient = world.patient()
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        links.issue(session, clinic, session.get_one(Patient, patient.id), ["audit_c"])
    assert wanted(world, patient, "schedule")[0] == []


def test_a_reminder_by_the_schedule_asks_what_is_due_once_and_then_reminds_only(world):
    with time_machine.travel(NOW, tick=False):
        publish(world, CADENCE, BY_SCHEDULE)
        patient = world.patient(birth_date=date(1980, 2, 29))
        first = world.visit(patient, NOW + timedelta(days=3))
        later = world.visit(patient, NOW + timedelta(days=40))
    assert sent(world, first).state == "queued"
    with db.unit_of_work(world.clinic.id) as session:
        issued = session.scalars(select(IntakeLink)).all()
        assert [link.instruments for link in issued] == [["phq2", "gad2"]]
    answered(world, patient, "phq2", -2)
    answered(world, patient, "gad2", -2)
    reminder = sent(world, later)
    assert reminder.state == "queued"
    assert [note for note in why_of(reminder) if note.startswith("not asked")] == [
        "not asked: phq2, recent (annual)",
        "not asked: gad2, recent (annual)",
    ]
    assert ["/i/" in body for body in texts_to(patient)] == [True, False]


def test_what_would_no_longer_be_asked_could_silence_an_alert():
    old = questionnaires.SCHEDULE.read(YEARLY)
    none = questionnaires.SCHEDULE.read({"asks": []})
    short = questionnaires.SCHEDULE.read({"asks": [YEARLY["asks"][0] | {"instruments": ["phq2"]}]})
    assert questionnaires.silences(old, none) == ["PHQ-9 would no longer be asked of: everyone"]
    assert questionnaires.silences(short, old) == []
    assert questionnaires.silences(old, old) == []
