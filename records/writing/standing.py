"""How writing to an EHR stands, as a person looks at it: counts and rows, a replay, set aside, a dry run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, queue
from interchange.models import Feed, FeedConnection
from messaging.ehr_outbox import owing
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from messaging.models import Staff
from records.writing import contents, subjects, telling_of_refusals

# What a person may have written again; what is written is there.
ENDED = ("refused", "kept_back", "not_there", "gone", "set_aside")
# Of several days: not what a person has set aside, and not what is so no more.
OF_DAYS = ("refused", "kept_back", "not_there")
SHOWN, SHOWN_DRY, MOST_REPLAYED = 100, 5, 5000


@dataclass(frozen=True)
class Standing:
    """How many rows are in each state, and since when the oldest waits."""

    counts: dict[str, int]
    oldest: datetime | None


@dataclass(frozen=True)
class Sent:
    """What would be sent of a row and about whom: each part with its type, or why nothing would."""

    row: EhrWrite
    parts: Sequence[tuple[str, dict[str, Any]]]
    patient_id: UUID | None = None
    state: str = ""
    why: str = ""


def standing(session: Session, feed: Feed) -> Standing:
    """Return how what an EHR is owed stands."""
    own = EhrWrite.feed_id == feed.id
    counted = select(EhrWrite.state, func.count()).where(own).group_by(EhrWrite.state)
    oldest = select(func.min(EhrWrite.created_at)).where(own, EhrWrite.state == "waiting")
    return Standing(dict(session.execute(counted).all()), session.scalar(oldest))


def latest(session: Session, feed: Feed) -> Sequence[EhrWrite]:
    """Return what an EHR was owed last: what waits for a person first, then the newest."""
    rows = select(EhrWrite).where(EhrWrite.feed_id == feed.id)
    waits = (EhrWrite.state == "refused").desc()
    return session.scalars(rows.order_by(waits, EhrWrite.created_at.desc(), EhrWrite.id.desc()).limit(SHOWN)).all()


def replay(session: Session, feed: Feed, row: EhrWrite, staff: Staff) -> None:
    """Have a row written again; nothing where it waits, or is written."""
    if row.state in ENDED:
        owing.again(row)
        _settled(session, feed, staff, "feeds.writing_replayed", write=str(row.id))


def replay_since(session: Session, feed: Feed, start: datetime, end: datetime, staff: Staff) -> int:
    """Have written again what was owed in this span and ended without being written; return how much."""
    when = (EhrWrite.created_at >= start, EhrWrite.created_at < end)
    rows = select(EhrWrite).where(EhrWrite.feed_id == feed.id, EhrWrite.state.in_(OF_DAYS), *when)
    again = session.scalars(rows.order_by(EhrWrite.id).limit(MOST_REPLAYED).with_for_update()).all()
    for row in again:
        owing.again(row)
    if again:
        _settled(session, feed, staff, "feeds.writing_replayed", count=len(again))
    return len(again)


def set_aside(session: Session, feed: Feed, row: EhrWrite, staff: Staff) -> None:
    """Let a refused row wait for a person no longer."""
    if row.state == "refused":
        row.state, row.ended_at = "set_aside", clock.now()
        _settled(session, feed, staff, "feeds.writing_set_aside", write=str(row.id))


def _settled(session: Session, feed: Feed, staff: Staff, act: str, **detail: str | int) -> None:
    audit.record(session, feed.clinic_id, audit.Actor.staff(staff.id), act, f"feed:{feed.name}", **detail)
    telling_of_refusals.settle(session, feed, staff)
    queue.ring(session, owing.LANE)


def dry_run(session: Session, feed: Feed, writer: EhrWriter, connection: FeedConnection, actor: str) -> list[Sent]:
    """Return what would be sent of the oldest rows that wait, and send nothing; that it was read is written down."""
    rows = select(EhrWrite).where(EhrWrite.feed_id == feed.id, EhrWrite.state == "waiting")
    waiting = session.scalars(rows.order_by(EhrWrite.try_after, EhrWrite.id).limit(SHOWN_DRY)).all()
    audit.record(session, feed.clinic_id, actor, "feeds.writing_read", f"feed:{feed.name}", count=len(waiting))
    return [_sent(session, row, writer, connection) for row in waiting]


def _sent(session: Session, row: EhrWrite, writer: EhrWriter, connection: FeedConnection) -> Sent:
    try:
        subject = subjects.read(session, row, writer, connection)
    except subjects.Ended as ended:
        return Sent(row, [], None, ended.state, ended.why or "")
    made = [contents.addressed(part, subject.place.patient, _named(subject.parts)) for part in subject.parts]
    return Sent(row, [(part.type, part.body) for part in made], subject.patient.id)


def _named(parts: Sequence[contents.Part]) -> dict[str, str]:
    """What the parts will be called is the EHR's to say: until then each by its own name."""
    return {part.own: f"{part.type}/{part.name}" for part in parts if part.own}
