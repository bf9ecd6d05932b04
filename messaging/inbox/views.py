"""The views of the list: which items each shows, in what order, a page at a time, and how many there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from config import clock
from messaging.inbox.models import BY_CLOSING, BY_DEADLINE, IN_VIEW, OF_OWNER, InboxItem
from messaging.models import Clinic, Staff

VIEWS = ("mine", "unassigned", "waiting", "snoozed", "done", "everyone")
# Nobody works through more than this in a day: what is counted beyond it says "more", and is not counted.
MOST = 1000


def _in_view(view: str, clinic_id: UUID, staff: Staff) -> ColumnElement[bool]:
    held = and_(InboxItem.clinic_id == clinic_id, IN_VIEW[view])
    return and_(held, InboxItem.owner_id == staff.id) if view in OF_OWNER else held


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
    rows = select(InboxItem).where(_in_view(view, clinic_id, staff))
    if view == "done":
        return _done(session, rows, after, limit)
    if after is not None:
        rows = rows.where(tuple_(*BY_DEADLINE) > _values(BY_DEADLINE, after))
    return list(session.scalars(rows.order_by(*BY_DEADLINE).limit(limit)))


def _done(
    session: Session,
    rows: Select[InboxItem],
    after: tuple[int, datetime, UUID] | None,
    limit: int,
) -> list[InboxItem]:
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
    rows = {view: select(InboxItem.id).where(_in_view(view, clinic_id, staff)) for view in views}
    if "done" in rows:
        rows["done"] = rows["done"].where(InboxItem.done_at >= _today(session, clinic_id))
    tally = (_up_to_most(held, view) for view, held in rows.items())
    return dict(session.execute(select(*tally)).one()._mapping)


def _up_to_most(held: Select[UUID], view: str) -> ColumnElement[int]:
    # In the view's order, which costs nothing and leaves no doubt about the index to count in.
    some = held.order_by(*(BY_CLOSING if view == "done" else BY_DEADLINE)).limit(MOST + 1)
    return select(func.count()).select_from(some.subquery()).scalar_subquery().label(view)


def _today(session: Session, clinic_id: UUID) -> datetime:
    clinic = session.get(Clinic, clinic_id)
    local = clock.now().astimezone(ZoneInfo(clinic.zone if clinic else "UTC"))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)
