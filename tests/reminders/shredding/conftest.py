"""A patient about whom every table that can says something: a new table is destroyed with them, or a test fails."""

import os
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Column, Table, select
from sqlalchemy.orm import Session

from config import clock, db, keys
from messaging.models import Clinic, Patient
from messaging.people import directory
from reminders import appointments
from reminders.shredding import belonging

SECRET = "I drink every night"
NUMBER = "+13035550177"
MADE_UP: dict[type, Any] = {str: "x", int: 1, bool: False, float: 0.5, date: date(2026, 3, 3)}


@dataclass
class Record:
    """A patient, their key as it was, and verbs that a test would repeat."""

    clinic: Clinic
    patient: Patient
    key: bytes = b""
    rows: dict[str, UUID] = field(default_factory=dict)

    def opened(self) -> dict[str, bytes]:
        """Every sealed value in the database that still opens, by its place."""
        found: dict[str, bytes] = {}
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            for table in belonging.tables().values():
                for column in db.sealed_columns(table):
                    for row in session.execute(select(table)).all():
                        value = getattr(row, column)
                        if value and row.key_id:
                            whose = (row.id, row.clinic_id, row.key_id)
                            plain = db.opened_for(session, table, column, whose, value)
                            found[f"{table.name}.{column}:{row.id}"] = plain
        return found

    def stored(self) -> bytes:
        """Every value of every table, one after the other."""
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return b"\n".join(
                value if isinstance(value, bytes) else str(value).encode()
                for table in belonging.tables().values()
                for row in session.execute(select(table)).all()
                for value in row
            )


def fill(session: Session, clinic: Clinic, patient: Patient, staff_id: UUID) -> dict[str, UUID]:
    """Give the patient a row in every table that can refer to one; each sealed column says SECRET."""
    made = {"patient": patient.id, "staff": staff_id, "clinic": clinic.id}
    reached = set(belonging.of_patients(session, [patient.id], [patient.key_id]))
    for name, table in belonging.tables().items():
        if name in made or name in ("patient_number", "patient_name"):
            continue
        parents = {key.column.table.name for key in table.foreign_keys}
        copied = name in {copy["table"] for copy in belonging.facts()["copies"]} | {
            "feed",
            "import_run",
            "api_key",
            "social_wording",
        }
        if parents & reached or name == "care_month" or copied:
            made[name] = db.new_id()
            session.execute(table.insert().values(_row(session, table, made, clinic, patient)))
            reached.add(name)
    return made


def _row(session: Session, table: Table, made: dict[str, UUID], clinic: Clinic, patient: Patient) -> dict[str, Any]:
    # What is kept word for word stands under the clinic's key, as does whatever no patient was known for.
    key_id = patient.key_id if "patient_id" in table.c and table.name != "conversation" else clinic.key_id
    values: dict[str, Any] = {"id": made[table.name], "clinic_id": clinic.id}
    if "key_id" in table.c:
        values["key_id"] = key_id
    for column in table.c:
        parent = next((key.column.table.name for key in column.foreign_keys), None)
        if column.name in values or column.computed is not None:
            continue
        if parent is not None:
            values[column.name] = None if parent == table.name else made.get(parent)
        elif column.name.endswith("_ct"):
            whose = (made[table.name], clinic.id, key_id)
            said = "another secret" if table.name in belonging.facts()["not_of_patients"] else _words(patient)
            values[column.name] = db.closed_for(session, table, column.name, whose, said.encode())
        elif not column.nullable:
            values[column.name] = _made_up(column)
    return values | _over(table.name)


def _words(patient: Patient) -> str:
    return f"{patient.first_name} {patient.last_name} {patient.record}: {SECRET}"


def _made_up(column: Column[Any]) -> Any:
    if isinstance(column.type, JSON):
        return {}
    if isinstance(column.type, db.Moment):
        return clock.now()
    kind = column.type.python_type
    return {UUID: db.new_id, bytes: lambda: os.urandom(16)}.get(kind, lambda: MADE_UP[kind])()


def _over(name: str) -> dict[str, Any]:
    """What has come to its end, so that nothing refuses."""
    ended = {
        "message": {"state": "delivered", "direction": "out", "provider_sid": "SM1"},
        "inbox_item": {"state": "done"},
        "handoff": {"state": "met"},
        "care_episode": {"phase": "discharged"},
        "import_run": {"state": "done"},
        "feed_message": {"state": "done"},
        "receipt": {"state": "processed", "event": "SM1"},
        "media": {"state": "kept"},
        "appointment": {"state": "arrived"},
    }
    return ended.get(name, {})


@pytest.fixture
def record(clinic: Clinic, new_staff: Any) -> Record:
    """A patient of whom everything has been said, with nothing that waits."""
    staff = new_staff()
    with db.unit_of_work(clinic.id) as session:
        at = session.get_one(Clinic, clinic.id)
        whom = directory.PatientRecord("MRN-4471", "Teresita", "Quintanilla", NUMBER, birth_date=date(1985, 3, 2))
        patient = directory.save_patient(session, at, whom)[0]
        session.flush()
        made = fill(session, at, patient, staff.id)
        visit = appointments.VisitRecord("V9", "", clock.now() + timedelta(days=9), "America/Denver", clock.now())
        appointments.save(session, at, patient, visit)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        row = session.get_one(db.DataKey, patient.key_id)
        above = session.get_one(db.DataKey, clinic.key_id)
        outer = keys.ring().unwrap(above.master_id or "", above.wrapped, "data_key", str(above.id), str(clinic.id))
        key = keys.unseal(outer, row.wrapped, "data_key", str(row.id), str(clinic.id))
    return Record(clinic, patient, key, made)
