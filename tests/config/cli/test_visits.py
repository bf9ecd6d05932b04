"""`warmthread patients import` and `appointments import`: files as clinics have them, and what is said of them."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from config import db
from config.cli import opening, visits
from messaging.models import Clinic, Patient

HEADER = "record,first_name,last_name,phone,birth_date,language\n"


class Command:
    """Runs the two commands on what a file holds; `rows` and `said` are what came out, `errors` what stands beside it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, group: Any, text: str, *, exit_code: int = 0) -> dict[str, Any]:
        self.file.write_text(text, encoding="utf-8")
        answer = CliRunner().invoke(group, ["import", str(self.file), "--json"])
        assert answer.exit_code == exit_code, answer.output
        self.said = answer.stderr
        (row,) = json.loads(answer.stdout.splitlines()[-1])
        return dict(row)

    def errors(self) -> list[dict[str, str]]:
        with open(self.file.with_name("in.errors.csv"), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def command(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(opening, "begin", lambda: None)
    return Command(tmp_path / "in.csv")


def of_patients(clinic: Clinic, fact: Callable[[Patient], Any]) -> dict[str, Any]:
    """A fact of each patient, by record number."""
    with db.unit_of_work(clinic.id) as session:
        return {one.record or "": fact(one) for one in session.scalars(select(Patient))}


def test_a_language_is_read_as_people_write_it(command: Command, clinic: Clinic) -> None:
    written = ["spa", "Spanish", "SPA", "English", "Español", "es-MX", "Inglés", "eng", "", "Castilian"]
    rows = [f"L{n},Ana,Diaz,+1201555{130 + n:04},,{one}\n" for n, one in enumerate(written)]
    assert command(visits.patients, HEADER + "".join(rows))["created"] == len(written)
    found = of_patients(clinic, lambda one: one.language)
    assert [found[f"L{n}"] for n in range(len(written))] == [
        "es", "es", "es", "en", "es", "es-mx", "en", "en", "en", "es",
    ]  # fmt: skip
    assert "no texts" not in command.said


def test_a_language_without_texts_is_said_once(command: Command, clinic: Clinic) -> None:
    written = ["vie", "Vietnamese", "Tiếng Việt", "Kreyòl", "es"]
    rows = [f"L{n},Ana,Diaz,+1201555{130 + n:04},,{one}\n" for n, one in enumerate(written)]
    row = command(visits.patients, HEADER + "".join(rows))
    assert (row["created"], row["failed"], row["errors"]) == (5, 0, None)
    assert command.said.splitlines() == [
        "There are no texts in Haitian Creole. Patients who speak it get English: 1.",
        "There are no texts in Vietnamese. Patients who speak it get English: 3.",
    ]


def test_a_row_in_a_zone_without_a_place_comes_back_with_the_right_name(command: Command) -> None:
    written = {
        "EST": "America/New_York",
        "MST": "America/Phoenix",
        "HST": "Pacific/Honolulu",
        "CST": "Chicago",
    }
    written |= {"Etc/GMT+8": "America/Los_Angeles", "US Eastern": "America/New_York", "GMT": "America/Denver"}
    rows = [f"Z{n},Ana,Diaz,+1201555{130 + n:04},{one}\n" for n, one in enumerate(written)]
    text = "record,first_name,last_name,phone,zone\n" + "".join(rows)
    assert command(visits.patients, text, exit_code=3)["failed"] == len(written)
    for error in command.errors():
        assert written[error["zone"]] in error["reason"]
