"""The views of the list: which items each shows, in what order, a page at a time, and how many there are."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.models import Staff

VIEWS = ("mine", "unassigned", "waiting", "snoozed", "done", "everyone")


def _in_view(view: str, staff: Staff) -> ColumnElement[bool]:
    unfinished = InboxItem.state.in_(("open", "claimed"))
    return {
        "mine": and_(InboxItem.owner_id == staff.id, unfinished, InboxItem.acknowledged_at.is_(None)),
        "unassigned": and_(InboxItem.owner_id.is_(None), unfinished),
        "waiting": and_(InboxItem.owner_id == staff.id, unfinished, InboxItem.acknowledged_at.is_not(None)),
        "snoozed": and_(InboxItem.owner_id == staff.id, InboxItem.state == "snoozed"),
        "done": InboxItem.state == "done",
        "everyone": InboxItem.state != "done",
    }[view]


def listing(
    session: Session,
    clinic_id: UUID,
    *,
    view: str,
    staff: Staff,
    after: tuple[int, datetime, UUID] | None = None,
    limit: int = 50,
) -> list[InboxItem]:
    """Return a page of a view: safety first, then by deadline. `after` is (urgency, answer_by, id) of the last row.

    What is done comes the latest first, and goes on after the row with that id.
    """
    rows = select(InboxItem).where(InboxItem.clinic_id == clinic_id, _in_view(view, staff))
    if view == "done":
        return _done(session, rows, after, limit)
    rows = rows.order_by(InboxItem.urgency, InboxItem.answer_by, InboxItem.id)
    if after is not None:
        urgency, answer_by, item_id = after
        later = and_(InboxItem.answer_by == answer_by, InboxItem.id > item_id)
        rows = rows.where(
            or_(
                InboxItem.urgency > urgency,
                and_(InboxItem.urgency == urgency, or_(InboxItem.answer_by > answer_by, later)),
            )
        )
    return list(session.scalars(rows.limit(limit)))


def _done(
    session: Session,
    rows: Select[InboxItem],
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> list[InboxItem]:
    last = session.get(InboxItem, after[2]) if after else None
    if last is not None and last.done_at is not None:
        same = and_(InboxItem.done_at == last.done_at, InboxItem.id < last.id)
        rows = rows.where(or_(InboxItem.done_at < last.done_at, same))
    return list(session.scalars(rows.order_by(InboxItem.done_at.desc(), InboxItem.id.desc()).limit(limit)))


def counts(session: Session, clinic_id: UUID, staff: Staff, views: Sequence[str] = VIEWS) -> dict[str, int]:
    """Return how many items each view holds."""
    tally = select(*(func.count().filter(_in_view(view, staff)).label(view) for view in views)).where(
        InboxItem.clinic_id == clinic_id
    )
    return dict(session.execute(tally).one()._mapping)
