"""The texts of a day counted, in the database: sent, delivered, received; numbers texted; opt-outs."""

from collections import Counter

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from caseload.figures.days import Day
from config import db
from messaging.models import Clinic, ConsentEntry, Message

# A number counts once in a span of days: on the day before which it was texted on no day of the span. So for each day
# it is kept how long ago each number had been texted before, up to the longest span that anybody asks for.
LONGEST = 90
# How a person's own wish to end texts comes to be written down; a file or a colleague's correction is none.
OWN_WISH = ("text", "carrier", "spoken", "form")
# Taken by the carrier: texts that were held back, cancelled or never left have reached nobody's phone.
LEFT = ("sent", "delivered", "undelivered")


def count(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    """Count the texts that were written on a day."""
    return _texts(session, clinic, day) + _numbers(session, clinic, day) + _opted_out(session, clinic, day)


def _texts(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    rows = session.execute(
        select(Message.direction, Message.state, func.count())
        .where(
            Message.clinic_id == clinic.id,
            Message.id >= db.first_id(day.begins),
            Message.id < db.first_id(day.ends),
            Message.conversation_id.is_not(None),
        )
        .group_by(Message.direction, Message.state)
    )
    counts: Counter[str] = Counter()
    for direction, state, number in rows:
        if direction == "in":
            counts["text.received"] += number
        elif state in LEFT:
            counts["text.left"] += number
            counts[f"text.{state}"] += number
        else:
            counts["text.stayed"] += number
    return counts


def _numbers(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    today = (
        select(Message.conversation_id)
        .where(
            Message.clinic_id == clinic.id,
            Message.id >= db.first_id(day.begins),
            Message.id < db.first_id(day.ends),
            Message.direction == "out",
            Message.state.in_(LEFT),
            Message.conversation_id.is_not(None),
        )
        .distinct()
        .subquery()
    )
    earlier = aliased(Message)
    last = (
        select(earlier.created_at)
        .where(
            earlier.conversation_id == today.c.conversation_id,
            earlier.created_at < day.begins,
            earlier.direction == "out",
            earlier.state.in_(LEFT),
        )
        .order_by(earlier.created_at.desc())
        .limit(1)
        .correlate(today)
        .scalar_subquery()
    )
    counts: Counter[str] = Counter()
    for (before,) in session.execute(select(last).select_from(today)):
        gap = LONGEST if before is None else min(-day.days_since(before), LONGEST)
        counts[f"number.{gap}"] += 1
    return counts


def _opted_out(session: Session, clinic: Clinic, day: Day) -> Counter[str]:
    numbers = select(func.count(ConsentEntry.number_index.distinct())).where(
        ConsentEntry.clinic_id == clinic.id,
        ConsentEntry.id >= db.first_id(day.begins),
        ConsentEntry.id < db.first_id(day.ends),
        ConsentEntry.event == "revoked",
        ConsentEntry.source.in_(OWN_WISH),
    )
    return Counter({"text.opted_out": session.scalar(numbers) or 0})
