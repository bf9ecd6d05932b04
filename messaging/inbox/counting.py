"""How many rows each view of the list has, and whatever else is counted beside them: all of it by one statement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, bindparam, case, distinct, func, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from config import clock
from messaging.inbox import views
from messaging.inbox.models import BY_CLOSING, BY_DEADLINE, UNSEEN_SAFETY, InboxItem
from messaging.inbox.views import MOST
from messaging.models import Clinic, Staff


@dataclass(frozen=True)
class Scope:
    """Whose items are counted and as of when: values, or the parameters of a statement that is put together once."""

    clinic: views.Id
    staff: views.Id
    midnight: ColumnElement[Any]
    now: ColumnElement[Any]


# What else is counted: it gives the expression of a number.
Counting = Callable[[Scope], ColumnElement[int]]


def counts(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    of_views: Sequence[str] = views.VIEWS,
    also: Mapping[str, Counting] | None = None,
) -> dict[str, int]:
    """Return how many rows each view shows, MOST + 1 where it holds more than MOST items; of what is done, today's.

    "came" may be asked for too: how many of "mine" have come by escalation. What is counted `also` stands beside them
    under its name.
    """
    now = clock.now()
    midnight = now.astimezone(ZoneInfo(clinic.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    parameters = {"clinic": clinic.id, "staff": staff.id, "midnight": midnight, "now": now}
    tally = _tally(tuple(of_views), tuple((also or {}).items()))
    return dict(session.execute(tally, parameters).one()._mapping)


@cache
def _tally(of_views: tuple[str, ...], also: tuple[tuple[str, Counting], ...]) -> Select[*tuple[int, ...]]:
    """The query of the counts: put together once, since it stands on every page and is the longest of them."""
    parameters = {
        "clinic": InboxItem.clinic_id,
        "staff": InboxItem.owner_id,
        "midnight": InboxItem.done_at,
        "now": InboxItem.answer_by,
    }
    scope = Scope(**{name: bindparam(name, type_=column.type) for name, column in parameters.items()})
    rows = (_count(view, scope.clinic, scope.staff, scope.midnight, views.everything).label(view) for view in of_views)
    return select(*rows, *(counting(scope).label(name) for name, counting in also))


def count(
    clinic_id: UUID,
    *,
    view: str,
    staff: Staff,
    midnight: datetime,
    where: views.Narrowing,
    also: Sequence[ColumnElement[bool]] = (),
) -> ColumnElement[int]:
    """Return the expression that counts the rows of a view, narrowed by `where`; of what is done, since `midnight`.

    `also` are conditions for items outside of the view that are counted with "mine".
    """
    return _count(view, clinic_id, staff.id, literal(midnight, InboxItem.done_at.type), where, also)


def _count(
    view: str,
    clinic: views.Id,
    staff: views.Id,
    midnight: ColumnElement[Any],
    where: views.Narrowing,
    more: Sequence[ColumnElement[bool]] = (),
) -> ColumnElement[int]:
    escalated = select(InboxItem).where(InboxItem.clinic_id == clinic, views.has_come(staff), *where(InboxItem))
    if view == "came":
        return up_to_most(escalated.order_by(*BY_DEADLINE), of=InboxItem.thread_id)
    ours = views.in_view(view, staff, InboxItem)
    rows = select(InboxItem).where(InboxItem.clinic_id == clinic, ours, *where(InboxItem))
    # In the view's order, which costs nothing and leaves no doubt about the index to count in.
    if view == "done":
        return up_to_most(rows.where(InboxItem.done_at >= midnight).order_by(*BY_CLOSING))
    rows = rows.order_by(*BY_DEADLINE)
    beside = (select(InboxItem).where(InboxItem.clinic_id == clinic, each, *where(InboxItem)) for each in more)
    also = tuple(each.order_by(*BY_DEADLINE) for each in (escalated, *beside)) if view == "mine" else ()
    return up_to_most(rows, *also, of=InboxItem.thread_id)


def unseen_safety(scope: Scope) -> ColumnElement[int]:
    """Count the safety items that nobody has acknowledged."""
    return select(func.count()).where(InboxItem.clinic_id == scope.clinic, UNSEEN_SAFETY).scalar_subquery()


def up_to_most(*rows: Select[InboxItem], of: InstrumentedAttribute[UUID] = InboxItem.id) -> ColumnElement[int]:
    """Return the expression that counts the different values of `of` in `rows`, and reads no more than MOST + 1 items.

    MOST + 1 stands for more.
    """
    some = [select(each.with_only_columns(of.label("of")).limit(MOST + 1).subquery()) for each in rows]
    read = (union_all(*some) if len(some) > 1 else some[0]).subquery()
    number = case((func.count() > MOST, MOST + 1), else_=func.count(distinct(read.c.of)))
    return select(number).select_from(read).scalar_subquery()
