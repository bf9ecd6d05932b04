"""Handoffs that moved while the clock stood ahead: once it is set right, what follows is counted from now."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.models import Clinic
from reminders.handoff import decision, standing
from reminders.models import Handoff

# Clocks of several hosts differ by less.
DIFFERENCE = timedelta(seconds=5)
BATCH = 200


def drain() -> int:
    """Bring back the handoffs that have come into their state later than now; return how many."""
    with db.unit_of_work(db.EVERY) as session:
        now = clock.now()
        ahead = select(Handoff).where(_ahead(now)).limit(BATCH).with_for_update(skip_locked=True)
        handoffs = session.scalars(ahead).all()
        for handoff in handoffs:
            _bring_back(handoff, now)
            clinic = session.get_one(Clinic, handoff.clinic_id)
            standing.plan(session, handoff, decision.of_clinic(session, clinic))
        return len(handoffs)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return `now` where a handoff is to be brought back, None where none is."""
    return now if session.scalar(select(Handoff.id).where(_ahead(now)).limit(1)) is not None else None


def _ahead(now: datetime) -> ColumnElement[bool]:
    return Handoff.follows.is_not(None) & (Handoff.state_at > now + DIFFERENCE)


def _bring_back(handoff: Handoff, now: datetime) -> None:
    """Move what was dated together with its state by as much as that."""
    ahead = (handoff.state_at or now) - now
    handoff.state_at = now
    if handoff.start_at is not None and handoff.start_at >= now + ahead:
        handoff.start_at -= ahead
    if handoff.requested_at > now:
        handoff.requested_at = now
        handoff.leaves_at = handoff.leaves_at - ahead if handoff.leaves_at else None
