"""Rows as people send them: each is stored or comes back with its reasons, and none takes another with it."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from config import db
from messaging.models import Patient
from messaging.people import directory
from tests.reminders.conftest import World
from tests.reminders.imports.files import PATIENTS, VISITS, a_patient, errors_of, patients, visits, written

pytestmark = pytest.mark.usefixtures("that_day")


def test_a_wrong_row_in_the_middle_comes_back_with_its_line_and_can_be_sent_again(world: World, tmp_path: Path) -> None:
    world.patient(record="R1")
    rows = [{"visit": f"V{number}", "patient": "R1", "starts_at": "2026-03-01T09:00"} for number in range(1, 1001)]
    rows[898]["starts_at"] = "1.3.2026"
    result = visits(world, written(tmp_path, rows, VISITS))
    assert (result.rows, result.created, result.failed) == (1000, 999, 1)
    [wrong] = errors_of(tmp_path)
    assert (wrong["line"], wrong["visit"]) == ("900", "V899")
    assert wrong["reason"] == "starts_at: expected a date and time such as 2026-03-10T09:00"
    assert (tmp_path / "errors.csv").stat().st_mode & 0o077 == 0
    mended = (tmp_path / "errors.csv").read_text().replace("1.3.2026", "2026-03-01T09:00")
    (tmp_path / "mended.csv").write_text(mended)
    assert visits(world, tmp_path / "mended.csv").created == 1


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("record", "", "record: is empty"),
        ("first_name", "x" * 121, "first_name: longer than 120 characters"),
        ("last_name", "a\x07b", "last_name: holds a line break"),
        ("last_name", "a\0b", "NUL"),
        ("last_name", "a\nb", "last_name: holds a line break"),
        ("birth_date", "1980-02-30", "birth_date: expected"),
        ("birth_date", "1880-02-03", "birth_date: expected a date from 1900"),
        ("birth_date", "2030-02-03", "birth_date: expected a date from 1900"),
        ("birth_date", "٢/٢/١٩٨٠", "birth_date: expected"),
        ("language", "Klingonese", "language: expected"),
        ("zone", "America/Denvr", "zone: unknown time zone 'America/Denvr': did you mean America/Denver"),
        ("privacy", "secret", "privacy: expected generic, place or details"),
        ("consent", "perhaps", "consent: expected"),
    ],
)
def test_what_is_wrong_is_said_in_words(world: World, tmp_path: Path, column: str, value: str, why: str) -> None:
    path = written(tmp_path, [a_patient(1, **{column: value}), a_patient(2)], PATIENTS)
    result = patients(world, path)
    assert (result.created, result.failed) == (1, 1)
    [wrong] = errors_of(tmp_path)
    assert why in wrong["reason"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"patient": "nobody"}, "patient: no patient has this record number"),
        ({"starts_at": "2026-03-10"}, "starts_at: expected a date and time"),
        ({"starts_at": "2026-13-10T10:00"}, "starts_at: expected a date and time"),
        ({"starts_at": "0001-01-01T00:00"}, "starts_at: expected a year"),
        ({"booked_at": "yesterday"}, "booked_at: expected a date and time"),
        ({"state": "perhaps"}, "state: expected booked, cancelled, arrived or no_show"),
        ({"visit": ""}, "visit: is empty"),
    ],
)
def test_a_wrong_visit_is_told_in_words_and_stops_nothing(
    world: World, tmp_path: Path, values: dict[str, str], why: str
) -> None:
    world.patient(record="R1")
    right = {"visit": "V1", "patient": "R1", "starts_at": "2026-03-10T10:00"}
    result = visits(world, written(tmp_path, [right | {"visit": "V2"} | values, right], VISITS))
    assert (result.created, result.failed) == (1, 1)
    assert why in errors_of(tmp_path)[0]["reason"]


def test_all_that_is_wrong_with_a_row_is_said_at_once(world: World, tmp_path: Path) -> None:
    path = written(
        tmp_path, [a_patient(1, birth_date="soon", language="Klingonese", consent="perhaps", zone="?")], PATIENTS
    )
    assert patients(world, path).failed == 1
    [wrong] = errors_of(tmp_path)
    assert [fault.partition(":")[0] for fault in wrong["reason"].split("; ")] == [
        "birth_date", "language", "zone", "consent",
    ]  # fmt: skip
    row = {"visit": "", "patient": "", "starts_at": "soon", "zone": "Mars", "booked_at": "then", "state": "perhaps"}
    assert visits(world, written(tmp_path, [row], VISITS)).failed == 1
    [wrong] = errors_of(tmp_path)
    assert sorted({fault.partition(":")[0] for fault in wrong["reason"].split("; ")}) == sorted(row)
    assert wrong["reason"].count("zone: ") == 1


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("555-0147", "too few"),
        ("call me", "letters"),
        ("303-555-0147 ext 12", "extension"),
        ("303-555-0147 / 303-555-0148", "more than one number"),
        ("303-555-0147 (work)", "letters"),
        ("+52 55 5555 0123", "only numbers of the United States"),
        ("+1 876 555 0123", "only numbers of the United States"),
        ("1" * 121, "longer than 120"),
    ],
)
def test_a_number_that_cannot_be_texted_is_left_out_with_a_note(
    world: World, tmp_path: Path, typed: str, why: str
) -> None:
    path = written(tmp_path, [a_patient(1, phone=typed), a_patient(2)], PATIENTS)
    result = patients(world, path)
    assert (result.created, result.failed, result.noted) == (2, 0, 1)
    [noted] = errors_of(tmp_path)
    assert noted["reason"].startswith("taken without the phone number: ")
    assert why in noted["reason"]
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, "R1")
        assert patient
        assert directory.textable_number(session, patient) is None


def test_a_number_left_out_takes_no_earlier_one_away(world: World, tmp_path: Path) -> None:
    patients(world, written(tmp_path, [a_patient(1)], PATIENTS))
    result = patients(world, written(tmp_path, [a_patient(1, phone="303-555-0101 x9")], PATIENTS))
    assert (result.unchanged, result.noted) == (1, 1)
    with db.unit_of_work(db.EVERY) as session:
        number = directory.textable_number(session, session.scalars(select(Patient)).one())
        assert number
        assert number.number == "+13035550101"


def test_whoever_has_one_name_is_greeted_by_it(world: World, tmp_path: Path) -> None:
    rows = [
        a_patient(1, last_name=""),
        a_patient(2, first_name=""),
        a_patient(3, first_name="", last_name=""),
    ]
    result = patients(world, written(tmp_path, rows, PATIENTS))
    assert (result.created, result.failed) == (2, 1)
    assert errors_of(tmp_path)[0]["reason"] == "last_name: is empty"
    with db.unit_of_work(db.EVERY) as session:
        stored = session.scalars(select(Patient)).all()
        assert sorted((patient.first_name, patient.last_name) for patient in stored) == [("Ana", ""), ("Vance", "")]


def test_when_the_database_refuses_one_row_the_others_are_stored(world: World, tmp_path: Path) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(
            text(
                "CREATE TRIGGER refuse BEFORE INSERT ON patient WHEN new.language = 'xx' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )
    rows = [a_patient(number) for number in range(1, 13)]
    rows[7]["language"] = "xx"
    result = patients(world, written(tmp_path, rows, PATIENTS))
    assert (result.rows, result.created, result.failed) == (12, 11, 1)
    [wrong] = errors_of(tmp_path)
    assert (wrong["record"], wrong["reason"]) == ("R8", "this row could not be stored (IntegrityError)")
