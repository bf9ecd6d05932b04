"""Patients as the clinic's own system has them, by its record number."""

from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import selectinload

from api import books, pages
from api.operations import Answer, Call, Operation
from api.pages import Page
from api.problems import Problem
from api.shapes import Line, Listing, Moment, Shape, opened
from messaging.models import Patient, PatientNumber
from messaging.people import directory
from reminders.imports import csv_import, records

Level = Literal["generic", "place", "details"]
State = Literal["active", "inactive", "deceased"]


class PatientIn(Shape):
    """A whole record: what is left out is empty. `consent` says whether the clinic may text this number.

    What patients have chosen for themselves outlives it, as a STOP does.
    """

    record: Line = Field(min_length=1, max_length=80)
    first_name: Line | None = Field(None, max_length=120)
    last_name: Line | None = Field(None, max_length=120)
    phone: Line | None = Field(None, max_length=120)
    birth_date: Line | None = Field(None, max_length=10, examples=["1980-02-29"])
    language: Line | None = Field(None, max_length=80, examples=["en", "es"])
    zone: Line | None = Field(None, max_length=60)
    panel: Line | None = Field(None, max_length=120)
    sex: Literal["female", "male"] | None = None
    privacy: Level | None = None
    state: State | None = None
    consent: bool = True
    address: Line | None = Field(None, max_length=400)
    emergency_name: Line | None = Field(None, max_length=400)
    emergency_relation: Line | None = Field(None, max_length=400)
    emergency_phone: Line | None = Field(None, max_length=400)


class Number(Shape):
    """A telephone number: only unknown and mobile are texted, the last of them."""

    number: str | None
    line: Literal["unknown", "mobile", "landline", "dead", "wrong_person"]


class Person(Shape):
    """A patient. `merged_into` is whose second record this was found to be; then it holds nothing any more."""

    id: UUID
    record: str | None
    first_name: str | None
    last_name: str | None
    birth_date: str | None
    language: str
    zone: str | None
    panel: str | None
    sex: str | None
    privacy: Level
    state: State
    address: str | None
    emergency_name: str | None
    emergency_relation: str | None
    emergency_phone: str | None
    numbers: list[Number]
    merged_into: UUID | None
    created_at: Moment


class SavedPerson(Person):
    """A patient who was saved; `left_out` says what of the record could not be used."""

    left_out: str | None


class ByRecord(Shape):
    """A record number, which stands in no address."""

    record: Line = Field(min_length=1, max_length=80)


SEALED = ("record", "first_name", "last_name", "birth_date", "address")
SEALED_TOO = ("emergency_name", "emergency_relation", "emergency_phone")
PLAIN = ("id", "language", "zone", "panel", "sex", "privacy", "state", "merged_into", "created_at")


def _facts(patient: Patient) -> dict[str, object]:
    facts = {name: opened(patient, name) for name in (*SEALED, *SEALED_TOO)}
    facts |= {name: getattr(patient, name) for name in PLAIN}
    return facts | {"numbers": [_number(row) for row in patient.numbers]}


def _number(row: PatientNumber) -> Number:
    return Number.model_validate({"number": opened(row, "number"), "line": row.line})


def _shown(patient: Patient) -> Person:
    return Person.model_validate(_facts(patient))


def _list(call: Call, query: Listing) -> Page[Person]:
    """List the patients."""
    return pages.page(call, "patients", Patient, query, _shown, beside=[selectinload(Patient.numbers)])


def _get(call: Call, id: UUID) -> Person:
    """Read one patient."""
    return _shown(pages.row(call, Patient, id))


def _save(call: Call, body: PatientIn) -> Answer:
    """Create a patient, or bring the record up to date, by the clinic's record number."""
    record = books.read(records.patient, call.clinic, body, {})
    became = csv_import.store_patients(call.session, call.clinic, [record], call.actor)[0]
    if isinstance(became, csv_import.Refused):  # as no import does with a patient that can be read
        raise Problem("invalid")
    call.session.flush()
    saved = _of_record(call, record.record)
    call.session.refresh(saved, ["numbers"])
    shown = SavedPerson.model_validate(_facts(saved) | {"left_out": became.note})
    return Answer(201 if became.change == "created" else 200, shown)


def _search(call: Call, body: ByRecord) -> Person:
    """Find the patient of a record number; of a merged record the one that stays."""
    return _shown(_of_record(call, body.record))


def _of_record(call: Call, record: str) -> Patient:
    patient = directory.find_by_record(call.session, call.clinic, record)
    if patient is None:
        raise Problem("not_found")
    return patient


OPERATIONS = (
    Operation(
        "patients.list", "GET", "/patients", _list, "patients.read", "patient", {200: Page[Person]}, query=Listing
    ),
    Operation(
        "patients.save", "POST", "/patients", _save, "patients.write", "patient",
        {201: SavedPerson, 200: SavedPerson}, body=PatientIn,
    ),
    Operation(
        "patients.search", "POST", "/patients/search", _search, "patients.read", "patient",
        {200: Person}, body=ByRecord, refuses=("not_found",),
    ),
    Operation("patients.get", "GET", "/patients/{id}", _get, "patients.read", "patient", {200: Person}),
)  # fmt: skip
