"""A real database with one clinic, its people and its patients."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db, logging
from messaging.models import Clinic, Message, Patient, Staff
from messaging.people import directory
from messaging.versions.models import Version
from reminders import appointments, reasons
from reminders.models import Appointment, Reminder

# A Tuesday in March, 9:00 in Denver, before the clocks change.
NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.configure("critical")


@dataclass
class World:
    """The clinic, with verbs that a test would otherwise repeat."""

    clinic: Clinic
    count: int = 0

    def patient(self, **facts: Any) -> Patient:
        """Add a patient who may be texted."""
        self.count += 1
        given = {
            "record": f"P{self.count}",
            "first_name": "Rosa",
            "last_name": "Vance",
            "number": f"+1303555{100 + self.count:04}",
            "birth_date": date(1980, 2, 29),
        }
        with db.unit_of_work(self.clinic.id) as session:
            return directory.save_patient(session, self.clinic, directory.PatientRecord(**(given | facts)))[0]

    def staff(self, name: str, **facts: Any) -> Staff:
        """Add a care manager with a phone."""
        self.count += 1
        given = {"email": f"{name.lower()}@clinic.example", "number": f"+1720555{100 + self.count:04}"}
        with db.unit_of_work(self.clinic.id) as session:
            return directory.add_staff(session, self.clinic, name=name, **(given | facts))

    def visit(self, patient: Patient, starts_at: datetime, **facts: Any) -> Appointment:
        """Book a visit; booked two weeks before the present of these tests."""
        self.count += 1
        given = {
            "external_id": f"V{self.count}",
            "record": "",
            "starts_at": starts_at,
            "zone": "America/Denver",
            "booked_at": NOW - timedelta(days=14),
            "place": "Room 4",
        }
        with db.unit_of_work(self.clinic.id) as session:
            return self.save(session, patient, **(given | facts))[0]

    def save(self, session: Session, patient: Patient, **facts: Any) -> tuple[Appointment, str]:
        """Save a visit in a transaction of the test's own."""
        return appointments.save(session, self.clinic, patient, appointments.VisitRecord(**facts))


@pytest.fixture
def world(house: object) -> World:
    """One clinic in Denver."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(
            session,
            name="Larkspur Clinic",
            zone="America/Denver",
            number="+13035550100",
            phone="+13035550101",
        )
    return World(clinic)


def plan_of(visit: Appointment) -> dict[str, Reminder]:
    """The reminders of the visit's latest revision, by step."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.scalars(select(Reminder).where(Reminder.appointment_id == visit.id).order_by(Reminder.revision))
        return {row.step: row for row in rows}


def states_of(visit: Appointment) -> dict[str, str]:
    """The state of each step in the latest revision."""
    return {step: reminder.state for step, reminder in plan_of(visit).items()}


def why_of(reminder: Reminder) -> list[str]:
    """What the reminder's reasons say, oldest first."""
    return reasons.kept(reminder.why)


def texts_to(patient: Patient) -> list[str]:
    """Every text queued to the patient, in order."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.scalars(
            select(Message)
            .where(Message.patient_id == patient.id, Message.direction == "out", Message.state != "cancelled")
            .order_by(Message.id)
        )
        return [row.body or "" for row in rows]


def cadence_version(clinic: Clinic, definition: dict[str, Any], at: datetime) -> Version:
    """Return the version of a cadence that is in force at a clinic."""
    return Version(
        clinic_id=clinic.id, kind="cadence", state="live", number=1, based_on=0, definition=definition,
        written_by="operator", written_at=at, published_by="operator", published_at=at,
    )  # fmt: skip
