"""What was texted with a patient on a day, told in lines: when, by whom, and the words without links of their own."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from intake_links import addresses
from messaging.models import Clinic, Message
from messaging.reading import substance_use
from records import opening
from records.fhir import phrases
from records.fhir.values import instant, reference
from records.opening import Opened
from records.writing import contents, days
from records.writing.contents import Part
from records.writing.leaving import Facts
from reminders.rules import zones


def of_day(session: Session, clinic: Clinic, first: Message) -> Sequence[Message]:
    """Return the texts with a patient on the day that begins with this one, opened, in their order."""
    ends = zones.next_midnight(first.created_at, zones.zone(clinic.zone))
    span = days.of_span(clinic.id, first.created_at - timedelta(days=1), ends)
    mine = select(Message).where(*span, Message.id >= first.id, Message.patient_id == first.patient_id)
    rows = session.scalars(mine.order_by(Message.id)).all()
    opening.load(session, rows)
    return rows


def facts(texts: Sequence[Message]) -> list[Facts]:
    """Return of each text what it is, as far as it may have to stay: what answers a text that speaks of alcohol or
    drugs ("about three a night") does so too."""
    speaks = [substance_use.is_spoken_of(Opened(text).body or "") for text in texts]
    answers = [
        spoke and before.direction != text.direction
        for spoke, before, text in zip(speaks, texts, texts[1:], strict=False)
    ]
    return [Facts("day", substances=any(each)) for each in zip(speaks, [False, *answers], strict=True)]


def summary(session: Session, clinic: Clinic, first: Message, texts: Sequence[Message], *, left_out: int) -> Part:
    """Return what an EHR is sent of the day that begins with `first`: these texts, and how many more there were."""
    place = zones.zone(clinic.zone)
    names = opening.names(session, clinic, [row.author_id for row in texts])
    day = f"{zones.to_local(first.created_at, place):%Y-%m-%d}"
    lines = [_line(row, clinic, names, f"{zones.to_local(_at(row), place):%H:%M}") for row in texts]
    lines += [phrases.filled("written_back", "left_out", count=left_out)] if left_out else []
    title, whose = phrases.filled("written_back", "day", day=day), reference("Patient", first.patient_id)
    return contents.of_day(first.id, whose or {}, instant(max(_at(row) for row in texts)), title, lines)


def _at(row: Message) -> Any:
    return row.created_at if row.direction == "in" else row.sent_at or row.created_at


def _line(row: Message, clinic: Clinic, names: Any, time: str) -> str:
    body = Opened(row).body
    words = addresses.withheld(body) if body else phrases.filled("written_back", "emptied")
    who = (
        phrases.filled("written_back", "patient") if row.direction == "in" else names.get(row.author_id) or clinic.name
    )
    return phrases.filled("written_back", "text", time=time, who=who, words=words)
