"""When a patient and somebody of the care team last spoke: entries, calls, acknowledgements, handoffs.

Texts, reminders and calls that nobody answered are no contact.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CompoundSelect, func, or_, select, union_all
from sqlalchemy.orm import Session

from caseload.models import CareEntry, Episode
from config.db.sets import among
from messaging.inbox import dispositions
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic
from reminders.models import Handoff

# What was taken over from a logged call is that call, which stands here by itself.
OWN_WORK = or_(CareEntry.source.is_(None), CareEntry.source.startswith("timer:"))


def last(session: Session, clinic: Clinic, patient_ids: Collection[UUID]) -> dict[UUID, date]:
    """Return by patient the day of the last live contact, in the clinic's zone."""
    every = _every(session, patient_ids).subquery()
    rows = session.execute(select(every.c.patient_id, func.max(every.c.at)).group_by(every.c.patient_id))
    zone = ZoneInfo(clinic.zone)
    return {patient_id: at.astimezone(zone).date() for patient_id, at in rows}


def count_since(session: Session, clinic: Clinic, since: datetime, patient_ids: Collection[UUID]) -> Counter[UUID]:
    """Return by patient on how many days there has been a live contact since a moment, in the clinic's zone.

    By days: a call that was logged and then said of an item is one contact.
    """
    every, zone = _every(session, patient_ids).subquery(), ZoneInfo(clinic.zone)
    rows = session.execute(select(every.c.patient_id, every.c.at).where(every.c.at >= since))
    return Counter(
        patient_id for patient_id, _ in {(patient_id, at.astimezone(zone).date()) for patient_id, at in rows}
    )


def moments(session: Session, patient_ids: Collection[UUID]) -> dict[UUID, list[datetime]]:
    """Return by patient when there has been a live contact, in no order; one may stand there twice."""
    every, found = _every(session, patient_ids).subquery(), defaultdict[UUID, list[datetime]](list)
    for patient_id, at in session.execute(select(every.c.patient_id, every.c.at)):
        found[patient_id].append(at)
    return found


def _every(session: Session, patient_ids: Collection[UUID]) -> CompoundSelect[tuple[UUID, datetime]]:
    entries = (
        select(Episode.patient_id, CareEntry.starts_at.label("at"))
        .join(Episode, Episode.id == CareEntry.episode_id)
        .where(
            CareEntry.live,
            CareEntry.struck_at.is_(None),
            OWN_WORK,
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
    # Whoever said of an item how they reached them has spoken with them, with a logged call or without.
    reached = select(InboxItem.patient_id, InboxItem.acknowledged_at).where(
        InboxItem.acknowledged_at.is_not(None),
        InboxItem.disposition.in_(dispositions.GROUPS["reached"]),
        among(session, InboxItem.patient_id, patient_ids),
    )
    return union_all(entries, calls, met, reached)
