"""The views of the list: which items each shows, in what order, a page at a time, and how many there are."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from config import clock
from messaging.inbox.models import BY_CLOSING, BY_DEADLINE, IN_VIEW, OF_OWNER, InboxItem
from messaging.inbox.routing import topics
from messaging.models import Clinic, Staff

VIEWS = ("mine", "unassigned", "waiting", "snoozed", "done", "everyone")
SORTS = ("urgent", "waiting", "newest")
# Nobody works through more than this in a day: what is counted beyond it says "more", and is not counted.
MOST = 1000
Cursor = tuple[int, datetime, UUID]


def _in_view(
    view: str, clinic_id: UUID | BindParameter[UUID], staff_id: UUID | BindParameter[UUID | None]
) -> ColumnElement[bool]:
    held = and_(InboxItem.clinic_id == clinic_id, IN_VIEW[view])
    if view == "unassigned":  # what the front desk has is theirs to take
        held = and_(held, or_(InboxItem.role.is_(None), InboxItem.role != topics.FRONT_DESK))
    return and_(held, InboxItem.owner_id == staff_id) if view in OF_OWNER else held


def held(clinic_id: UUID, *, view: str, staff: Staff, where: Sequence[ColumnElement[bool]] = ()) -> Select[InboxItem]:
    """Return the query of what a view holds, in no order; `where` narrows it."""
    return select(InboxItem).where(_in_view(view, clinic_id, staff.id), *where)


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
    if sort != "urgent":
        return _by_arrival(session, rows, after, limit, latest_first=sort == "newest")
    if after is not None:
        rows = rows.where(tuple_(*BY_DEADLINE) > _values(BY_DEADLINE, after))
    return list(session.scalars(rows.order_by(*BY_DEADLINE).limit(limit)))


def _by_arrival(
    session: Session, rows: Select[InboxItem], after: Cursor | None, limit: int, *, latest_first: bool
) -> list[InboxItem]:
    """In the order they came in; safety is first in every order."""
    rank = case((InboxItem.urgency == 0, 0), else_=1)
    came, last = InboxItem.created_at, InboxItem.id
    if after is not None:
        first, at, item_id = min(after[0], 1), after[1], after[2]
        later = last < item_id if latest_first else last > item_id
        beyond = came < at if latest_first else came > at
        rows = rows.where(or_(rank > first, and_(rank == first, or_(beyond, and_(came == at, later)))))
    ordered = (came.desc(), last.desc()) if latest_first else (came, last)
    return list(session.scalars(rows.order_by(rank, *ordered).limit(limit)))


def _done(session: Session, rows: Select[InboxItem], after: Cursor | None, limit: int) -> list[InboxItem]:
    last = session.get(InboxItem, after[2]) if after else None
    if last is not None and last.done_at is not None:
        rows = rows.where(tuple_(*BY_CLOSING) < _values(BY_CLOSING, (last.done_at, last.id)))
    latest = (column.desc() for column in BY_CLOSING)
    return list(session.scalars(rows.order_by(*latest).limit(limit)))


def _values(columns: Sequence[InstrumentedAttribute[Any]], values: Sequence[object]) -> ColumnElement[Any]:
    # Rows are compared as rows, which an index answers; the same said with AND and OR is read from the beginning.
    return tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))


def counts(session: Session, clinic_id: UUID, staff: Staff, views: Sequence[str] = VIEWS) -> dict[str, int]:
    """Return how many items each view holds, MOST + 1 where they are more than MOST; of what is done, today's only."""
    parameters = {"clinic": clinic_id, "staff": staff.id, "midnight": _today(session, clinic_id)}
    return dict(session.execute(_tally(tuple(views)), parameters).one()._mapping)


@cache
def _tally(views: tuple[str, ...]) -> Select[*tuple[int, ...]]:
    """The query of the counts: put together once, since it stands on every page and is the longest of them."""
    clinic, staff, midnight = (
        bindparam(name, type_=column.type)
        for name, column in (
            ("clinic", InboxItem.clinic_id),
            ("staff", InboxItem.owner_id),
            ("midnight", InboxItem.done_at),
        )
    )
    tally = []
    for view in views:
        rows = select(InboxItem).where(_in_view(view, clinic, staff))
        if view == "done":
            rows = rows.where(InboxItem.done_at >= midnight)
        # In the view's order, which costs nothing and leaves no doubt about the index to count in.
        rows = rows.order_by(*(BY_CLOSING if view == "done" else BY_DEADLINE))
        tally.append(up_to_most(rows).label(view))
    return select(*tally)


def up_to_most(rows: Select[InboxItem]) -> ColumnElement[int]:
    """Return the expression that counts `rows` up to MOST + 1, and looks no further."""
    some = rows.with_only_columns(InboxItem.id).limit(MOST + 1)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


def _today(session: Session, clinic_id: UUID) -> datetime:
    clinic = session.get(Clinic, clinic_id)
    local = clock.now().astimezone(ZoneInfo(clinic.zone if clinic else "UTC"))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
