"""The lanes of this room: what came in and waits to be worked on, urgent texts before the rest;
and what is kept no longer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock, db, logging, queue, strict_json
from config.keys import WrongKey
from messaging import phone
from messaging.delivery import deliver
from messaging.inbox import items
from messaging.models import Attempt, Clinic
from messaging.reading import likeness, read_reply
from webhooks import after_restore, handle_text, missed_texts, raise_items, receipts, retention
from webhooks.models import Receipt


@cache
def due_with(priority: str) -> ColumnElement[bool]:
    """Return the condition for what waits with this `priority` (urgent | default)."""
    return (Receipt.state == "received") & (Receipt.lane == priority)


def drain(priority: str) -> int:
    """Work on what was received with this priority; return how many receipts were handled."""
    return db.work_off(Receipt, due_with(priority), handle, give_up=give_up)


def handle(session: Session, waiting: Sequence[Receipt]) -> None:
    """Work on a batch of receipts, each moved to a final state."""
    texts = [receipt for receipt in waiting if receipt.source == "twilio.sms"]
    statuses = [receipt for receipt in waiting if receipt.source == "twilio.status"]
    handle_text.answer_all(session, texts)
    _take_in_statuses(session, statuses)


def _take_in_statuses(session: Session, status_receipts: Sequence[Receipt]) -> None:
    db.load_keys(session, (receipt.key_id for receipt in status_receipts))
    statement = select(Attempt).where(Attempt.id.in_([receipt.attempt_id for receipt in status_receipts]))
    attempts = {attempt.id: attempt for attempt in session.scalars(statement)}
    for receipt in status_receipts:
        form = receipts.said(receipt)
        code = form.get("ErrorCode") or "0"
        receipt.processed_at, receipt.state = clock.now(), "ignored"
        if receipt.attempt_id in attempts:
            attempt = attempts[receipt.attempt_id]
            deliver.record_status(session, attempt, form["MessageStatus"], form["MessageSid"], int(code) or None)
            receipt.state = "processed"


def give_up(session: Session, receipt: Receipt) -> None:
    """Nothing that was said ends in silence: what cannot be worked on is failed, and a human of the clinic sees it."""
    receipt.state, receipt.processed_at = "failed", clock.now()
    clinic = session.get(Clinic, receipt.clinic_id)
    if clinic is None:
        logging.logger().error("gave up what was nobodys", receipt_id=receipt.id)
        return
    kind = "delivery" if receipt.source == "twilio.status" else "reply"
    items.open_item(
        session,
        clinic,
        kind="safety" if receipt.lane == "urgent" else kind,
        about=f"receipt:{receipt.id}",
        dedupe=f"receipt:{receipt.id}",
        summary=raise_items.words()["text"]["poison"].replace("{words}", _what_was_said(receipt)),
    )


def _what_was_said(receipt: Receipt) -> str:
    try:
        form = receipts.said(receipt)
    except (WrongKey, ValueError):
        return receipt.source
    who = phone.display(str(form.get("From", receipt.source)))
    return strict_json.showable(f"{who}: {form.get('Body', form.get('MessageStatus', ''))}")


def _oldest(priority: str, session: Session, now: datetime) -> datetime | None:
    return db.oldest(session, Receipt, due_with(priority), now)


def _prepare() -> None:
    """Compile the rules and check the weights before a worker forks, so that no child pays for it."""
    read_reply.read("ok")
    likeness.check()


# What came in is worked on at once, and no failing puts it off for longer: what waits longer is dated by a wrong clock.
_AT_ONCE = Receipt, Receipt.state == "received", timedelta(minutes=10)

LANES = [
    queue.Lane("receipts_urgent", "urgent", partial(drain, "urgent"), partial(_oldest, "urgent"), _prepare),
    queue.Lane("receipts", "default", partial(drain, "default"), partial(_oldest, "default"), _prepare),
    queue.Lane("receipts_set_back", "urgent", partial(db.bring_back, *_AT_ONCE), partial(db.oldest_ahead, *_AT_ONCE)),
    queue.Lane("missed", "default", missed_texts.look, missed_texts.oldest, deliver.prepare),
    after_restore.LANE,
    queue.Lane("keeping", "bulk", retention.drain, retention.oldest),
]
