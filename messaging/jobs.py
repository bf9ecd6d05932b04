"""The lanes of this room: timers of the inbox, absences, texts to deliver, texts whose fate is unknown, names to index."""

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from config import db, queue
from messaging import delivery, media, names, reconciling
from messaging.inbox import cover, escalation
from messaging.inbox.models import Absence, Timer
from messaging.models import Message


def fire_timers() -> int:
    """Fire the timers of inbox items that are due."""
    return db.work_off(Timer, escalation.DUE, escalation.fire, give_up=escalation.settle_poison, batch=50)


def begin_and_end_absences() -> int:
    """Move the items of whoever is away from now on, and give back those of whoever has returned."""
    return db.work_off(Absence, cover.DUE, cover.turn, give_up=cover.settle_poison, batch=20)


def _oldest_absence(session: Session, now: datetime) -> datetime | None:
    return session.scalar(
        select(func.min(Absence.try_after)).where(cover.DUE, Absence.try_after <= now, db.free(Absence, now))
    )


def _oldest_timer(session: Session, now: datetime) -> datetime | None:
    return session.scalar(
        select(func.min(Timer.try_after)).where(escalation.DUE, Timer.try_after <= now, db.free(Timer, now))
    )


def _oldest_message(which: ColumnElement[bool], session: Session, now: datetime) -> datetime | None:
    return session.scalar(
        select(func.min(Message.try_after)).where(which, Message.try_after <= now, db.free(Message, now))
    )


LANES = [
    queue.Lane("timers", "urgent", fire_timers, _oldest_timer),
    queue.Lane("absences", "urgent", begin_and_end_absences, _oldest_absence),
    queue.Lane(
        "deliver_urgent",
        "urgent",
        partial(delivery.deliver, "urgent"),
        partial(_oldest_message, delivery.due_in("urgent")),
    ),
    queue.Lane(
        "deliver_bulk",
        "bulk",
        partial(delivery.deliver, "bulk"),
        partial(_oldest_message, delivery.due_in("bulk")),
    ),
    queue.Lane(
        "reconcile",
        "default",
        reconciling.reconcile,
        partial(_oldest_message, or_(reconciling.DOUBTED, reconciling.ORPHANED, reconciling.SILENT)),
        delivery.prepare,
    ),
    queue.Lane("media", "default", media.drain, media.oldest, delivery.prepare),
    queue.Lane("names", "bulk", names.drain, names.oldest),
]
