"""Files as people send them: every row is stored or comes back with its reason, and none takes another with it."""

import csv
import gzip
import io
import tracemalloc
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text

from config import db
from messaging.consent import ledger
from messaging.models import Patient
from messaging.people import directory
from reminders.imports import csv_files, csv_import
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import NOW, World

PATIENTS = [
    "record",
    "first_name",
    "last_name",
    "phone",
    "birth_date",
    "language",
    "zone",
    "privacy",
    "consent",
]
VISITS = ["visit", "patient", "starts_at", "zone", "booked_at", "place", "clinician", "state"]


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def a_patient(number: int, **values: str) -> dict[str, str]:
    return {
        "record": f"R{number}",
        "first_name": "Ana",
        "last_name": "Vance",
        "phone": f"(303) 555-01{number % 100:02}",
    } | values


def written(tmp_path: Path, rows: Sequence[Mapping[str, str]], columns: Sequence[str], name: str = "in.csv") -> Path:
    path = tmp_path / name
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def raw(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    return path


def patients(world: World, path: Path, **options: object) -> csv_import.ImportResult:
    errors = path.parent / "errors.csv"
    return csv_import.import_file("patients", world.clinic.id, path, errors_path=errors, **options)  # type: ignore[arg-type]


def visits(world: World, path: Path, **options: object) -> csv_import.ImportResult:
    errors = path.parent / "errors.csv"
    return csv_import.import_file("appointments", world.clinic.id, path, errors_path=errors, **options)  # type: ignore[arg-type]


def errors_of(tmp_path: Path) -> list[dict[str, str]]:
    with open(tmp_path / "errors.csv", encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def found(world: World, record: str) -> Patient | None:
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, record)
        if patient is not None:
            assert patient.first_name is not None
        return patient


def count(model: type) -> int:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


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


def test_columns_may_stand_in_any_order_and_case_behind_a_byte_order_mark(world: World, tmp_path: Path) -> None:
    content = "\ufeffPhone;Last_Name;notes; FIRST_NAME ;Record\r\n303-555-0101;Vance;x;Ana;R1\r\n\r\n;;;;\r\n"
    assert patients(world, raw(tmp_path, content.encode())).created == 1


def test_a_file_without_a_needed_column_is_refused_before_anything_is_done(world: World, tmp_path: Path) -> None:
    path = raw(tmp_path, b"record,surname,phone\nR1,Vance,303-555-0101\n")
    with pytest.raises(csv_import.BadFile, match=r"not mapped to a column: first_name; found: record, surname"):
        patients(world, path)
    assert count(Patient) == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no line of column names"),
        (b"\n\n \n", "no line of column names"),
        (b"PK\x03\x04 something", "a spreadsheet"),
        (b"\xd0\xcf\x11\xe0 something", "a spreadsheet"),
        (gzip.compress(b"record,first_name,last_name,phone\n" * 100_000), "a packed file"),
        (b"record,first_name,last_name,phone\n" + b"\n" * 2_000_001, "more than 2,000,000 lines"),
        ("record,phone".encode("utf-16"), "UTF-16"),
        (b"record,record,first_name,last_name,phone\n", "same name: record"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(world: World, tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(csv_import.BadFile, match=why):
        patients(world, raw(tmp_path, content))


def test_a_file_that_is_not_there_is_refused_in_words(world: World, tmp_path: Path) -> None:
    with pytest.raises(csv_import.BadFile, match="cannot be read"):
        patients(world, tmp_path / "nothing.csv")
    with pytest.raises(csv_import.BadFile, match="cannot be read"):
        patients(world, tmp_path)


def test_the_errors_never_overwrite_the_file_itself(world: World, tmp_path: Path) -> None:
    path = written(tmp_path, [a_patient(1, phone="x")], PATIENTS, name="errors.csv")
    with pytest.raises(csv_import.BadFile, match="overwrite"):
        patients(world, path)


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


def test_rows_that_are_no_utf8_come_back_as_they_were(world: World, tmp_path: Path) -> None:
    line = "R1,José,Vance,303-555-0101\n".encode("latin-1")
    content = b"record,first_name,last_name,phone\n" + line + b"R2,Ana,Vance,303-555-0102\n"
    assert patients(world, raw(tmp_path, content)).created == 1
    assert line in (tmp_path / "errors.csv").read_bytes()
    assert "save the file as CSV UTF-8" in errors_of(tmp_path)[0]["reason"]


def test_a_quotation_mark_that_is_never_closed_costs_one_row(world: World, tmp_path: Path) -> None:
    lines = ["record,first_name,last_name,phone", 'R1,"Ana,Vance,303-555-0101']
    lines += [f"R{number},Ana,Vance,303-555-01{number:02}" for number in range(2, 30)]
    result = patients(world, raw(tmp_path, "\n".join(lines).encode()))
    assert (result.created, result.failed) == (28, 1)
    [wrong] = errors_of(tmp_path)
    assert (wrong["line"], wrong["reason"]) == ("2", "a quotation mark is opened and never closed")


def test_quoted_line_breaks_in_other_columns_are_no_error(world: World, tmp_path: Path) -> None:
    rows = [a_patient(1) | {"notes": 'said "hello"\nand left'}, a_patient(2)]
    assert patients(world, written(tmp_path, rows, [*PATIENTS, "notes"])).created == 2


def test_a_row_with_too_many_fields_is_wrong_and_one_with_too_few_is_read(world: World, tmp_path: Path) -> None:
    content = b"record,first_name,last_name,phone,zone\nR1,Ana,Vance,303-555-0101,,extra\nR2,Ana,Vance,303-555-0102\n"
    result = patients(world, raw(tmp_path, content))
    assert (result.created, result.failed) == (1, 1)


def test_a_line_without_end_fills_no_memory(world: World, tmp_path: Path) -> None:
    content = b"record,first_name,last_name,phone\nR1," + b"x" * 20_000_000 + b"\nR2,Ana,Vance,303-555-0102\n"
    path = raw(tmp_path, content)
    del content
    tracemalloc.start()
    result = patients(world, path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (result.created, result.failed) == (1, 1)
    assert errors_of(tmp_path)[0]["reason"] == "this line is too long"
    assert peak < 10_000_000


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


# Everything a text file can hold, and more often what breaks readers of CSV.
CELLS = st.text(st.one_of(st.sampled_from("\"',;\t\r\n\0\ufeff\u2028=@ éñ"), st.characters(codec="utf-8")), max_size=12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=6, max_size=6), min_size=1, max_size=6), st.data())
def test_no_text_in_any_column_raises_or_loses_the_other_rows(
    world: World, tmp_path: Path, cells: list[list[str]], data: st.DataObject
) -> None:
    rows = []
    for number, row in enumerate(cells):
        rows += [dict(zip([*PATIENTS[:4], "zone", "notes"], row, strict=True)), a_patient(number)]
    path = written(tmp_path, rows, [*PATIENTS[:4], "zone", "notes"])
    result = patients(world, path)
    assert all(found(world, f"R{number}") for number in range(len(cells)))
    blank = sum(not any(cell.strip() for cell in row) for row in cells)
    assert len(rows) - blank <= result.rows <= len(rows)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | st.text('",\r\nab\0', max_size=120).map(str.encode))
def test_whatever_the_bytes_a_table_reads_them_to_their_end(tmp_path: Path, content: bytes) -> None:
    path = raw(tmp_path, b"a,b,c\n" + content)
    with csv_files.opened(path, ["a"]) as table:
        rows = list(table)
    assert all(row.problem or set(row.values) <= {"a", "b", "c"} for row in rows)
    assert table.line >= content.count(b"\n")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=5))
def test_what_a_spreadsheet_writes_is_read_as_it_was_meant(tmp_path: Path, cells: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["a", "b", "c"], *cells])
    path = raw(tmp_path, buffer.getvalue().encode())
    with csv_files.opened(path, ["a", "b", "c"]) as table:
        read = [row.fields for row in table if row.problem is None]
    meant = [row for row in cells if not any("\0" in cell for cell in row)]
    assert [row for row in read if any(cell.strip() for cell in row)] == [
        row for row in meant if any(cell.strip() for cell in row)
    ]
