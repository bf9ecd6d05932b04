"""Owes an EHR what has happened, in the transaction in which it happens: only where the clinic has said so."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock, queue
from messaging.ehr_outbox.models import EhrWrite, EhrWriter

LANE = "ehr_write"
KINDS = ("screen", "visit", "handoff", "day")
# What is said of these anew replaces what the EHR has.
REPLACED = ("handoff",)


def owe(
    session: Session, clinic_id: UUID, kind: str, subject_id: UUID, source: str | None = None, allowed: str = ""
) -> int:
    """Owe what has happened to each EHR that hears of its kind, with `source` to that of these visits alone, and with
    `allowed` only where the clinic lets that leave for it.

    Return how many are owed it. What was written before is written anew under its next edition.
    """
    writers = session.scalars(select(EhrWriter).where(EhrWriter.clinic_id == clinic_id))
    hearing = [each for each in writers if kind in each.kinds and source in (None, each.source)]
    hearing = [each for each in hearing if not allowed or allowed in each.allows]
    for writer in hearing:
        _owe_to(session, writer, kind, subject_id)
    if hearing:
        queue.ring(session, LANE)
    return len(hearing)


def _owe_to(session: Session, writer: EhrWriter, kind: str, subject_id: UUID) -> None:
    own = select(EhrWrite).filter_by(feed_id=writer.feed_id, kind=kind, subject_id=subject_id)
    row = session.scalar(own.with_for_update())
    if row is not None:
        row.edition += 1
        if kind not in REPLACED:
            row.parts, row.begun_at = {}, None
        elif row.state != "waiting":  # else an earlier state of it may stand there without our knowing
            row.begun_at = None
        again(row)
        return
    owe_once(session, writer, kind, subject_id)


def owe_once(session: Session, writer: EhrWriter, kind: str, subject_id: UUID) -> bool:
    """Owe an EHR what it is not owed yet; False where it is."""
    now = clock.now()
    facts = {"kind": kind, "subject_id": subject_id, "try_after": now, "created_at": now, "parts": {}}
    try:
        with session.begin_nested():
            session.add(EhrWrite(clinic_id=writer.clinic_id, feed_id=writer.feed_id, **facts))
    except IntegrityError:  # also at this very moment by another process
        return False
    return True


def again(row: EhrWrite) -> None:
    """Have a row written as if it had never been tried; what the EHR has of it is not sent twice."""
    row.state, row.try_after, row.attempts, row.first_tried_at = "waiting", clock.now(), 0, None
    row.refused = row.code = row.ended_at = None
