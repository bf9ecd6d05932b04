"""When a patient and somebody of the care team last spoke: entries, calls that reached them, handoffs that met.

Texts, reminders and calls that nobody answered are no contact.
"""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CompoundSelect, func, select, union_all
from sqlalchemy.orm import Session

from caseload.models import CareEntry, Episode
from config.db.sets import among
from messaging.inbox.models import Contact
from messaging.models import Clinic
from reminders.models import Handoff


def last(session: Session, clinic: Clinic, patient_ids: Collection[UUID]) -> dict[UUID, date]:
    """Return by patient the day of the last live contact, in the clinic's zone."""
    every = _every(session, patient_ids).subquery()
    rows = session.execute(select(every.c.patient_id, func.max(every.c.at)).group_by(every.c.patient_id))
    zone = ZoneInfo(clinic.zone)
    return {patient_id: at.astimezone(zone).date() for patient_id, at in rows}


def count_since(session: Session, since: datetime, patient_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return by patient how many live contacts there have been since a moment."""
    every = _every(session, patient_ids).subquery()
    rows = select(every.c.patient_id, func.count()).where(every.c.at >= since).group_by(every.c.patient_id)
    return dict(session.execute(rows).all())


def _every(session: Session, patient_ids: Collection[UUID]) -> CompoundSelect[tuple[UUID, datetime]]:
    entries = (
        select(Episode.patient_id, CareEntry.starts_at.label("at"))
        .join(Episode, Episode.id == CareEntry.episode_id)
        .where(
            CareEntry.live,
            CareEntry.struck_at.is_(None),
            CareEntry.source.is_(None),  # what a call was proposed by is that call
            among(session, Episode.patient_id, patient_ids),
        )
    )
    calls = select(Contact.patient_id, Contact.at).where(
        Contact.kind == "call",
        Contact.outcome == "reached",
        Contact.struck_at.is_(None),
        among(session, Contact.patient_id, patient_ids),
    )
    met = select(Handoff.patient_id, Handoff.met_at).where(
        Handoff.met_at.is_not(None), among(session, Handoff.patient_id, patient_ids)
    )
    return union_all(entries, calls, met)
