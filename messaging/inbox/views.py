"""The views of the list: which rows each shows, one for each patient, and in what order.

A row is led by the first item of its patient in the view; docs/decisions/0012-one-row-a-patient.md says why so.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    false,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from messaging.inbox.models import (
    BY_CLOSING,
    BY_DEADLINE,
    ESCALATED,
    IN_VIEW,
    OF_OWNER,
    InboxItem,
    Item,
    Told,
    not_done,
)
from messaging.inbox.routing import topics
from messaging.models import Staff

VIEWS = ("mine", "unassigned", "waiting", "snoozed", "done", "everyone")
SORTS = ("urgent", "waiting", "newest")
# Nobody works through more than this in a day: what is counted beyond it says "more", and is not counted.
MOST = 1000
Cursor = tuple[int, int, datetime, UUID]
Id = UUID | BindParameter[Any]
# What narrows a view, said of any sight of the items: of the rows that are read and of those that could lead them.
Narrowing = Callable[[Item], Sequence[ColumnElement[bool]]]


def for_whom(*, owns: bool) -> tuple[str, ...]:
    """Return the views of whoever `owns` items, else those of the whole clinic alone; one begins with the first."""
    return VIEWS if owns else tuple(view for view in reversed(VIEWS) if view not in OF_OWNER)


def everything(_item: Item) -> Sequence[ColumnElement[bool]]:
    """Narrow nothing."""
    return ()


def in_view(view: str, staff_id: Id, item: Item) -> ColumnElement[bool]:
    """Return whether an item stands in a view, for those of an owner in that of `staff_id`."""
    held = IN_VIEW[view](item)
    if view == "unassigned":  # what the front desk has is theirs to take
        held = and_(held, or_(item.role.is_(None), item.role != topics.FRONT_DESK))
    return and_(held, item.owner_id == staff_id) if view in OF_OWNER else held


def has_come(staff_id: Id) -> ColumnElement[bool]:
    """Return whether the escalation has asked a colleague about somebody else's item that nobody has acknowledged."""
    asked = exists().where(Told.item_id == InboxItem.id, Told.staff_id == staff_id)
    return and_(ESCALATED, or_(InboxItem.owner_id.is_(None), InboxItem.owner_id != staff_id), asked)


def _leads(view: str, staff_id: Id, where: Narrowing) -> ColumnElement[bool]:
    """Whether the item is the first of its patient in the view: one look into an index for each row that is read."""
    other = aliased(InboxItem)
    theirs = select(other.id).where(
        other.thread_id == InboxItem.thread_id,
        not_done(other),
        in_view(view, staff_id, other),
        *where(other),
    )
    first = theirs.order_by(other.rank, other.urgency, other.answer_by, other.id).limit(1)
    leads = InboxItem.id == first.correlate(InboxItem).scalar_subquery()
    # Most do. An equality is taken to be rare, and every row would be read and sorted for the first page.
    return case((leads, true()), else_=false())


def cursor(item: InboxItem, sort: str = "urgent") -> Cursor:
    """Return what a listing goes on after, when `item` was the last one shown."""
    return item.rank, item.urgency, item.answer_by if sort == "urgent" else item.created_at, item.id


def listing(
    session: Session,
    clinic_id: UUID,
    *,
    view: str,
    staff: Staff,
    after: Cursor | None = None,
    limit: int = 50,
    where: Narrowing = everything,
    sort: str = "urgent",
) -> list[InboxItem]:
    """Return the items that lead a page of a view: what nobody has answered first, safety first, then by deadline.

    `after` is the `cursor` of the last row. `sort` orders what is no safety item: urgent (by kind and deadline),
    waiting (the oldest first), newest. "mine" begins with what has come to `staff` although it is a colleague's;
    only a safety item of their own that nobody has answered stands above what is less.
    What is done has a row for each item, the latest first, and goes on after the row with that id.
    """
    ours = InboxItem.clinic_id == clinic_id
    rows = select(InboxItem).where(ours, in_view(view, staff.id, InboxItem), *where(InboxItem))
    if view == "done":
        return _done(session, rows, after, limit)
    rows = rows.where(_leads(view, staff.id, where))
    first: list[InboxItem] = []
    if view == "mine":
        first = came(session, clinic_id, staff, where, limit) if after is None else []
        rows = rows.where(InboxItem.thread_id.not_in(_came_threads(clinic_id, staff.id, where)))
    return _safety_first(first, _ordered(session, rows, after, limit - len(first), sort), limit)


def _safety_first(escalated: list[InboxItem], own: list[InboxItem], limit: int) -> list[InboxItem]:
    """Put own safety items that nobody has answered above what came and is less; the last row stays one's own.

    The next page goes on after the last row (see `cursor`), so a full page of one's own safety items is left as it is.
    """
    if len(escalated) + len(own) >= limit and all(map(_grave, own)):
        return escalated + own
    rest = [item for item in (*escalated, *own) if not _grave(item)]
    return [*filter(_grave, escalated), *filter(_grave, own), *rest]


def _grave(item: InboxItem) -> bool:
    return item.rank == 0 and item.urgency == 0


def came(
    session: Session, clinic_id: UUID, staff: Staff, where: Narrowing = everything, limit: int = 50
) -> list[InboxItem]:
    """Return the items that have come to `staff` by escalation, one for each patient, the most urgent first."""
    rows = select(InboxItem).where(InboxItem.clinic_id == clinic_id, has_come(staff.id), *where(InboxItem))
    by_thread: dict[UUID, InboxItem] = {}
    for item in session.scalars(rows.order_by(*BY_DEADLINE).limit(MOST)):
        by_thread.setdefault(item.thread_id, item)
    return list(by_thread.values())[:limit]


def _came_threads(clinic_id: Id, staff_id: Id, where: Narrowing) -> Select[UUID]:
    return select(InboxItem.thread_id).where(InboxItem.clinic_id == clinic_id, has_come(staff_id), *where(InboxItem))


def told_at(session: Session, staff: Staff, item_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return when each of these items came to `staff` by escalation, where it did."""
    told = select(Told.item_id, Told.at).where(Told.staff_id == staff.id, Told.item_id.in_(item_ids))
    return dict(session.execute(told).all()) if item_ids else {}


def beside(
    session: Session, clinic_id: UUID, thread_ids: Collection[UUID], view: str = "everyone", staff: Staff | None = None
) -> dict[UUID, list[InboxItem]]:
    """Return by patient all their items that are not done, as they follow each other in a row; one query.

    With a `view`, only what stands in it for `staff`.
    """
    by_thread: dict[UUID, list[InboxItem]] = {thread_id: [] for thread_id in thread_ids}
    if not thread_ids:
        return by_thread
    within = (InboxItem.clinic_id == clinic_id, InboxItem.thread_id.in_(thread_ids), not_done(InboxItem))
    rows = select(InboxItem).where(*within)
    if staff is not None:
        rows = rows.where(in_view(view, staff.id, InboxItem))
    for item in session.scalars(rows.order_by(*BY_DEADLINE)):
        by_thread[item.thread_id].append(item)
    return by_thread


def _ordered(session: Session, rows: Select[InboxItem], after: Cursor | None, limit: int, sort: str) -> list[InboxItem]:
    if sort != "urgent":
        return _by_arrival(session, rows, after, limit, latest_first=sort == "newest")
    if after is not None:
        rows = rows.where(tuple_(*BY_DEADLINE) > _values(BY_DEADLINE, after))
    return list(session.scalars(rows.order_by(*BY_DEADLINE).limit(limit)))


def _by_arrival(
    session: Session, rows: Select[InboxItem], after: Cursor | None, limit: int, *, latest_first: bool
) -> list[InboxItem]:
    """In the order they came in; what nobody has answered is first in every order, and of it safety."""
    place = InboxItem.rank * 2 + case((InboxItem.urgency == 0, 0), else_=1)
    came_in, last = InboxItem.created_at, InboxItem.id
    if after is not None:
        first, at, item_id = after[0] * 2 + min(after[1], 1), after[2], after[3]
        later = last < item_id if latest_first else last > item_id
        beyond = came_in < at if latest_first else came_in > at
        rows = rows.where(or_(place > first, and_(place == first, or_(beyond, and_(came_in == at, later)))))
    ordered = (came_in.desc(), last.desc()) if latest_first else (came_in, last)
    return list(session.scalars(rows.order_by(place, *ordered).limit(limit)))


def _done(session: Session, rows: Select[InboxItem], after: Cursor | None, limit: int) -> list[InboxItem]:
    last = session.get(InboxItem, after[3]) if after else None
    if last is not None and last.done_at is not None:
        rows = rows.where(tuple_(*BY_CLOSING) < _values(BY_CLOSING, (last.done_at, last.id)))
    latest = (column.desc() for column in BY_CLOSING)
    return list(session.scalars(rows.order_by(*latest).limit(limit)))


def _values(columns: Sequence[InstrumentedAttribute[Any]], values: Sequence[object]) -> ColumnElement[Any]:
    # Rows are compared as rows, which an index answers; the same said with AND and OR is read from the beginning.
    return tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
