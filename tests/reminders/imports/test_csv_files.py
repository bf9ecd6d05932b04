"""Files as people send them: what is no table is refused in words, and whatever a table holds is read to its end."""

import csv
import gzip
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import db
from messaging.models import Patient
from messaging.people import directory
from reminders.imports import csv_files, csv_import
from tests.reminders.conftest import World
from tests.reminders.imports.files import PATIENTS, a_patient, count, errors_of, patients, raw, written

pytestmark = pytest.mark.usefixtures("that_day")


def found(world: World, record: str) -> Patient | None:
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, record)
        if patient is not None:
            assert patient.first_name is not None
        return patient


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
