"""Whom the lines of the audit log are about, by name: colleagues, and patients as far as the reader may know them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from config.audit import AuditEntry
from config.db.sets import among
from messaging.inbox import items
from messaging.models import Patient, Staff
from web import ids, layout, times, words
from web.presenters import patient_view, short_names

# Whose values the pages have words for, by name and the table of those words.
TABLES = {
    "role": "roles",
    "language": "languages",
    "privacy": "privacy",
    "consent": "care_consents",
    "payer": "care_payers",
    "view": "views",
}
# A key of ours: a name, a number and somebody's words are none.
KEY = re.compile(r"[a-z]+(_[a-z0-9]+)+")


@dataclass(frozen=True)
class Names:
    """What colleagues and patients are called, by their ids."""

    staff: Mapping[UUID | None, Staff]
    patients: Mapping[UUID, str]

    def of(self, kind: str, row_id: str) -> str:
        """Return what a row is called; "item 1f2e3d4c" where it is neither a person, the clinic, nor known."""
        if kind == "clinic":
            return words.say("audit", "clinic")
        named = self._of_person(ids.uuid_of(row_id))
        return named or f"{kind.replace('_', ' ')} {row_id[-8:]}".strip()

    def details(self, detail: Mapping[str, Any], zone: str) -> str:
        """Return a line's detail: each name and value as the pages would say them. Emergency access has its mark."""
        called = words.table_of("audit_facts")
        return ", ".join(
            f"{called.get(name) or name.replace('_', ' ')}: {self._value(name, value, zone)}"
            for name, value in sorted(detail.items())
            if value is not None and name != "emergency"
        )

    def _value(self, name: str, value: Any, zone: str) -> str:
        """Persons by name, moments by the clinic's clock, and keys as the pages call them; what no page has a word for
        stays as it is, and the CSV has all of it as it is kept."""
        if isinstance(value, list):
            return ", ".join(self._value(name, each, zone) for each in value)
        if isinstance(value, bool):
            return words.say("audit_values", "yes" if value else "no")
        kind, _, row_id = str(value).rpartition(":")
        if ids.uuid_of(row_id):
            return self._of_person(ids.uuid_of(row_id)) or self.of(kind or name, row_id)
        return _moment(str(value), zone) or _called_on_pages(name, str(value))

    def _of_person(self, row_id: UUID | None) -> str:
        if row_id is None:
            return ""
        colleague = self.staff.get(row_id)
        return colleague.name if colleague is not None else self.patients.get(row_id, "")


def _moment(value: str, zone: str) -> str:
    """A day or a moment as the clinic reads it, "" for anything else."""
    try:
        if len(value) == len("2027-03-14"):
            return times.date_of(date.fromisoformat(value))
        at = datetime.fromisoformat(value) if value[10:11] == "T" else None
    except ValueError:
        return ""
    return times.exact(at, zone) if at is not None and at.tzinfo is not None else ""


def _called_on_pages(name: str, value: str) -> str:
    """What pages call a value of this name: "Reached by phone" of reached_by_phone."""
    known = items.dispositions() if name == "disposition" else words.table_of(TABLES[name]) if name in TABLES else {}
    return known.get(value) or (value.replace("_", " ") if KEY.fullmatch(value) else value)


def of_lines(session: Session, rows: Sequence[AuditEntry], staff: Mapping[UUID | None, Staff]) -> Names:
    """Return the names of everybody whom these lines name, every patient read with one query."""
    wanted = {row_id for row in rows for row_id in _ids(row)} - staff.keys()
    patients = session.scalars(select(Patient).where(among(session, Patient.id, wanted))).all() if wanted else []
    db.load_keys(session, (patient.key_id for patient in patients))
    return Names(staff, {patient.id: _called(patient) for patient in patients})


def _ids(row: AuditEntry) -> Iterable[UUID]:
    values = [each for value in row.detail.values() for each in (value if isinstance(value, list) else [value])]
    for value in (row.about, *values):
        row_id = ids.uuid_of(str(value).rpartition(":")[2])
        if row_id is not None:
            yield row_id


def _called(patient: Patient) -> str:
    """A patient's name, or initials for who may not know it; with the record number, by which the log is searched."""
    called = patient_view.full_name(patient) if layout.may("patients.names") else short_names.initials(patient)
    return words.say("audit", "patient", called=called, record=patient.record) if patient.record else called
