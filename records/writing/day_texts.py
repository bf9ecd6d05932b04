"""What was texted with a patient on a day, told in lines: when, by whom, and the words without links of their own."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from intake_links import addresses
from messaging.models import Clinic, Message
from records import opening
from records.fhir import phrases
from records.fhir.values import instant, reference
from records.opening import Opened
from records.writing import contents, days
from records.writing.contents import Part
from reminders.rules import zones


def summary(session: Session, clinic: Clinic, first: Message) -> Part | None:
    """Return what an EHR is sent of the day that begins with this text; None where nothing of it is there."""
    place = zones.zone(clinic.zone)
    ends = zones.next_midnight(first.created_at, place)
    span = days.of_span(clinic.id, first.created_at - timedelta(days=1), ends)
    mine = select(Message).where(*span, Message.id >= first.id, Message.patient_id == first.patient_id)
    rows = session.scalars(mine.order_by(Message.id)).all()
    if not rows:
        return None
    opening.load(session, rows)
    names = opening.names(session, clinic, [row.author_id for row in rows])
    day = f"{zones.to_local(first.created_at, place):%Y-%m-%d}"
    lines = [_line(row, clinic, names, f"{zones.to_local(_at(row), place):%H:%M}") for row in rows]
    title, whose = phrases.filled("written_back", "day", day=day), reference("Patient", first.patient_id)
    return contents.of_day(first.id, whose or {}, instant(max(_at(row) for row in rows)), title, lines)


def _at(row: Message) -> Any:
    return row.created_at if row.direction == "in" else row.sent_at or row.created_at


def _line(row: Message, clinic: Clinic, names: Any, time: str) -> str:
    body = Opened(row).body
    words = addresses.withheld(body) if body else phrases.filled("written_back", "emptied")
    who = (
        phrases.filled("written_back", "patient") if row.direction == "in" else names.get(row.author_id) or clinic.name
    )
    return phrases.filled("written_back", "text", time=time, who=who, words=words)
