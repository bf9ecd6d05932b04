"""Half a year of visits of the made-up clinic, so that its 90-day review has something to show, and one change.

What was is written as it would stand there by now, a reminder and what became of the visit; nothing of it is sent.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.figures import improving, keeping
from config import audit, db
from messaging import conversations
from messaging.models import Clinic, Message, Patient, Staff
from reminders.models import Appointment, Reminder
from service.cli.walk import day

DAY, WEEKS, EVERY_WEEKS = timedelta(days=1), 26, 4
# Of so many visits, by chance that is the same each time: missed or cancelled, and which of the reminders arrived.
MISSED, CANCELLED, REACHED, SEED = 0.16, 0.08, 0.85, 7


def seed(clinic_id: UUID, now: datetime, story: Mapping[str, Any]) -> int:
    """Write the visits that have been, note what was changed, and have the days counted; return how many visits."""
    chance, written = Random(SEED), 0
    with db.unit_of_work(clinic_id, read_only=True) as session:
        ids = session.scalars(select(Patient.id).where(Patient.clinic_id == clinic_id).order_by(Patient.id)).all()
    for place, patient_id in enumerate(ids):
        with db.unit_of_work(clinic_id) as session:
            patient = session.get_one(Patient, patient_id)
            for weeks in range(1 + place % EVERY_WEEKS, WEEKS, EVERY_WEEKS):
                at = now - timedelta(weeks=weeks, days=place % 2, minutes=-20 * (place % 9))
                _visit(session, patient, at, story["reminder"], chance)
                written += 1
    with db.unit_of_work(clinic_id) as session:
        clinic = session.get_one(Clinic, clinic_id)
        lead = session.scalars(select(Staff).where(Staff.clinic_id == clinic.id, Staff.role == "clinic_admin")).first()
        if lead is not None:
            since = keeping.today_of(clinic) - DAY * story["days"]
            improving.note(session, clinic, lead, story["words"], story["measure"], since)
        keeping.count_anew(session, clinic, audit.Actor.system("walk"))
    return written


def _visit(session: Session, patient: Patient, at: datetime, words: str, chance: Random) -> None:
    roll = chance.random()
    state = "no_show" if roll < MISSED else "cancelled" if roll < MISSED + CANCELLED else "arrived"
    with day.at(at - 9 * DAY):
        visit = Appointment(
            clinic_id=patient.clinic_id,
            patient_id=patient.id,
            source="history",
            external_id=str(db.new_id()),
            starts_at=at,
            zone=day.ZONE,
            booked_at=at - 9 * DAY,
            clinician=patient.panel,
            state=state,
            confirmed_at=at - DAY if state == "arrived" and chance.random() < REACHED else None,
            arrived_at=at if state == "arrived" else None,
            created_at=at - 9 * DAY,
            updated_at=at,
        )
        session.add(visit)
    number = patient.numbers[0].number if patient.numbers else None
    if number:
        with day.at(at - 2 * DAY):
            _reminder(session, patient, visit, number, words, chance.random() < REACHED)


def _reminder(session: Session, patient: Patient, visit: Appointment, number: str, words: str, arrived: bool) -> None:
    at = visit.starts_at - 2 * DAY
    conversation = conversations.of_number(session, session.get_one(Clinic, patient.clinic_id), number)
    text = Message(
        clinic_id=patient.clinic_id,
        key_id=conversation.key_id,
        conversation_id=conversation.id,
        patient_id=patient.id,
        direction="out",
        kind="reminder",
        programme="reminders",
        state="delivered" if arrived else "undelivered",
        body=words,
        dedupe=f"history:{visit.id}",
        created_at=at,
        try_after=at,
        sent_at=at,
        delivered_at=at if arrived else None,
    )
    session.add(text)
    session.flush()
    session.add(
        Reminder(
            clinic_id=patient.clinic_id,
            appointment_id=visit.id,
            step="two_days",
            revision=1,
            state="done",
            due_at=at,
            try_after=at,
            message_id=text.id,
        )
    )
