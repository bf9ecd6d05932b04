"""A file cannot give one patient's visit to another: the row is a mistake, and the visit stays whose it is."""

from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.people import directory
from reminders.imports import csv_import
from reminders.models import Appointment
from tests.reminders.conftest import NOW, World
from tests.reminders.imports.files import PATIENTS, VISITS, a_patient, written


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def visits(world: World, tmp_path: Path, *rows: tuple[str, str, str]) -> csv_import.ImportResult:
    """Import visits given as (number, record, state)."""
    given = [
        {"visit": number, "patient": record, "starts_at": "2026-03-12T09:00", "zone": "America/Denver", "state": state}
        for number, record, state in rows
    ]
    path = written(tmp_path, given, VISITS)
    return csv_import.import_file("appointments", world.clinic.id, path, errors_path=tmp_path / "wrong.csv")


def whose(world: World, number: str) -> str | None:
    with db.unit_of_work(world.clinic.id) as session:
        visit = session.scalars(select(Appointment).where(Appointment.external_id == number)).one()
        patient = directory.find_by_record(session, world.clinic, "R1")
        return "R1" if patient is not None and visit.patient_id == patient.id else "R2"


@pytest.fixture
def two(world: World, tmp_path: Path) -> World:
    path = written(tmp_path, [a_patient(1), a_patient(2)], PATIENTS)
    csv_import.import_file("patients", world.clinic.id, path)
    visits(world, tmp_path, ("V1", "R1", "booked"))
    return world


def test_the_row_comes_back_with_its_reason_and_the_visit_stays_whose_it_is(two: World, tmp_path: Path) -> None:
    result = visits(two, tmp_path, ("V1", "R2", "booked"), ("V2", "R2", "booked"))
    assert result.created == 1
    assert "another patient's visit has this number" in (tmp_path / "wrong.csv").read_text()
    assert (whose(two, "V1"), whose(two, "V2")) == ("R1", "R2")


def test_a_number_is_free_again_once_its_visit_is_cancelled(two: World, tmp_path: Path) -> None:
    visits(two, tmp_path, ("V1", "R1", "cancelled"))
    visits(two, tmp_path, ("V1", "R2", "booked"))
    assert whose(two, "V1") == "R2"
