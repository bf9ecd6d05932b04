"""`warmthread patients import` and `appointments import`: files as clinics have them, and what is said of them."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from sqlalchemy import select

from config import db
from messaging.models import Clinic, Message, Patient
from messaging.wording import text_templates
from reminders.models import Appointment
from reminders.sending import dispatch
from service.cli import opening, visits

# A Tuesday in March, 9:00 in Denver.
NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)
HEADER = "record,first_name,last_name,phone,birth_date,language\n"


class Command:
    """Runs the two commands on what a file holds; `said` is what stood on stderr, `errors` what stands beside it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __call__(self, group: Any, text: str, *options: str, exit_code: int = 0) -> dict[str, Any]:
        self.file.write_text(text, encoding="utf-8")
        answer = CliRunner().invoke(group, ["import", str(self.file), "--json", *options])
        assert answer.exit_code == exit_code, answer.output
        # A log in JSON may go the same way, where another test of this process switched it on.
        self.said = "".join(line for line in answer.stderr.splitlines(True) if not line.startswith("{"))
        if not answer.stdout:
            return {}
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
        return {patient.record or "": fact(patient) for patient in session.scalars(select(Patient))}


def test_a_language_is_read_as_people_write_it(command: Command, clinic: Clinic) -> None:
    written = ["spa", "Spanish", "SPA", "English", "Español", "es-MX", "Inglés", "eng", "", "Castilian"]
    rows = [f"L{n},Ana,Diaz,+1201555{130 + n:04},,{language}\n" for n, language in enumerate(written)]
    assert command(visits.patients, HEADER + "".join(rows))["created"] == len(written)
    languages = of_patients(clinic, lambda patient: patient.language)
    assert [languages[f"L{n}"] for n in range(len(written))] == [
        "es", "es", "es", "en", "es", "es-mx", "en", "en", "en", "es",
    ]  # fmt: skip
    assert "no texts" not in command.said


def test_a_language_without_texts_is_said_once(command: Command, clinic: Clinic) -> None:
    written = ["vie", "Vietnamese", "Tiếng Việt", "Kreyòl", "es"]
    rows = [f"L{n},Ana,Diaz,+1201555{130 + n:04},,{language}\n" for n, language in enumerate(written)]
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
    rows = [f"Z{n},Ana,Diaz,+1201555{130 + n:04},{zone}\n" for n, zone in enumerate(written)]
    text = "record,first_name,last_name,phone,zone\n" + "".join(rows)
    assert command(visits.patients, text, exit_code=3)["failed"] == len(written)
    for error in command.errors():
        assert written[error["zone"]] in error["reason"]


VISITS = "visit,patient,starts_at,zone,booked_at,place,state\n"
STATES = {
    "Confirmed": "booked", "Scheduled": "booked", "Checked In": "arrived", "Completed": "arrived", "": "booked",
    "Checked-Out": "arrived", "No Show": "no_show", "Canceled by Patient": "cancelled", "Did not attend": "no_show",
    "No asistió": "no_show", "Confirmada": "booked", "Fulfilled": "arrived", "In Progress": "arrived",
}  # fmt: skip
MOMENTS = [
    "2027-03-10T09:00", "3/10/2027 9:00 AM", "2027-03-10T9:00", "3/10/27 9:00", "03/10/2027 0900",
    "10-MAR-2027 9:00 am", "2027-03-10T08:00:00-0800", "3/10/2027, 9:00:00\u202fAM",
]  # fmt: skip


def test_a_visit_stands_as_the_books_say_in_their_own_words(command: Command, clinic: Clinic) -> None:
    command(visits.patients, HEADER + "M1,Ana,Diaz,+12015550131,,en\n")
    # Of days that are over: before its day nobody has come to a visit, or missed it.
    rows = [f"W{n},M1,2026-03-{n + 1:02}T09:00,America/Denver,,,{state}\n" for n, state in enumerate(STATES)]
    assert command(visits.appointments, VISITS + "".join(rows))["created"] == len(STATES)
    with db.unit_of_work(clinic.id) as session:
        states = {appointment.external_id: appointment.state for appointment in session.scalars(select(Appointment))}
    assert [states[f"W{n}"] for n in range(len(STATES))] == list(STATES.values())


def test_what_may_be_an_old_hour_or_a_new_one_is_not_guessed(command: Command) -> None:
    command(visits.patients, HEADER + "M1,Ana,Diaz,+12015550131,,en\n")
    rows = [f"W{n},M1,2027-03-10T09:00,,,,{state}\n" for n, state in enumerate(("Rescheduled", "Waitlist", "??x"))]
    assert command(visits.appointments, VISITS + "".join(rows), exit_code=3)["failed"] == 3
    assert {row["reason"] for row in command.errors()} == {"state: expected booked, cancelled, arrived or no_show"}


def test_a_moment_is_read_as_people_write_it(command: Command, clinic: Clinic) -> None:
    command(visits.patients, HEADER + "M1,Ana,Diaz,+12015550131,,en\n")
    rows = [f'W{n},M1,"{moment}",America/Denver,2/1/2027,,\n' for n, moment in enumerate(MOMENTS)]
    assert command(visits.appointments, VISITS + "".join(rows))["created"] == len(MOMENTS)
    with db.unit_of_work(clinic.id) as session:
        appointments = session.scalars(select(Appointment)).all()
        assert {appointment.starts_at.isoformat() for appointment in appointments} == {"2027-03-10T16:00:00+00:00"}
        assert {appointment.booked_at.isoformat() for appointment in appointments} == {"2027-02-01T07:00:00+00:00"}


def test_a_birth_date_is_read_with_a_short_year_and_with_an_hour(command: Command, clinic: Clinic) -> None:
    written = {
        "1/2/60": "1960-01-02", "1960-02-01 00:00:00": "1960-02-01", "2/1/1960 12:00:00 AM": "1960-02-01",
        "1960-02-01T00:00:00.000Z": "1960-02-01", "01-Feb-60": "1960-02-01", "2/1/05": "2005-02-01",
    }  # fmt: skip
    rows = [f"B{n},Ana,Diaz,+1201555{130 + n:04},{birth_date},en\n" for n, birth_date in enumerate(written)]
    assert command(visits.patients, HEADER + "".join(rows))["created"] == len(written)
    birth_dates = of_patients(clinic, lambda patient: patient.birth_date)
    assert [birth_dates[f"B{n}"] for n in range(len(written))] == list(written.values())


@pytest.mark.parametrize("name", ["D’Angelo", "Kaʻiulani", "O＇Neil", "Jose\u0301"])
def test_the_apostrophe_of_a_name_does_not_double_the_price(command: Command, clinic: Clinic, name: str) -> None:
    with time_machine.travel(NOW, tick=False):
        command(visits.patients, HEADER + f"M1,{name},Ode,+12015550150,1980-01-02,en\n")
        command(
            visits.appointments,
            VISITS + "V1,M1,2026-03-10T09:00,America/Denver,2026-02-01T00:00,Dr\u00a0Lee’s–Suite,\n",
        )
    with db.unit_of_work(clinic.id) as session:
        session.get_one(Clinic, clinic.id).name = "St. Mary’s"
        session.scalars(select(Patient)).one().privacy = "details"
    with time_machine.travel(NOW + timedelta(days=6), tick=False):
        dispatch.drain()
    with db.unit_of_work(clinic.id) as session:
        bodies = [message.body or "" for message in session.scalars(select(Message))]
    assert bodies
    assert {text_templates.segments(body).encoding for body in bodies} == {"GSM-7"}
    assert all("St. Mary's" in body for body in bodies)


FOREIGN = """MRN,"Pt Name (Last, First)",Pref. Lang,Text OK?,Cell Ph.
M1,"O'Brien, Siobhan",**ENG,Ask first,(201) 555-0131
"""
WEEK = """Appt ID,MRN,Appt Date,Appt Time,Status
{rows}"""


def test_a_foreign_file_is_read_by_what_it_says_and_by_what_is_said_of_it(command: Command, clinic: Clinic) -> None:
    row = command(visits.patients, FOREIGN, exit_code=3)
    assert (row["created"], row["failed"]) == (0, 1)
    assert command.errors()[0]["reason"] == "consent: expected yes or no"
    assert command(visits.patients, FOREIGN, "--value", "consent:Ask first=no")["created"] == 1
    assert of_patients(clinic, lambda patient: (patient.first_name, patient.last_name)) == {
        "M1": ("Siobhan", "O'Brien")
    }


@time_machine.travel(NOW, tick=False)
def test_a_complete_file_of_visits_cancels_what_it_lacks_once_its_number_is_said(
    command: Command, clinic: Clinic
) -> None:
    command(visits.patients, FOREIGN, "--value", "consent:Ask first=yes")
    rows = [f"V{n},M1,10/3/2026,{n + 8}:00,Scheduled\n" for n in range(3)]
    assert command(visits.appointments, WEEK.format(rows="".join(rows)), "--day-first")["created"] == 3
    less = WEEK.format(rows=rows[0])
    complete = ("--day-first", "--complete", "clinic")
    command(visits.appointments, less, *complete, exit_code=1)
    assert "2 of 3 visits to come would be cancelled, more than 20 %: nothing was done" in command.said
    row = command(visits.appointments, less, *complete, "--vanish", "2", "--dry-run")
    assert (row["cancelled"], row["unchanged"]) == (2, 1)
    assert command(visits.appointments, less, *complete, "--vanish", "2")["cancelled"] == 2
    with db.unit_of_work(clinic.id) as session:
        states = {visit.external_id: visit.state for visit in session.scalars(select(Appointment))}
    assert states == {"V0": "booked", "V1": "cancelled", "V2": "cancelled"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--column", "nonsense=MRN"), "no field nonsense"),
        (("--column", "record=Chart"), "the file has no column Chart"),
        (("--column", "record"), "expected an equals sign"),
        (("--value", "consent=no"), "expected FIELD:WORD=VALUE"),
        (("--complete", "clinic"), "--complete is for files of appointments"),
    ],
)
def test_what_cannot_be_meant_is_said_in_words(command: Command, options: tuple[str, ...], said: str) -> None:
    code = 1 if "Chart" in said else 2
    command(visits.patients, FOREIGN, *options, exit_code=code)
    assert said in command.said
