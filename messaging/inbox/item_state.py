"""How an item stands: all that an act may change, as plain values that a line of its history can keep; and whether
somebody may act on it at all."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging.inbox.dispositions import NEEDS_ACKNOWLEDGEMENT
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.refusals import Refused
from messaging.models import Staff

_PEOPLE = ("owner_id", "acknowledged_by", "done_by", "held_by")
_MOMENTS = ("answer_by", "acknowledged_at", "done_at", "snoozed_until", "held_until")
_NAMES = ("state", "disposition", "snoozed_for", "held_how", "role")


def read(session: Session, item: InboxItem) -> dict[str, Any]:
    """Return how the item stands: ids, states and times alone, and its timers that wait as [kind, moment]."""
    plain: dict[str, Any] = {name: _id(getattr(item, name)) for name in _PEOPLE}
    plain |= {name: _moment(getattr(item, name)) for name in _MOMENTS}
    plain |= {name: getattr(item, name) for name in _NAMES}
    return plain | {"timers": sorted([timer.kind, _moment(timer.try_after)] for timer in waiting(session, item))}


def put_back(item: InboxItem, stood: dict[str, Any]) -> None:
    """Make the item stand as it stood; its timers are the caller's."""
    for name in _PEOPLE:
        setattr(item, name, UUID(stood[name]) if stood[name] else None)
    for name in _MOMENTS:
        setattr(item, name, datetime.fromisoformat(stood[name]) if stood[name] else None)
    for name in _NAMES:
        setattr(item, name, stood.get(name))


def is_owed(item: InboxItem) -> bool:
    """Whether a named person must still say what was done about it."""
    return item.kind in NEEDS_ACKNOWLEDGEMENT and item.acknowledged_at is None


def waiting(session: Session, item: InboxItem, *kinds: str) -> list[Timer]:
    """Return the item's timers that have not fired, of these kinds or of all."""
    wanted = select(Timer).where(Timer.item_id == item.id, Timer.state == "waiting")
    return list(session.scalars(wanted.where(Timer.kind.in_(kinds)) if kinds else wanted))


def hold(session: Session, clinic_id: UUID, ids: Collection[UUID]) -> list[InboxItem]:
    """Return the clinic's items of these ids as they are now, locked; the order is that of the ids.

    Their timers are locked first, as whoever fires them does, so that an act and a timer wait for each other.
    """
    timers = select(Timer.id).where(Timer.item_id.in_(ids), Timer.state == "waiting")
    session.execute(timers.order_by(Timer.id).with_for_update()).all()
    items = (
        select(InboxItem)
        .where(InboxItem.clinic_id == clinic_id, InboxItem.id.in_(ids))
        .order_by(InboxItem.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    by_id = {item.id: item for item in session.scalars(items)}
    return [by_id[item_id] for item_id in ids if item_id in by_id]


def between_others(item: InboxItem, staff: Staff) -> bool:
    """Whether the item is a note to somebody else: only who has it may take, move or close it."""
    return item.kind == "note" and item.owner_id not in (None, staff.id)


def refuse_between_others(item: InboxItem, staff: Staff) -> None:
    """Raise Refused for a note between others."""
    if between_others(item, staff):
        raise Refused("note_private")


def _id(row_id: UUID | None) -> str | None:
    return str(row_id) if row_id else None


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
