"""Writes down what came of a turn: what the EHR has, what it refused and why, and when either is tried again."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit, clock
from interchange.models import Feed, FeedConnection
from interchange.polling import pacing
from interchange.polling.asking import Trouble
from messaging.ehr_outbox.models import EhrWrite, EhrWriter
from records.writing import subjects, telling_of_refusals, trying
from records.writing.turns import Result, Turn


def end(row: EhrWrite, state: str, why: str | None = None, code: str | None = None) -> None:
    """Move a row to a final state, with a word why."""
    row.state, row.ended_at = state, clock.now()
    row.refused, row.code = why, code[:20] if code else None


def trouble(writer: EhrWriter, what: Trouble) -> None:
    """Leave an EHR alone that could not be written to: all of what it is owed waits."""
    now = clock.now()
    writer.failures += 1
    writer.refused, writer.refused_at = what.why[:30], writer.refused_at or now
    writer.try_after = now + pacing.pause(writer.failures, what.retry_after, stuck=what.stuck)


def turn(session: Session, writer: EhrWriter, connection: FeedConnection, came: Turn) -> None:
    """Write down what came of a turn, and let go of the writer."""
    mine = select(EhrWrite).where(EhrWrite.id.in_(came.results), EhrWrite.state == "waiting").order_by(EhrWrite.id)
    feed = session.get_one(Feed, writer.feed_id)
    for row in session.scalars(mine.with_for_update().execution_options(populate_existing=True)):
        result = came.results[row.id]
        _row(session, writer, feed, row, result)
        if result.moved:
            subjects.rename(session, row, connection, result.patient)
    writer.lease_until, writer.attempts = None, 0
    if came.trouble is not None:
        trouble(writer, came.trouble)
    else:
        writer.refused = writer.refused_at = None
        writer.failures, writer.try_after = 0, clock.now()


def untouched(session: Session, row_ids: Collection[UUID]) -> None:
    """Take back that rows were begun whose turn it never was: of them nothing can be there."""
    mine = update(EhrWrite).where(EhrWrite.id.in_(row_ids), EhrWrite.state == "waiting")
    session.execute(mine.values(begun_at=None, first_tried_at=None))


def _row(session: Session, writer: EhrWriter, feed: Feed, row: EhrWrite, result: Result) -> None:
    now = clock.now()
    row.parts, row.attempts = result.taken, row.attempts + 1
    refused = result.refused
    if result.edition != row.edition:  # it is otherwise by now, and what was sent stands there
        row.begun_at, row.try_after = row.begun_at or now, now
    elif result.over:
        end(row, "written", refused.why if refused else None, refused.code if refused else None)
        writer.written_at = now
        _noted(session, feed, row, "written_back")
    elif refused is not None and refused.why == "limit":
        row.refused, row.code, row.try_after = refused.why, refused.code, now + trying.LIMITED
    elif refused is not None:
        end(row, "refused", refused.why, refused.code)
        _noted(session, feed, row, "not_taken", why=refused.why)
        telling_of_refusals.tell(session, feed)
    elif trying.is_given_up(row.first_tried_at or now, writer.written_at, now):
        end(row, "refused", "too_long")
        _noted(session, feed, row, "not_taken", why="too_long")
        telling_of_refusals.tell(session, feed)
    else:
        row.try_after = trying.next_try(row.attempts, now)


def _noted(session: Session, feed: Feed, row: EhrWrite, act: str, **detail: str) -> None:
    kind = {"visit": "appointment"}.get(row.kind, row.kind)
    actor = audit.Actor.system(f"ehr.{feed.name}")
    audit.record(session, row.clinic_id, actor, f"{kind}.{act}", f"{kind}:{row.subject_id}", feed=feed.name, **detail)
