"""Files of patients and visits as a clinic sends them, and what comes back of them."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import func, select

from config import db
from reminders.imports import csv_import
from tests.reminders.conftest import World

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


def count(model: type) -> int:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0
