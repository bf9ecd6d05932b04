"""What a text that came in asks of its item: what it is about, how soon, and with which other words it waits."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from config import clock
from messaging.inbox import items, recent_risk
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from messaging.models import Message, Patient, Staff

# Whoever answers what the desk wrote within this time answers the desk.
ANSWERS_THE_DESK = timedelta(days=1)


def reasons(
    session: Session, conversation_id: UUID, patients: Sequence[Patient], about: Iterable[str]
) -> tuple[str, ...]:
    """Return what an item's `reason` says of a text: who wrote it lately at risk or here now, and what it is about."""
    now = clock.now()
    here = any(patient.is_here(now) for patient in patients)
    watched = recent_risk.at_risk_lately(session, conversation_id, [patient.id for patient in patients])
    known = (*((topics.WATCHED,) if watched else ()), *topics.reasons(about, here=here))
    if not known and _answers_the_desk(session, conversation_id):
        return topics.reasons(["scheduling"])
    return known


def _answers_the_desk(session: Session, conversation_id: UUID) -> bool:
    last = (
        select(Staff.role)
        .select_from(Message)
        .outerjoin(Staff, Staff.id == Message.author_id)
        .where(
            Message.conversation_id == conversation_id,
            Message.direction == "out",
            Message.created_at > clock.now() - ANSWERS_THE_DESK,
        )
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
    )
    return session.scalar(last) == topics.FRONT_DESK


def waiting(
    session: Session,
    conversation_id: UUID,
    reason: Sequence[str] | None = None,
    *,
    cannot_read: Collection[UUID] = (),
) -> InboxItem | None:
    """Return the reply of this conversation that nobody has dealt with yet and that these words may be added to.

    One that somebody has acknowledged is not the place for new words, nor is that of a colleague who `cannot_read`
    them, nor the front desk's inbox for words that are not the desk's; without a `reason` (courtesy alone) any is.
    """
    fits: list[ColumnElement[bool]] = []
    if cannot_read:
        fits.append(or_(InboxItem.owner_id.is_(None), InboxItem.owner_id.not_in(cannot_read)))
    if reason is not None and not (topics.of(reason) and topics.may_go_to_the_desk(reason)):
        fits.append(_not_the_desks())
    return session.scalar(
        select(InboxItem)
        .where(
            InboxItem.conversation_id == conversation_id,
            InboxItem.kind == "reply",
            InboxItem.state != "done",
            InboxItem.acknowledged_at.is_(None),
            *fits,
        )
        .order_by(InboxItem.id)
        .limit(1)
    )


def _not_the_desks() -> ColumnElement[bool]:
    """Neither in the desk's inbox nor on its way there."""
    not_there = or_(InboxItem.role.is_(None), InboxItem.role != topics.FRONT_DESK)
    on_the_way = and_(InboxItem.routed_at.is_(None), InboxItem.topic.in_(topics.OF_THE_DESK))
    return and_(not_there, or_(InboxItem.topic.is_(None), ~on_the_way))


def add(session: Session, item: InboxItem, reason: Sequence[str]) -> None:
    """Let more words count: the item is about them too, and is owed as soon as they would be alone, never later."""
    item.reason = topics.joined(item.reason, reason)
    item.topic = topics.leading(item.reason)
    item.urgency = min(item.urgency, items.urgency_of(item.kind, item.reason))
    due = items.fresh_deadline(session, item)
    if due < item.answer_by and set(reason) - {topics.DESK_OFF}:
        items.set_clock(session, item, due)
