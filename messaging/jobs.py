"""The lanes of this room: timers of the inbox, absences, texts and mails to deliver, digests, pictures, names."""

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, or_
from sqlalchemy.orm import Session

from config import db, queue
from messaging import clock_set_back
from messaging.delivery import deliver, reconciling, redacting
from messaging.event_webhooks import ageing, delivering, endpoints
from messaging.inbox import digests, escalation
from messaging.inbox.models import Absence, Timer
from messaging.inbox.staff import absences
from messaging.mail import sending
from messaging.media import attachments
from messaging.models import Message
from messaging.people import name_search
from messaging.second_reading import watching


def fire_timers() -> int:
    """Fire the timers of inbox items that are due."""
    return db.work_off(Timer, escalation.DUE, escalation.fire, give_up=escalation.settle_poison, batch=50)


def begin_and_end_absences() -> int:
    """Move the items of whoever is away from now on, and give back those of whoever has returned."""
    return db.work_off(Absence, absences.DUE, absences.turn, give_up=absences.settle_poison, batch=20)


def _oldest_absence(session: Session, now: datetime) -> datetime | None:
    return db.oldest(session, Absence, absences.DUE, now)


def _oldest_timer(session: Session, now: datetime) -> datetime | None:
    return db.oldest(session, Timer, escalation.DUE, now)


def _oldest_message(which: ColumnElement[bool], session: Session, now: datetime) -> datetime | None:
    return db.oldest(session, Message, which, now)


def _oldest_to_send(lane: str, session: Session, now: datetime) -> datetime | None:
    return _oldest_message(deliver.due_in(lane), session, now)


LANES = [
    queue.Lane("timers", "urgent", fire_timers, _oldest_timer),
    queue.Lane("set_back", "urgent", clock_set_back.drain, clock_set_back.oldest),
    queue.Lane("absences", "urgent", begin_and_end_absences, _oldest_absence),
    queue.Lane(
        "deliver_urgent",
        "urgent",
        partial(deliver.deliver, "urgent"),
        partial(_oldest_to_send, "urgent"),
    ),
    queue.Lane(
        "deliver_bulk",
        "bulk",
        partial(deliver.deliver, "bulk"),
        partial(_oldest_to_send, "bulk"),
    ),
    queue.Lane(
        "reconcile",
        "default",
        reconciling.reconcile,
        partial(_oldest_message, or_(reconciling.DOUBTED, reconciling.ORPHANED, reconciling.SILENT)),
        deliver.prepare,
    ),
    queue.Lane("redact", "bulk", redacting.drain, redacting.oldest, deliver.prepare),
    queue.Lane("media", "default", attachments.drain, attachments.oldest, deliver.prepare),
    # A mail server that hangs must not hold up what comes in: the ticker's own threads see to all the others.
    queue.Lane("mail", "bulk", sending.drain, sending.oldest),
    queue.Lane(endpoints.LANE, "bulk", delivering.drain, delivering.oldest),
    queue.Lane("webhook_ages", "bulk", ageing.drain, ageing.oldest),
    queue.Lane("digests", "bulk", digests.drain, digests.oldest),
    queue.Lane("names", "bulk", name_search.drain, name_search.oldest),
    queue.Lane("readings", "bulk", watching.drain, watching.oldest),
]
