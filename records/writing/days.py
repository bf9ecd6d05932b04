"""Owes an EHR what was texted on a day, once that day is over by the clinic's clock: one summary for each patient.

Which day is still to come is a moment on the EHR's own row, moved on in the transaction that owes: whoever is killed
does the day again, and what is owed already is not owed twice.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from config import clock, db, queue
from messaging.ehr_outbox import owing
from messaging.ehr_outbox.models import EhrWriter
from messaging.models import Clinic, Message
from reminders.rules import zones

LANE = "ehr_days"
# A text that comes in the last second of a day is written down a moment later.
SETTLED = timedelta(minutes=2)
# An EHR that was not heard of for long, as its clinic's service stood, is told of so many days in one go.
MOST_DAYS = 31


def drain() -> int:
    """Owe what was texted on the days that are over; return how many summaries are owed anew."""
    owed = 0
    with db.unit_of_work(db.EVERY) as session:
        for writer, ends in _over(session, clock.now(), locked=True):
            for end in ends:
                begin, writer.days_from = writer.days_from, end
                owed += _owe(session, writer, begin or end, end)
        if owed:
            queue.ring(session, owing.LANE)
    return owed


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a day is over of which an EHR has not been told."""
    return min((ends[0] + SETTLED for _, ends in _over(session, now)), default=None)


def _over(session: Session, now: datetime, *, locked: bool = False) -> list[tuple[EhrWriter, list[datetime]]]:
    """The EHRs that hear of days, with the ends of those that are over and not told."""
    rows = select(EhrWriter, Clinic.zone).join(Clinic, Clinic.id == EhrWriter.clinic_id)
    waiting = rows.where(EhrWriter.days_from.is_not(None), EhrWriter.days_from < now - SETTLED)
    waiting = waiting.with_for_update(of=EhrWriter, skip_locked=True) if locked else waiting
    told = [(writer, _ends(writer.days_from, zone, now)) for writer, zone in session.execute(waiting)]
    return [(writer, ends) for writer, ends in told if ends]


def _ends(begin: datetime | None, zone: str, now: datetime) -> list[datetime]:
    """When the day of `begin` and those after it ended by the clock of a place, as far as that is past."""
    place, ends = zones.zone(zone), list[datetime]()
    while begin is not None and len(ends) < MOST_DAYS and (begin := zones.next_midnight(begin, place)) <= now - SETTLED:
        ends.append(begin)
    return ends


def _owe(session: Session, writer: EhrWriter, begin: datetime, end: datetime) -> int:
    """Owe a summary for each patient who was texted with, under the first of the texts."""
    rows = select(Message.patient_id, Message.id).where(*of_span(writer.clinic_id, begin, end)).order_by(Message.id)
    first: dict[UUID | None, UUID] = {}
    for patient_id, message_id in session.execute(rows):
        first.setdefault(patient_id, message_id)
    return sum(owing.owe_once(session, writer, "day", message_id) for message_id in first.values())


def of_span(clinic_id: UUID, begin: datetime, end: datetime) -> Sequence[ColumnElement[bool]]:
    """Which texts with patients came or left between two moments; what was never sent is none."""
    return (
        Message.clinic_id == clinic_id,
        Message.patient_id.is_not(None),
        Message.staff_id.is_(None),
        Message.id >= db.first_id(begin),
        Message.id < db.first_id(end),
        or_(Message.direction == "in", Message.sent_at.is_not(None)),
    )
