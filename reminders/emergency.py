"""Visits to emergency departments as a hospital's feed tells them: kept, never planned around and never texted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import clock
from config.db.sets import among
from messaging.models import Patient
from reminders.models import EmergencyCover, EmergencyVisit

# Own choice: what a care manager sees of a patient's past.
SHOWN = timedelta(days=365)


@dataclass(frozen=True)
class Told:
    """What is told of one visit: by whom under which id, when it began, since when that is so, and whether it is taken
    back."""

    source: str
    external_id: str
    at: datetime
    said_at: datetime
    cancelled: bool = False


def keep(session: Session, patient: Patient, told: Told) -> bool:
    """Keep what is told of a visit, once; False where nothing changes, or something newer is known of it.

    A visit that is taken back before it was told is kept as cancelled, so that its belated beginning changes nothing.
    """
    own = select(EmergencyVisit).where(
        EmergencyVisit.clinic_id == patient.clinic_id,
        EmergencyVisit.source == told.source,
        EmergencyVisit.external_id == told.external_id,
    )
    row, state = session.scalar(own.with_for_update()), "cancelled" if told.cancelled else "kept"
    if row is None:
        facts = {"source": told.source, "external_id": told.external_id, "at": told.at, "said_at": told.said_at}
        session.add(EmergencyVisit(clinic_id=patient.clinic_id, patient_id=patient.id, state=state, **facts))
        session.flush()
        return True
    if told.said_at < row.said_at:
        return False
    at = row.at if told.cancelled else told.at
    changed = (row.patient_id, row.at, row.state) != (patient.id, at, state)
    row.patient_id, row.at, row.state, row.said_at = patient.id, at, state, told.said_at
    return changed


def cover(session: Session, patient: Patient, source: str) -> None:
    """Keep in mind, once, that a feed knows a patient from now on."""
    same = select(EmergencyCover.id).where(EmergencyCover.patient_id == patient.id, EmergencyCover.source == source)
    if session.scalar(same.limit(1)) is None:
        session.add(
            EmergencyCover(clinic_id=patient.clinic_id, patient_id=patient.id, source=source, since=clock.now())
        )


def last(session: Session, patient_ids: Collection[UUID], since: datetime) -> dict[UUID, datetime]:
    """Return by patient when their last visit since a moment began."""
    rows = select(EmergencyVisit.patient_id, func.max(EmergencyVisit.at)).where(
        among(session, EmergencyVisit.patient_id, patient_ids),
        EmergencyVisit.state == "kept",
        EmergencyVisit.at >= since,
        EmergencyVisit.at <= clock.now(),
    )
    return dict(session.execute(rows.group_by(EmergencyVisit.patient_id)).all())


def of_patient(session: Session, patient_id: UUID) -> Sequence[EmergencyVisit]:
    """Return a patient's visits of the last year, the newest first."""
    rows = select(EmergencyVisit).where(
        EmergencyVisit.patient_id == patient_id,
        EmergencyVisit.state == "kept",
        EmergencyVisit.at >= clock.now() - SHOWN,
    )
    return session.scalars(rows.order_by(EmergencyVisit.at.desc())).all()
