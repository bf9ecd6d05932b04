"""Who is on it: a colleague who is calling, or on their way, holds the escalation for a while, and settles nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import item_state, items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.inbox.routing import assign
from messaging.models import Clinic, Staff

WAYS = ("calling", "going")


def take_up(session: Session, item: InboxItem, staff: Staff, how: str) -> ItemEvent:
    """Say that `staff` is on it (`how`: one of WAYS) for as long as the clinic allows; then the escalation goes on.

    Raises ValueError for another way, items.Refused where nobody is owed anything any more.
    """
    if how not in WAYS:
        raise ValueError("choose what you are doing")
    if item.state == "done" or item.acknowledged_at is not None or item.kind not in items.NEEDS_ACKNOWLEDGEMENT:
        raise items.Refused("nothing_owed")
    before = item_state.read(session, item)
    clinic = session.get_one(Clinic, item.clinic_id)
    until = clock.now() + timedelta(minutes=assign.Rules.of(clinic.rules).on_it_minutes)
    item.held_by, item.held_until, item.held_how = staff.id, until, how
    items.make_theirs(item, staff)
    for timer in item_state.waiting(session, item, "escalate"):
        timer.try_after = max(timer.try_after, until)
    return items.write_down(session, item, staff, "on_it", before, how=how, until=clock.iso(until))


def is_held(item: InboxItem, now: datetime) -> bool:
    """Whether somebody is on it at this moment."""
    return item.held_until is not None and item.held_until > now


def is_over(item: InboxItem, now: datetime) -> bool:
    """Whether somebody was on it, their time is over, and nobody has said what came of it."""
    return item.held_until is not None and item.held_until <= now and item.acknowledged_at is None


def latest(held: Sequence[InboxItem], now: datetime) -> InboxItem | None:
    """Return which of these somebody is on for the longest, if anybody is."""
    return max((item for item in held if is_held(item, now)), key=lambda item: str(item.held_until), default=None)
