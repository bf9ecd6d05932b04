"""Patients and visits of a file come in, are planned, and come in again without changing anything."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event, select

from config import db
from messaging.consent import ledger
from messaging.models import Patient
from messaging.people import directory
from reminders.imports import csv_import
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import World
from tests.reminders.imports.files import PATIENTS, VISITS, a_patient, count, errors_of, patients, visits, written

pytestmark = pytest.mark.usefixtures("that_day")


def test_patients_come_in_and_again_change_nothing(world: World, tmp_path: Path) -> None:
    rows = [
        a_patient(1, birth_date="2/29/1980", language="ES"),
        a_patient(2, birth_date="1970-01-31", consent="no"),
    ]
    path = written(tmp_path, rows, PATIENTS)
    assert patients(world, path) == csv_import.ImportResult(rows=2, created=2, updated=0, unchanged=0, failed=0)
    assert patients(world, path) == csv_import.ImportResult(rows=2, created=0, updated=0, unchanged=2, failed=0)
    with db.unit_of_work(db.EVERY) as session:
        first = directory.find_by_record(session, world.clinic, "R1")
        assert first
        assert (first.first_name, first.birth_date, first.language) == (
            "Ana",
            date(1980, 2, 29).isoformat(),
            "es",
        )
        assert ledger.state(session, world.clinic, "+13035550101")["reminders"] == "granted"
        assert ledger.state(session, world.clinic, "+13035550102")["reminders"] != "granted"
    assert not (tmp_path / "errors.csv").exists()


def test_a_dry_run_checks_every_row_and_writes_nothing(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, [a_patient(1), a_patient(2, zone="x"), a_patient(3)], PATIENTS)
    result = patients(world, path, dry_run=True)
    assert (result.created, result.failed) == (2, 1)
    assert count(Patient) == 0
    assert len(errors_of(tmp_path)) == 1
    assert patients(world, path).created == 2


def test_progress_ends_at_the_end(world: World, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    rows = [a_patient(number, zone="none") for number in range(1, 601)]
    patients(world, written(tmp_path, rows, PATIENTS), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(501, 601), (601, 601)]


def test_a_patient_who_moves_is_texted_by_the_new_clock(world: World, tmp_path: Path) -> None:
    assert patients(world, written(tmp_path, [a_patient(1)], PATIENTS)).created == 1
    row = {"visit": "V1", "patient": "R1", "starts_at": "2026-03-12T08:00"}
    assert visits(world, written(tmp_path, [row], VISITS)).created == 1
    before = due("24h")
    moved = written(tmp_path, [a_patient(1, zone="America/Los_Angeles")], PATIENTS)
    assert patients(world, moved).updated == 1
    assert due("24h") != before


def due(step: str) -> datetime | None:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalar(select(Reminder.due_at).where(Reminder.step == step, Reminder.state == "planned"))


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_visits_come_in_with_their_plans_and_again_change_nothing(world: World, tmp_path: Path) -> None:
    world.patient(record="R1")
    rows = [
        {"visit": "V1", "patient": "R1", "starts_at": "2026-03-10T10:00", "place": "Room 4"},
        {"visit": "V2", "patient": "R1", "starts_at": "2026-03-10T10:00-04:00", "zone": "America/New_York"},
        {"visit": "V3", "patient": "R1", "starts_at": "2026-03-12 09:30", "state": "Canceled"},
        {"visit": "V4", "patient": "R1", "starts_at": "2026-03-01T09:30", "state": "no-show"},
    ]
    path = written(tmp_path, rows, VISITS)
    assert visits(world, path) == csv_import.ImportResult(rows=4, created=4, updated=0, unchanged=0, failed=0)
    planned = count(Reminder)
    assert visits(world, path) == csv_import.ImportResult(rows=4, created=0, updated=0, unchanged=4, failed=0)
    assert count(Reminder) == planned == 6
    with db.unit_of_work(db.EVERY) as session:
        starts = dict(session.execute(select(Appointment.external_id, Appointment.starts_at)).all())
        states = set(session.scalars(select(Appointment.state)))
    assert starts["V1"] == datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
    assert starts["V2"] == datetime(2026, 3, 10, 14, 0, tzinfo=UTC)
    assert states == {"booked", "cancelled", "no_show"}


def test_the_same_visit_twice_in_a_file_is_one_visit(world: World, tmp_path: Path) -> None:
    world.patient(record="R1")
    row = {"visit": "V1", "patient": "R1", "starts_at": "2026-03-10T10:00"}
    result = visits(world, written(tmp_path, [row, row | {"starts_at": "2026-03-11T10:00"}], VISITS))
    assert (result.created, result.updated) == (1, 1)
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(Reminder.revision).distinct()).all() == [2]


def test_visits_are_planned_set_by_set_not_row_by_row(world: World, tmp_path: Path) -> None:
    world.patient(record="R1")
    rows = [
        {"visit": f"V{number}", "patient": "R1", "starts_at": f"2026-04-{number % 28 + 1:02}T10:00"}
        for number in range(400)
    ]
    inserts: list[str] = []
    event.listen(
        db.engine(),
        "before_cursor_execute",
        lambda _c, _cursor, said, *_: inserts.append(said) if said.startswith("INSERT INTO reminder") else None,
    )
    assert visits(world, written(tmp_path, rows, VISITS)).created == 400
    assert len(inserts) == 1
