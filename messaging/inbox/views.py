"""The views of the list: which items each shows, in what order, a page at a time, and how many there are."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.models import Staff

VIEWS = ("mine", "unassigned", "waiting", "snoozed", "done", "everyone")
SORTS = ("urgent", "waiting", "newest")
Cursor = tuple[int, datetime, UUID]


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


def held(
    clinic_id: UUID, *, view: str, staff: Staff, where: Sequence[ColumnElement[bool]] = ()
) -> Select[InboxItem]:
    """Return the query of what a view holds, in no order; `where` narrows it."""
    return select(InboxItem).where(InboxItem.clinic_id == clinic_id, _in_view(view, staff), *where)


def cursor(item: InboxItem, sort: str = "urgent") -> Cursor:
    """Return what a listing goes on after, when `item` was the last one shown."""
    return item.urgency, item.answer_by if sort == "urgent" else item.created_at, item.id


def listing(
    session: Session,
    clinic_id: UUID,
    *,
    view: str,
    staff: Staff,
    after: Cursor | None = None,
    limit: int = 50,
    where: Sequence[ColumnElement[bool]] = (),
    sort: str = "urgent",
) -> list[InboxItem]:
    """Return a page of a view: safety first, then by deadline. `after` is the `cursor` of the last row.

    `sort` orders what is no safety item: urgent (by kind and deadline), waiting (the oldest first), newest. What is
    done comes the latest first, and goes on after the row with that id.
    """
    rows = held(clinic_id, view=view, staff=staff, where=where)
    if view == "done":
        return _done(session, rows, after, limit)
    rank, moment, descending = _order(sort)
    if after is not None:
        first, at, item_id = after
        first = first if sort == "urgent" else min(first, 1)
        later = InboxItem.id < item_id if descending else InboxItem.id > item_id
        beyond = moment < at if descending else moment > at
        rows = rows.where(or_(rank > first, and_(rank == first, or_(beyond, and_(moment == at, later)))))
    ordered = (moment.desc(), InboxItem.id.desc()) if descending else (moment, InboxItem.id)
    return list(session.scalars(rows.order_by(rank, *ordered).limit(limit)))


def _order(sort: str) -> tuple[ColumnElement[int], ColumnElement[datetime], bool]:
    """Return rank, moment and whether the latest comes first. Safety is first in every order."""
    if sort == "urgent":
        return InboxItem.urgency.expression, InboxItem.answer_by.expression, False
    return case((InboxItem.urgency == 0, 0), else_=1), InboxItem.created_at.expression, sort == "newest"


def _done(
    session: Session,
    rows: Select[InboxItem],
    after: Cursor | None,
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
