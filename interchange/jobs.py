"""The lane of this room: what feeds have said and nobody has worked on yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from config import clock, db, queue
from interchange import applying, feeds
from interchange.models import Feed, FeedMessage
from interchange.polling import poller
from messaging.models import Clinic

DUE: ColumnElement[bool] = FeedMessage.state == "received"
# So many messages make one transaction, about a tenth of a second of a processor: on SQLite nobody else writes
# meanwhile, and others write for a part of that time after it. Reminders are to leave in time also while a hundred
# thousand visits are read for the first time, on a machine that has other work.
BATCH, LEAVES = 5, 0.25


def drain() -> int:
    """Work on what feeds have said; return how many messages were handled."""
    return db.work_off(FeedMessage, DUE, handle, give_up=give_up, batch=BATCH, leaves=LEAVES)


def handle(session: Session, waiting: Sequence[FeedMessage]) -> None:
    """Work on a batch of messages in the order in which they came, each moved to a final state."""
    db.load_keys(session, {row.key_id for row in waiting})
    for row in sorted(waiting, key=lambda row: row.id):
        applying.work(session, row)


def give_up(session: Session, row: FeedMessage) -> None:
    """What cannot be worked on waits for a person, who may replay it."""
    row.state, row.processed_at = "failed", clock.now()
    feeds.tell(session, session.get_one(Clinic, row.clinic_id), session.get_one(Feed, row.feed_id))


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when something waits."""
    return db.oldest(session, FeedMessage, DUE, now)


# What came in is worked on at once, and no failing puts it off for longer: what waits longer is dated by a wrong clock.
_AT_ONCE = FeedMessage, DUE, timedelta(minutes=10)

LANES = [
    queue.Lane(feeds.LANE, "default", drain, oldest),
    queue.Lane("feeds_set_back", "default", partial(db.bring_back, *_AT_ONCE), partial(db.oldest_ahead, *_AT_ONCE)),
    queue.Lane(poller.LANE, "bulk", poller.drain, poller.oldest),
]
