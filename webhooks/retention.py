"""What the machine doors were told word for word, emptied with the texts it became;
the lane in which all of it is done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from caseload.satisfaction import ageing
from config import db, keys
from interchange.models import FeedMessage
from messaging.models import Clinic
from messaging.retention import daily_sweep, what_ages
from webhooks.models import Receipt

# What could not be worked on, or has not been, is still owed to somebody.
OVER = ("processed", "ignored")
OVER_OF_FEEDS = ("done", "ignored", "set_aside")


def receipts(session: Session, clinic: Clinic, terms: what_ages.Terms, after: UUID) -> what_ages.Batch:
    """Empty what was received; that it was, from whom and when stays, so that it is not believed twice."""
    return _raw(session, clinic, terms, after, (Receipt, "payload", OVER))


def feed_messages(session: Session, clinic: Clinic, terms: what_ages.Terms, after: UUID) -> what_ages.Batch:
    """Empty what EHRs have said, in the same way."""
    return _raw(session, clinic, terms, after, (FeedMessage, "raw", OVER_OF_FEEDS))


def _raw(
    session: Session, clinic: Clinic, terms: what_ages.Terms, after: UUID, of: tuple[Any, str, tuple[str, ...]]
) -> what_ages.Batch:
    model, name, over = of
    old = select(model).where(
        model.clinic_id == clinic.id,
        model.id > after,
        model.id < db.first_id(terms.before),
        model.received_at < terms.before,
        model.state.in_(over),
        func.length(getattr(model, f"{name}_ct")) > keys.NOTHING,
        what_ages.has_key(model),
    )
    rows = session.scalars(old.order_by(model.id).limit(what_ages.BATCH)).all()
    db.load_keys(session, (row.key_id for row in rows))
    for row in rows:
        db.empty(row, name)
    return what_ages.Batch(rows[-1].id if rows else after, len(rows), len(rows) == what_ages.BATCH)


SHELVES: dict[str, what_ages.Shelf] = {
    "message": what_ages.texts,
    "inbox_item": what_ages.items,
    "contact": what_ages.notes,
    "receipt": receipts,
    "feed_message": feed_messages,
    "satisfaction_asked": ageing.words,
}


def drain() -> int:
    """Empty what each clinic keeps no longer; return how many batches that were."""
    return daily_sweep.drain(SHELVES)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a clinic's old words wait."""
    return daily_sweep.oldest(session, now)
