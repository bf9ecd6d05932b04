"""What the audit says, looked up: by who, about which patient, of which kind, between which days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from config import audit
from config.audit import AuditEntry
from config.db.sets import among
from messaging.models import Clinic, Conversation, Patient
from reminders import merging
from web import ids

# Each kind on the page with what its acts look like (SQL LIKE).
KINDS: Mapping[str, tuple[str, ...]] = {
    "read": ("%.opened", "%.refreshed", "%.read", "%.raw_read", "%.listed", "%.searched", "%.found"),
    "exported": ("%.exported", "consent.proof", "care.evidence", "care.month_opened"),
    "emergency": ("emergency.%",),
    "account": ("staff.%", "access.%", "factor.%", "api_key.%"),
    "programs": ("api.%",),
    "messages": ("message.%", "conversation.%"),
    "decisions": ("edition.%", "draft.%", "clinic%", "import.%"),
}


@dataclass(frozen=True)
class Wanted:
    """What is looked for; whatever is None or empty narrows nothing. Days are the clinic's."""

    staff_id: UUID | None = None
    patient_id: UUID | None = None
    kind: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def of_query(cls, query: Mapping[str, str]) -> "Wanted":
        """Read an address; what cannot be read narrows nothing."""
        kind = query.get("kind", "")
        return cls(
            ids.uuid_of(query.get("who")),
            ids.uuid_of(query.get("patient")),
            kind if kind in KINDS else "",
            _day(query.get("since", "")),
            _day(query.get("until", "")),
        )

    def args(self) -> dict[str, str]:
        """Return the address of the same search."""
        said = {
            "who": self.staff_id,
            "patient": self.patient_id,
            "kind": self.kind,
            "since": self.since,
            "until": self.until,
        }
        return {name: str(value) for name, value in said.items() if value}


def entries(
    session: Session, clinic: Clinic, wanted: Wanted, *, limit: int, before: UUID | None = None
) -> list[AuditEntry]:
    """Return the newest lines that are wanted, before the line `before` if one is given; ids grow with time."""
    rows = select(AuditEntry).where(AuditEntry.clinic_id == clinic.id, *_where(session, clinic, wanted))
    if before is not None:
        rows = rows.where(AuditEntry.id < before)
    return list(session.scalars(rows.order_by(AuditEntry.id.desc()).limit(limit)))


def about_patient(session: Session, patient: Patient) -> list[str]:
    """Return what lines about a patient may be about: them, and every row that is theirs."""
    rows = [f"patient:{patient.id}"]
    models: list[Any] = [*merging.FOLLOWS.values(), Conversation]
    for model in models:
        theirs = select(model.id).where(model.patient_id == patient.id)
        rows += [f"{model.__tablename__}:{row_id}" for row_id in session.scalars(theirs)]
    gone = select(Patient.id).where(Patient.merged_into == patient.id)
    return rows + [f"patient:{row_id}" for row_id in session.scalars(gone)]


def _where(session: Session, clinic: Clinic, wanted: Wanted) -> list[ColumnElement[bool]]:
    zone = ZoneInfo(clinic.zone)
    found: list[ColumnElement[bool]] = []
    if wanted.staff_id:
        found.append(AuditEntry.actor == audit.Actor.staff(wanted.staff_id))
    if wanted.patient_id:
        patient = session.get(Patient, wanted.patient_id)
        ours = about_patient(session, patient) if patient is not None and patient.clinic_id == clinic.id else []
        found.append(among(session, AuditEntry.about, ours))
    if wanted.kind:
        found.append(or_(*(AuditEntry.act.like(pattern) for pattern in KINDS[wanted.kind])))
    if wanted.since:
        found.append(AuditEntry.at >= datetime.combine(wanted.since, time.min, zone))
    if wanted.until:
        found.append(AuditEntry.at < datetime.combine(wanted.until + timedelta(days=1), time.min, zone))
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
