"""A whole day of visits as clinics really book them, planned in the database: every row has a time or a reason."""

import random
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.models import Clinic
from messaging.people import directory
from reminders import appointments, planner
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import NOW, World, why_of

# As clinics book: a third on the day itself, some after the visit was to begin,
# a few months ahead; some patients twice.
LEADS = (0, 0, 0, 0, 1, 2, 3, 7, 14, 30, 90, 180)
VISITS, PATIENTS = 400, 300


def made_up(chance: random.Random, number: int) -> tuple[int, appointments.VisitRecord]:
    starts = NOW + timedelta(minutes=15 * chance.randrange(-4, 40))
    booked = starts - timedelta(days=chance.choice(LEADS), minutes=chance.randrange(-120, 600))
    who = chance.randrange(PATIENTS)
    return who, appointments.VisitRecord(
        external_id=f"D{number}", record=f"R{who}", starts_at=starts, zone="America/Denver", booked_at=booked
    )


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_every_row_of_a_day_has_a_time_or_a_reason(world: World) -> None:
    chance = random.Random(29)
    with time_machine.travel(NOW, tick=False), db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        patients = [
            directory.save_patient(
                session,
                clinic,
                directory.PatientRecord(
                    record=f"R{n}", first_name="Rosa", last_name="Vance", number=None, birth_date=None
                ),
            )[0]
            for n in range(PATIENTS)
        ]
        rows = [made_up(chance, number) for number in range(VISITS)]
        appointments.save_many(session, clinic, [(patients[who], visit) for who, visit in rows])
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        planned = session.execute(
            select(Reminder, Appointment).join(Appointment, Appointment.id == Reminder.appointment_id)
        ).all()
    to_come = [visit for _, visit in rows if visit.starts_at > NOW]
    assert len(planned) == 3 * len(to_come)
    for reminder, visit in planned:
        assert why_of(reminder)[0].startswith("planned: ")
        assert (reminder.due_at is None) == why_of(reminder)[-1].startswith("dropped: ")
        assert reminder.due_at is None or visit.booked_at <= reminder.due_at < visit.starts_at
        assert reminder.due_at is None or _is_day(reminder.due_at)
    assert {reminder.state for reminder, _ in planned} == {"planned", "dropped"}


def _is_day(at: datetime) -> bool:
    return 8 <= planner.zones.to_local(at, planner.zones.zone("America/Denver")).hour < 20
