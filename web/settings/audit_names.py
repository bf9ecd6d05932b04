"""Whom the lines of the audit log are about, by name: colleagues, and patients as far as the reader may know them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from config.audit import AuditEntry
from config.db.sets import among
from messaging.models import Patient, Staff
from web import ids, layout, words
from web.presenters import patient_view, short_names


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

    def detail(self, value: Any) -> str:
        """Return a value of a line's detail with each id of a person replaced by the person."""
        if isinstance(value, list):
            return ", ".join(self.detail(each) for each in value)
        kind, colon, row_id = str(value).rpartition(":")
        named = self._of_person(ids.uuid_of(row_id))
        if named:
            return named
        return self.of(kind, row_id) if colon and ids.uuid_of(row_id) else str(value)

    def _of_person(self, row_id: UUID | None) -> str:
        if row_id is None:
            return ""
        colleague = self.staff.get(row_id)
        return colleague.name if colleague is not None else self.patients.get(row_id, "")


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
