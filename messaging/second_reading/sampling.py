"""The weekly sample: texts in which neither reader saw anything, drawn by chance, for a person to read."""

import random
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit
from messaging.models import Clinic, Message
from messaging.second_reading.models import SecondReading

SIZE = 50


def last_whole(now: datetime, zone: str) -> date:
    """Return the Monday of the last week that is over at the clinic."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return today - timedelta(days=today.weekday() + 7)


def named(monday: date) -> str:
    """Return a week's name, such as "2026-W49"."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def draw(session: Session, clinic: Clinic, monday: date) -> int:
    """Draw the sample of the week that began on `monday`, once; return how many texts it holds."""
    name = named(monday)
    if drawn := _drawn(session, clinic.id, name):
        return drawn
    begin, end = (
        datetime.combine(monday + timedelta(days=days), datetime.min.time(), ZoneInfo(clinic.zone)) for days in (0, 7)
    )
    unflagged = (
        select(SecondReading)
        .join(Message, Message.id == SecondReading.message_id)
        .where(
            SecondReading.clinic_id == clinic.id,
            SecondReading.at >= begin,
            SecondReading.at < end,
            SecondReading.tier.is_(None),
            Message.emptied_at.is_(None),
        )
    )
    rows = list(session.scalars(unflagged.order_by(SecondReading.id)))
    for row in random.SystemRandom().sample(rows, min(SIZE, len(rows))):
        row.drawn = name
    actor = audit.Actor.system("reading")
    audit.record(session, clinic.id, actor, "second_reading.drawn", f"clinic:{clinic.id}", count=min(SIZE, len(rows)))
    session.flush()
    return min(SIZE, len(rows))


def _drawn(session: Session, clinic_id: UUID, name: str) -> int:
    count = select(func.count()).where(SecondReading.clinic_id == clinic_id, SecondReading.drawn == name)
    return session.scalar(count) or 0


def to_read(session: Session, clinic: Clinic) -> tuple[SecondReading | None, int]:
    """Return the oldest text drawn that nobody has read, and how many there are with it."""
    unread = (SecondReading.clinic_id == clinic.id, SecondReading.drawn.is_not(None), SecondReading.verdict.is_(None))
    first = session.scalar(select(SecondReading).where(*unread).order_by(SecondReading.at, SecondReading.id).limit(1))
    return first, session.scalar(select(func.count()).where(*unread)) or 0
