"""The board of what is unassigned and what has come to the end of its escalation. It is never empty in silence."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.inbox import counting, items
from messaging.inbox.models import EXHAUSTED, IN_VIEW, InboxItem, ItemEvent
from messaging.models import Clinic, Message, Staff

OUTCOMES = ("reached", "voicemail", "no_answer")
# Lines of an item's history that say whom somebody tried to reach.
TRIES = ("routed", "notified", "escalated", "nobody_reached", "alert_failed", "offered", "call_list")
UNOWNED = and_(IN_VIEW["unassigned"](InboxItem), InboxItem.routed_at.is_not(None), InboxItem.role.is_(None))


def _at_the_end(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    return and_(EXHAUSTED, InboxItem.answer_by <= now)


def unowned(scope: counting.Scope) -> ColumnElement[int]:
    """Count the items that nobody owns, up to views.MOST + 1."""
    return counting.up_to_most(select(InboxItem).where(InboxItem.clinic_id == scope.clinic, UNOWNED))


def at_the_end(scope: counting.Scope) -> ColumnElement[int]:
    """Count the items that have come to the end of their escalation unacknowledged, up to views.MOST + 1."""
    return counting.up_to_most(select(InboxItem).where(InboxItem.clinic_id == scope.clinic, _at_the_end(scope.now)))


def listing(session: Session, clinic: Clinic, limit: int = 50) -> list[InboxItem]:
    """Return the items on the board, safety first, then by deadline."""
    rows = select(InboxItem).where(InboxItem.clinic_id == clinic.id, or_(UNOWNED, _at_the_end(clock.now())))
    rows = rows.order_by(InboxItem.urgency, InboxItem.answer_by, InboxItem.id).limit(limit)
    return list(session.scalars(rows))


def tries(session: Session, item_ids: Sequence[UUID]) -> Mapping[UUID, list[ItemEvent]]:
    """Return by item who was told or called when, oldest first; one query."""
    by_item: dict[UUID, list[ItemEvent]] = {item_id: [] for item_id in item_ids}
    rows = select(ItemEvent).where(ItemEvent.item_id.in_(item_ids), ItemEvent.event.in_(TRIES))
    for event in session.scalars(rows.order_by(ItemEvent.at, ItemEvent.id)):
        by_item[event.item_id].append(event)
    return by_item


def alerts(session: Session, clinic: Clinic, item_ids: Sequence[UUID]) -> Mapping[tuple[str, UUID], str]:
    """Return the states of the alerts that were texted, by (item and step, colleague); one query."""
    # ";" follows ":" in the alphabet, so that each stretch is a range of the unique index.
    stretches = [
        and_(Message.dedupe >= f"alert:{item_id}:", Message.dedupe < f"alert:{item_id};") for item_id in item_ids
    ]
    if not stretches:
        return {}
    rows = select(Message.dedupe, Message.staff_id, Message.state).where(
        Message.clinic_id == clinic.id, or_(*stretches)
    )
    return {(name.rpartition(":")[0], staff): state for name, staff, state in session.execute(rows) if staff}


def note_call(session: Session, item: InboxItem, staff: Staff, who: str, outcome: str) -> None:
    """Write down that `staff` called somebody about the item. It acknowledges nothing, and the alerts go on.

    `who` is a name on the clinic's call list. Raises ValueError for an unknown outcome.
    """
    if outcome not in OUTCOMES:
        raise ValueError("choose how the call went")
    actor = audit.Actor.staff(staff.id)
    items.note_event(session, item, actor, "call_list", who=who, outcome=outcome)
    audit.record(session, item.clinic_id, actor, "item.called", f"inbox_item:{item.id}", outcome=outcome)
