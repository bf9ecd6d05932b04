"""What the tests of the inbox do to items, and what colleagues were told."""

from datetime import datetime
from uuid import UUID

import time_machine

from config import clock, db
from messaging import jobs
from messaging.inbox import items
from messaging.inbox.models import InboxItem


def do(act, item: InboxItem, *given) -> InboxItem:
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(InboxItem, item.id)
        act(session, row, *given)
        return row


def actors(item: InboxItem) -> list[tuple[str, str]]:
    with db.unit_of_work(db.EVERY) as session:
        return [(event.event, event.actor) for event in items.history(session, item)]


def tick(moment: datetime | None = None) -> int:
    """Fire what is due at a moment that stands still."""
    with time_machine.travel(moment or clock.now(), tick=False):
        return jobs.fire_timers()


def told(desk) -> list[UUID | None]:
    return [alert.staff_id for alert in desk.alerts()]
