"""Tells an item's owner that its time is nearly over, where they have chosen to hear of it away from the page."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import items
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.staff import channels, nudging
from messaging.models import Clinic, Staff

KIND = "due_soon"
# So long before the deadline, and for short ones when a third of the time is left.
AHEAD = timedelta(minutes=30)


def plan(session: Session, item: InboxItem, owner: Staff) -> None:
    """Let the owner be told in time, if that is what they have chosen; one timer for each item."""
    if not channels.leaves_the_page(KIND, owner.notify):
        return
    planned = select(Timer.id).where(Timer.item_id == item.id, Timer.kind == KIND, Timer.state == "waiting")
    at = _moment(item, clock.now())
    if at > clock.now() and session.scalar(planned.limit(1)) is None:
        items.set_timer(session, item, KIND, at)


def tell(session: Session, clinic: Clinic, item: InboxItem) -> None:
    """Tell whoever has the item now; where its deadline has been moved, wait for that one."""
    now, owner = clock.now(), session.get(Staff, item.owner_id) if item.owner_id else None
    if owner is None or item.snoozed_until is not None or item.answer_by <= now:
        return
    if item.answer_by - now > AHEAD:
        items.set_timer(session, item, KIND, item.answer_by - AHEAD)
        return
    nudging.of_item(session, clinic, owner, item, KIND, dedupe=f"due:{item.id}:{item.answer_by:%Y%m%d%H%M}:{owner.id}")


def _moment(item: InboxItem, now: datetime) -> datetime:
    return item.answer_by - min(AHEAD, (item.answer_by - now) / 3)
