"""One made-up clinic's day: who works there, who comes, and when; its clock makes it a Tuesday morning at any hour."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from config import clock

ZONE = "America/New_York"
# It is always this weekday and hour when the demonstration begins: the clinic is open, and so are the days after.
TUESDAY, OPENS = 1, time(9, 40)
CLINIC = "Alder Street Clinic"
NUMBER, PHONE = "+12015550100", "+12015550101"


@dataclass(frozen=True)
class Visitor:
    """A made-up patient and the visit they have: `after` is how long after the walk begins it starts."""

    record: str
    first: str
    last: str
    number: str
    birth: str
    language: str
    panel: str
    after: timedelta


@dataclass(frozen=True)
class Colleague:
    """A made-up member of the care team."""

    name: str
    email: str
    role: str
    languages: tuple[str, ...]
    panels: tuple[str, ...]
    number: str
    credential: str = ""


DAY, SOON = timedelta(days=1), timedelta(seconds=8)
TEAM = (
    Colleague(
        "Rosa Delgado", "rosa@alder.example", "care_manager", ("en", "es"), ("Dr Lindqvist",), "+13035550111", "LCSW"
    ),
    Colleague("Ben Carter", "ben@alder.example", "care_manager", ("en",), ("Dr Okafor",), "+13035550112", "RN"),
    Colleague("Ines Moreau", "ines@alder.example", "clinic_admin", ("en",), (), "+13035550113"),
    Colleague("Sam Fields", "sam@alder.example", "front_desk", ("en",), (), "+13035550114"),
)
YES = Visitor("1001", "Marcus", "Whitfield", "+12015550121", "1984-03-12", "en", "Dr Okafor", DAY)
CHANGE = Visitor("1002", "Amina", "Sesay", "+12015550122", "1991-07-30", "en", "Dr Okafor", DAY)
SPANISH = Visitor("1003", "Lucía", "Benavides", "+12015550123", "1969-11-02", "es", "Dr Lindqvist", DAY)
STOP = Visitor("1004", "Devon", "Kline", "+12015550124", "1999-01-19", "en", "Dr Okafor", DAY)
CRISIS = Visitor("1005", "Joy", "Abara", "+12015550125", "1978-05-05", "en", "Dr Okafor", DAY)
FORM = Visitor("1006", "Teresa", "Quintana", "+12015550126", "1985-09-23", "en", "Dr Lindqvist", DAY)
HERE = Visitor("1007", "Walter", "Novak", "+12015550127", "1952-12-08", "en", "Dr Lindqvist", timedelta(hours=2))
FAR = Visitor("1008", "Priya", "Raman", "+12015550128", "1988-02-14", "en", "Dr Okafor", timedelta(days=3, hours=4))
LANDLINE = Visitor("1009", "Harold", "Beck", "+12015550196", "1947-06-01", "en", "Dr Okafor", DAY)
PATIENTS = (YES, CHANGE, SPANISH, STOP, CRISIS, FORM, HERE, FAR, LANDLINE)


def visit_id(patient: Visitor) -> str:
    """Return the clinic's own number of the patient's visit."""
    return f"V{PATIENTS.index(patient) + 1}"


def clock_shift(real: datetime) -> timedelta:
    """Return how far ahead of the real time the clock must be, for the nearest Tuesday morning in New York."""
    local = real.astimezone(ZoneInfo(ZONE))
    days = (TUESDAY - local.weekday() + 3) % 7 - 3
    begins = datetime.combine(local.date() + timedelta(days=days), OPENS, ZoneInfo(ZONE))
    return timedelta(seconds=round((begins.astimezone(UTC) - real).total_seconds()))


def write(folder: Path, now: datetime) -> tuple[Path, Path]:
    """Write the clinic's two CSV files, as its own system would export them; return their paths."""
    people, visits = folder / "patients.csv", folder / "appointments.csv"
    write_patients(people, PATIENTS)
    local = now.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None)
    with visits.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("visit", "patient", "starts_at", "zone", "booked_at", "place", "clinician"))
        for patient in PATIENTS:
            # By the clock on the wall, so that "24 hours before" is now even in the week the clocks change.
            starts = (local + patient.after + SOON).isoformat(timespec="seconds")
            booked = (now - timedelta(days=10)).isoformat(timespec="seconds")
            rows.writerow((visit_id(patient), patient.record, starts, ZONE, booked, "Suite 2", patient.panel))
    return people, visits


def write_patients(file: Path, patients: Iterable[Visitor]) -> None:
    """Write the patients as a CSV file."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        rows = csv.writer(opened)
        rows.writerow(("record", "first_name", "last_name", "phone", "birth_date", "language", "panel", "consent"))
        for patient in patients:
            person = (patient.record, patient.first, patient.last, patient.number, patient.birth)
            rows.writerow((*person, patient.language, patient.panel, "yes"))


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let it be `moment` in this process for the length of the block."""
    before = clock.shifted()
    clock.shift(before + (moment - clock.now()))
    try:
        yield
    finally:
        clock.shift(before)
