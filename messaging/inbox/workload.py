"""How much each colleague has in hand, and what of it is past its time: counted as the list shows it, by patients."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, distinct, func, select
from sqlalchemy.orm import Session

from messaging.inbox.models import BY_DEADLINE, InboxItem, not_done, owed
from messaging.inbox.views import MOST

# What its owner has not opened for so long was overlooked.
LONG = timedelta(hours=24)


@dataclass(frozen=True)
class Load:
    """What a colleague has that is not done: patients with anything, with a safety item, with something past its time;
    and by when the first of it must be answered."""

    open: int = 0
    safety: int = 0
    over: int = 0
    first_due: datetime | None = None


def by_owner(session: Session, clinic_id: UUID, now: datetime) -> dict[UUID, Load]:
    """Return the load of each colleague who has any; one query."""
    unanswered = InboxItem.acknowledged_at.is_(None)
    rows = (
        select(
            InboxItem.owner_id,
            _patients(),
            _patients(InboxItem.urgency == 0),
            _patients(and_(unanswered, InboxItem.answer_by < now)),
            func.min(case((owed(InboxItem), InboxItem.answer_by))),
        )
        .where(InboxItem.clinic_id == clinic_id, not_done(InboxItem), InboxItem.owner_id.is_not(None))
        .group_by(InboxItem.owner_id)
    )
    return {owner_id: Load(*counts) for owner_id, *counts in session.execute(rows)}


def _patients(which: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    return func.count(distinct(InboxItem.thread_id if which is None else case((which, InboxItem.thread_id))))


def overdue(
    session: Session, clinic_id: UUID, now: datetime, place: ColumnElement[str | None]
) -> tuple[Counter[str], Counter[str]]:
    """Return how many patients wait past their time, by kind and by `place`, the first MOST of them counted."""
    late = (
        select(InboxItem.thread_id, InboxItem.kind, place)
        .where(
            InboxItem.clinic_id == clinic_id,
            not_done(InboxItem),
            InboxItem.acknowledged_at.is_(None),
            InboxItem.answer_by < now,
        )
        .order_by(*BY_DEADLINE)
        .limit(MOST)
    )
    rows = session.execute(late).all()
    kinds, places = (
        {(thread, kind) for thread, kind, _ in rows},
        {(thread, where) for thread, _, where in rows if where},
    )
    return Counter(kind for _, kind in kinds), Counter(where for _, where in places)


def long_owed(session: Session, clinic_id: UUID, now: datetime, owner_id: UUID | None = None) -> Sequence[InboxItem]:
    """Return what nobody has acknowledged for LONG although somebody has it, by deadline, the first MOST of it."""
    waiting = select(InboxItem).where(
        InboxItem.clinic_id == clinic_id,
        owed(InboxItem),
        InboxItem.owner_id.is_not(None),
        InboxItem.created_at < now - LONG,
    )
    if owner_id is not None:
        waiting = waiting.where(InboxItem.owner_id == owner_id)
    return session.scalars(waiting.order_by(*BY_DEADLINE).limit(MOST)).all()
