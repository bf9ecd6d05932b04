"""What of the feeds a person looks at: how each stands, what waits and why; replayed, or set aside in their name."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from config import audit, clock, db, queue
from interchange import feeds
from interchange.models import Feed, FeedConnection, FeedMessage
from interchange.problems import Problem
from messaging.inbox import items
from messaging.models import Clinic, Staff

# What waits for a person.
WAITING = ("held", "refused", "failed")
LATELY = timedelta(days=30)
SHOWN = 100


@dataclass(frozen=True)
class Standing:
    """How a feed stands: when it was last heard (it said something, or answered us with nothing new), how many of its
    messages are in each state, of the last 30 days, since when the oldest waits that nobody has worked on, and whether
    it did not answer when it was last asked."""

    feed: Feed
    heard_at: datetime | None
    counts: dict[str, int]
    oldest: datetime | None
    refused: bool

    def sum(self, *states: str) -> int:
        """Return how many messages are in these states."""
        return sum(self.counts.get(state, 0) for state in states)


def standings(session: Session, clinic: Clinic) -> list[Standing]:
    """Return how each feed of the clinic stands, by name."""
    ours = FeedMessage.clinic_id == clinic.id
    counted = (
        select(FeedMessage.feed_id, FeedMessage.state, func.count())
        .where(ours, FeedMessage.received_at > clock.now() - LATELY)
        .group_by(FeedMessage.feed_id, FeedMessage.state)
    )
    todo = select(FeedMessage.feed_id, func.min(FeedMessage.received_at)).where(ours, FeedMessage.state == "received")
    oldest = dict(session.execute(todo.group_by(FeedMessage.feed_id)).all())
    counts: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    for feed_id, state, count in session.execute(counted):
        counts[feed_id][state] = count
    own = session.scalars(select(Feed).where(Feed.clinic_id == clinic.id).order_by(Feed.name))
    last, refused = _last_heard(session, clinic), set(session.scalars(_refused(clinic)))
    return [Standing(feed, last.get(feed.id), counts[feed.id], oldest.get(feed.id), feed.id in refused) for feed in own]


def _last_heard(session: Session, clinic: Clinic) -> dict[UUID, datetime]:
    said = (
        select(FeedMessage.feed_id, func.max(FeedMessage.received_at))
        .where(FeedMessage.clinic_id == clinic.id)
        .group_by(FeedMessage.feed_id)
    )
    answered = select(FeedConnection).where(FeedConnection.clinic_id == clinic.id)
    last: dict[UUID, datetime] = dict(session.execute(said).all())
    for row in session.scalars(answered):
        if row.heard_at:
            last[row.feed_id] = max(row.heard_at, last.get(row.feed_id, row.heard_at))
    return last


def _refused(clinic: Clinic) -> Select[UUID]:
    return select(FeedConnection.feed_id).where(
        FeedConnection.clinic_id == clinic.id, FeedConnection.state == "on", FeedConnection.refused.is_not(None)
    )


def waiting(session: Session, clinic: Clinic) -> Sequence[FeedMessage]:
    """Return the newest messages that wait for a person."""
    rows = select(FeedMessage).where(FeedMessage.clinic_id == clinic.id, FeedMessage.state.in_(WAITING))
    return session.scalars(rows.order_by(FeedMessage.id.desc()).limit(SHOWN)).all()


def latest(session: Session, feed: Feed) -> Sequence[FeedMessage]:
    """Return the newest messages of a feed, in whatever state."""
    rows = select(FeedMessage).where(FeedMessage.feed_id == feed.id)
    return session.scalars(rows.order_by(FeedMessage.received_at.desc(), FeedMessage.id.desc()).limit(SHOWN)).all()


def why(row: FeedMessage) -> list[Problem]:
    """Return a message's problems, what keeps it first."""
    problems = [Problem(problem["code"], problem["where"]) for problem in row.problems]
    return sorted(problems, key=lambda problem: problem.weight == "warning")


def opened(session: Session, row: FeedMessage, actor: str) -> list[str]:
    """Return a message word for word, a segment a line; that it was read is written down."""
    db.load_keys(session, [row.key_id])
    audit.record(session, row.clinic_id, actor, "feed.raw_read", f"feed_message:{row.id}")
    return (row.raw or "").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


def replay(session: Session, row: FeedMessage, staff: Staff) -> None:
    """Have a message worked on again, as its feed is read now; nothing where it does not wait."""
    if row.state in WAITING:
        row.state, row.try_after, row.attempts, row.processed_at = "received", clock.now(), 0, None
        queue.ring(session, feeds.LANE)
        _settled(session, row, staff, "feed.replayed")


def set_aside(session: Session, row: FeedMessage, staff: Staff) -> None:
    """Let a message wait no longer, in somebody's name; nothing where it does not wait."""
    if row.state in WAITING:
        row.state, row.processed_at = "set_aside", clock.now()
        _settled(session, row, staff, "feed.set_aside")


def _settled(session: Session, row: FeedMessage, staff: Staff, act: str) -> None:
    """Write down who did it; with the last message of a feed that waits, what is in the inbox about it ends as well."""
    audit.record(session, row.clinic_id, audit.Actor.staff(staff.id), act, f"feed_message:{row.id}")
    session.flush()
    left = select(FeedMessage.id).where(FeedMessage.feed_id == row.feed_id, FeedMessage.state.in_(WAITING)).limit(1)
    if session.scalar(left) is None:
        for item in feeds.open_items(session, row.clinic_id, row.feed_id):
            items.resolve(session, item, staff, "handled")
