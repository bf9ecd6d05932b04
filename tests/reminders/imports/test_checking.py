"""Every row of a file is looked at before one is imported, and the look leaves nothing behind."""

import json
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select

from config import audit, db
from messaging.models import Patient
from reminders.imports import checking, completeness, csv_files, first_texts, runs, take_in
from reminders.imports.models import ImportPart, ImportRun
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import NOW, World

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
PEOPLE = "MRN,Name,Cell,DOB,Text OK?\n" + "".join(
    f'P{n},"Quill, Ana",(201) 555-01{n:02},{"13/13" if n % 10 == 3 else "1/2"}/1990,Y\n' for n in range(40)
)
VISITS = "Appt ID,MRN,Date,Time\nA1,M1,2026-03-10,9:00 AM\nA2,M1,2026-03-11,9:00 AM\nA3,none,2026-03-11,9:00 AM\n"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def taken_in(world: World, tmp_path: Path, text: str, kind: str = "patients", source: str = "Epic") -> ImportRun:
    path = tmp_path / "file.csv"
    path.write_text(text)
    with csv_files.opened(path, ()) as table:
        return take_in.take_in(world.clinic, kind, source, table, by="staff:x")


def check(world: World, run: ImportRun) -> checking.Findings:
    """Look at every row, as the page and then the lane do."""
    with db.unit_of_work(world.clinic.id) as session:
        here = session.get_one(ImportRun, run.id)
        checking.start(session, here, take_in.columns_of(here))
    runs.drain()
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        here = session.get_one(ImportRun, run.id)
        assert here.state == "checked"
        return checking.findings(here)


def begin(world: World, run: ImportRun, scope: str = "", typed: str = "") -> ImportRun:
    with db.unit_of_work(world.clinic.id) as session:
        here = session.get_one(ImportRun, run.id)
        runs.start(session, here, complete=checking.decide(session, here, scope, typed), by="staff:x")
    runs.drain()
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        return session.get_one(ImportRun, run.id)


def count(world: World, model: type) -> int:
    with db.unit_of_work(world.clinic.id) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@BOTH
def test_a_look_counts_by_reason_and_stores_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_in, "PART", 15)
    run = taken_in(world, tmp_path, PEOPLE)
    found = check(world, run)
    assert (found.good, found.tally) == (36, {"created": 36, "failed": 4})
    [(why, reason)] = found.reasons.items()
    assert why.startswith("birth_date: expected")
    assert (reason["count"], [line for line, _ in reason["rows"]]) == (4, [5, 15, 25])
    assert [line for line, _ in found.first] == [2, 3, 4]
    assert count(world, Patient) == 0
    with db.unit_of_work(world.clinic.id) as session:
        assert "patient.created" not in set(session.scalars(select(audit.AuditEntry.act)))
        assert len(list(runs.wrong(session, session.get_one(ImportRun, run.id)))) == 4
    done = begin(world, run)
    assert (done.state, done.tally) == ("done", {"created": 36, "failed": 4})
    assert count(world, Patient) == 36


@BOTH
def test_what_a_complete_file_lacks_is_cancelled_after_its_rows(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completeness, "BATCH", 1)
    world.patient(record="M1")
    first = taken_in(world, tmp_path, VISITS, "appointments")
    check(world, first)
    begin(world, first)
    less = taken_in(world, tmp_path, VISITS.replace("A1,", "X1,").replace("9:00", "11:00"), "appointments")
    found = check(world, less)
    assert [len(found.missing["clinic"][name]) for name in ("gone", "renumbered")] == [1, 0]
    with pytest.raises(completeness.Held):
        begin(world, less, "clinic")
    done = begin(world, less, "clinic", "1")
    assert (done.state, done.complete["cancelled"], done.complete["left"]) == ("done", 1, [])
    with db.unit_of_work(world.clinic.id) as session:
        states = {visit.external_id: visit.state for visit in session.scalars(select(Appointment))}
    assert states == {"A1": "cancelled", "A2": "booked", "X1": "booked"}


def test_what_is_kept_of_a_file_meanwhile_is_sealed(world: World, tmp_path: Path) -> None:
    run = taken_in(world, tmp_path, PEOPLE)
    check(world, run)
    with db.unit_of_work(world.clinic.id) as session:
        here = session.get_one(ImportRun, run.id)
        assert "Quill" in (here.findings or "")
        assert json.loads(here.counts or "{}")["text ok?"] == {"Y": 40}
        assert "mrn" not in json.loads(here.counts or "{}"), "more values than can be looked at"
        for sealed in (here.findings_ct, here.counts_ct, here.meanings_ct):
            assert b"Quill" not in (sealed or b"")
        runs.stop(session, here, by="staff:x")
        assert (here.findings, here.counts) == (None, None)


def test_who_goes_back_to_the_columns_begins_the_look_anew(world: World, tmp_path: Path) -> None:
    run = taken_in(world, tmp_path, PEOPLE)
    check(world, run)
    with db.unit_of_work(world.clinic.id) as session:
        checking.again(session.get_one(ImportRun, run.id))
    assert check(world, run).good == 36


def test_a_part_that_cannot_be_looked_at_stops_no_other(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(take_in, "PART", 30)
    run = taken_in(world, tmp_path, PEOPLE)
    with db.unit_of_work(world.clinic.id) as session:
        here = session.get_one(ImportRun, run.id)
        checking.start(session, here, take_in.columns_of(here))
        part = session.scalars(select(ImportPart).where(ImportPart.place == 0)).one()
        part.rows = json.dumps([[1, 2, 3, 4]])
    with db.unit_of_work(world.clinic.id) as session:
        runs._give_up(session, session.get_one(ImportRun, run.id))
    runs.drain()
    with db.unit_of_work(world.clinic.id) as session:
        here = session.get_one(ImportRun, run.id)
        assert here.state == "checked"
        assert checking.findings(here).tally == {"created": 9, "failed": 2}


def test_the_first_texts_are_those_that_the_plan_will_send(world: World, tmp_path: Path) -> None:
    world.patient(record="M1", first_name="Ana", language="es")
    run = taken_in(world, tmp_path, VISITS, "appointments")
    found = check(world, run)
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        [first, second] = first_texts.of(session, world.clinic, "appointments", found.first)
    assert first.body.startswith("Hola, Ana")
    begin(world, run)
    with db.unit_of_work(world.clinic.id) as session:
        due = select(func.min(Reminder.due_at)).where(Reminder.state == "planned")
        assert session.scalar(due) == first.at
        assert second.at
        assert first.at
        assert second.at > first.at


def test_a_column_s_words_mean_the_same_in_the_next_file_with_these_columns(world: World, tmp_path: Path) -> None:
    run = taken_in(world, tmp_path, PEOPLE.replace(",Y", ",Ask"), source="One")
    with db.unit_of_work(world.clinic.id) as session:
        here = session.get_one(ImportRun, run.id)
        columns = take_in.columns_of(here)
        said = type(columns)(columns.columns, columns.constants, columns.order, {"consent": {"ask": "no"}})
        checking.start(session, here, said)
    runs.drain()
    begin(world, run)
    again = take_in.columns_of(taken_in(world, tmp_path, PEOPLE, source="Another"))
    assert again.meanings == {"consent": {"ask": "no"}}


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\n"])
def test_what_a_spreadsheet_takes_for_a_formula_is_text_and_comes_back_as_it_was(begins: str) -> None:
    for field in (f"{begins}cmd|' /C calc'!A0", f"'{begins}1+1", f"''{begins}1"):
        shown = csv_files.as_text(field)
        assert shown == f"'{field}"
        assert csv_files.from_text(shown) == field
    assert csv_files.as_text(f"a{begins}b") == f"a{begins}b"
