"""Whoever has arrived is in the building, and nobody is whose visit has moved, ended or become somebody else's."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from config import db
from messaging.models import Patient
from reminders import appointments, attendance, in_building, visits_by_staff
from reminders.models import Appointment
from tests.reminders.conftest import NOW, World

SOON = NOW + timedelta(minutes=10)
DESK = "staff:x"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def here_until(patient: Patient) -> datetime | None:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Patient, patient.id).here_until


def arrived(world: World, patient: Patient, starts_at: datetime = SOON) -> Appointment:
    visit = world.visit(patient, starts_at)
    with db.unit_of_work(db.EVERY) as session:
        appointments.arrive(session, session.get_one(Appointment, visit.id), DESK)
    assert here_until(patient) == starts_at + in_building.STAYS
    return visit


def by_the_books(world: World, patient: Patient, visit: Appointment, **changed: object) -> None:
    names = ("external_id", "starts_at", "zone", "booked_at", "place", "clinician", "state")
    with db.unit_of_work(db.EVERY) as session:
        world.save(session, patient, **({"record": ""} | {name: getattr(visit, name) for name in names} | changed))


ACTS: dict[str, Callable[[Session, World, Appointment], object]] = {
    "taken back": lambda session, _world, visit: attendance.take_back(session, visit, DESK),
    "cancelled": lambda session, _world, visit: appointments.cancel(session, visit, DESK),
    "moved": lambda session, world, visit: visits_by_staff.move(
        session, world.clinic, visit, NOW + timedelta(days=3), None, DESK
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_is_done_to_the_visit_takes_its_patient_out_of_the_building(world: World, act: str) -> None:
    patient = world.patient()
    visit = arrived(world, patient)
    with db.unit_of_work(db.EVERY) as session:
        ACTS[act](session, world, session.get_one(Appointment, visit.id))
    assert here_until(patient) is None


@pytest.mark.parametrize(
    "changed",
    [{"starts_at": NOW + timedelta(days=3), "state": "booked"}, {"state": "cancelled"}, {"state": "no_show"}],
)
def test_so_does_what_the_books_say_of_it(world: World, changed: dict[str, object]) -> None:
    patient = world.patient()
    visit = arrived(world, patient)
    by_the_books(world, patient, visit, **changed)
    assert here_until(patient) is None


def test_a_visit_given_to_somebody_else_takes_its_arrival_along(world: World) -> None:
    wrong, right = world.patient(), world.patient()
    visit = arrived(world, wrong)
    by_the_books(world, right, visit, state="arrived")
    assert (here_until(wrong), here_until(right)) == (None, SOON + in_building.STAYS)


def test_another_visit_of_the_day_keeps_them_there(world: World) -> None:
    patient = world.patient()
    arrived(world, patient)
    later = arrived(world, patient, SOON + timedelta(hours=1))
    with db.unit_of_work(db.EVERY) as session:
        appointments.cancel(session, session.get_one(Appointment, later.id), DESK)
    assert here_until(patient) == SOON + in_building.STAYS
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Patient, patient.id)
        assert (found.is_here(NOW), found.is_here(SOON + in_building.STAYS)) == (True, False)
