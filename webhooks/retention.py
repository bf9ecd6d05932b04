"""What the machine doors were told word for word, emptied with the texts it became;
the lane in which all of it is done."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import db, keys
from messaging.models import Clinic
from messaging.retention import daily_sweep, what_ages
from webhooks.models import Receipt

# What could not be worked on, or has not been, is still owed to somebody.
OVER = ("processed", "ignored")


def receipts(session: Session, clinic: Clinic, terms: what_ages.Terms, after: UUID) -> what_ages.Batch:
    """Empty what was received; that it was, from whom and when stays, so that it is not believed twice."""
    old = select(Receipt).where(
        Receipt.clinic_id == clinic.id,
        Receipt.id > after,
        Receipt.id < db.first_id(terms.before),
        Receipt.received_at < terms.before,
        Receipt.state.in_(OVER),
        func.length(Receipt.payload_ct) > keys.NOTHING,
        what_ages.has_key(Receipt),
    )
    rows = session.scalars(old.order_by(Receipt.id).limit(what_ages.BATCH)).all()
    db.load_keys(session, (row.key_id for row in rows))
    for row in rows:
        db.empty(row, "payload")
    return what_ages.Batch(rows[-1].id if rows else after, len(rows), len(rows) == what_ages.BATCH)


SHELVES: dict[str, what_ages.Shelf] = {
    "message": what_ages.texts,
    "inbox_item": what_ages.items,
    "contact": what_ages.notes,
    "receipt": receipts,
}


def drain() -> int:
    """Empty what each clinic keeps no longer; return how many batches that were."""
    return daily_sweep.drain(SHELVES)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a clinic's old words wait."""
    return daily_sweep.oldest(session, now)
