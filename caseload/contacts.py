"""When a patient and somebody of the care team last spoke: entries, calls, acknowledgements, handoffs.

Texts, reminders and calls that nobody answered are no contact.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CompoundSelect, case, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from caseload.models import CareEntry, Episode
from config import clock, db
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
    rows = db.tuples(session, select(every.c.patient_id, func.max(every.c.at)).group_by(every.c.patient_id))
    zone = ZoneInfo(clinic.zone)
    return {patient_id: at.astimezone(zone).date() for patient_id, at in rows}


class Spoken(NamedTuple):
    """When (UTC) a patient's last live contact was, and on how many days there has been one from a day on."""

    at: datetime
    days: int


def spoken(session: Session, clinic: Clinic, first: date, patient_ids: Collection[UUID]) -> dict[UUID, Spoken]:
    """Return by patient when they last spoke and on how many days from `first` on, in the clinic's zone; who never did
    is left out.

    By days: a call that was logged and then said of an item is one contact. The database counts them, by the moments
    at which the clinic's days begin, which lie 23 to 25 hours apart; it is asked about a month or so.
    """
    zone, today = ZoneInfo(clinic.zone), clock.now().astimezone(ZoneInfo(clinic.zone)).date()
    begins = [datetime.combine(first + timedelta(days=day), time(), zone) for day in range((today - first).days + 1)]
    every = _every(session, patient_ids).subquery()
    day = case(*((every.c.at >= begin, literal(number)) for number, begin in reversed(list(enumerate(begins)))))
    # In two steps, as PostgreSQL sorts everything for a count of what is distinct.
    by_day = select(every.c.patient_id, day.label("day"), func.max(every.c.at).label("at")).group_by(
        "patient_id", "day"
    )
    days = by_day.subquery()
    rows = select(days.c.patient_id, func.max(days.c.at), func.count(days.c.day)).group_by(days.c.patient_id)
    return {patient_id: Spoken(at, counted) for patient_id, at, counted in db.tuples(session, rows)}


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
