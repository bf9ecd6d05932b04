"""The rows of the list: who, how soon, what in one line, and why it came here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import phone
from messaging.inbox import items, views
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Patient, Staff
from web import times, words

PAGE = 50
Named = TypeVar("Named", Patient, Conversation, Staff)


@dataclass(frozen=True)
class Row:
    """One item in the list. `mark` is None once it is done, `aside` says whose it is where that is not plain."""

    id: UUID
    thread: str
    name: str
    kind: str
    tone: str
    mark: times.Mark | None
    summary: str
    why: str
    aside: str
    acknowledged: bool


@dataclass(frozen=True)
class Page:
    """A page of rows and the item to go on after, if there are more."""

    rows: list[Row]
    more_after: UUID | None


def page(
    session: Session, clinic: Clinic, staff: Staff, view: str, after: UUID | None, *, readable: bool
) -> Page:
    """Return a page of `view`; without `readable` the words of patients are left out."""
    last = session.get(InboxItem, after) if after else None
    cursor = (last.urgency, last.answer_by, last.id) if last and last.clinic_id == clinic.id else None
    # One more than is shown says whether there are more. What is done has no deadline to go on after.
    found = views.listing(session, clinic.id, view=view, staff=staff, after=cursor, limit=PAGE + 1)
    shown = found[:PAGE]
    more = shown[-1].id if len(found) > PAGE and view != "done" else None
    return Page(rows(session, clinic, staff, shown, readable=readable), more)


def rows(
    session: Session, clinic: Clinic, staff: Staff, shown: Sequence[InboxItem], *, readable: bool
) -> list[Row]:
    """Return items as rows, with the names of those shown opened at once."""
    patients = _by_id(session, Patient, (item.patient_id for item in shown))
    conversations = _by_id(session, Conversation, (item.conversation_id for item in shown))
    people = _by_id(session, Staff, (item.owner_id for item in shown))
    sealed: list[db.SealedRow] = [*shown, *patients.values(), *conversations.values()]
    db.load_keys(session, (row.key_id for row in sealed))
    now = clock.now()
    return [
        Row(
            id=item.id,
            thread=item.thread,
            name=short_name(patients.get(item.patient_id), conversations.get(item.conversation_id)),
            kind=words.say("kinds", item.kind),
            tone=tone(item, now, clinic.zone),
            mark=mark(item, now, clinic.zone),
            summary=(item.summary or "") if readable else words.say("kinds", item.kind),
            why=" · ".join(_why(patients.get(item.patient_id), staff)),
            aside=_aside(item, people, staff, now, clinic.zone),
            acknowledged=item.acknowledged_at is not None,
        )
        for item in shown
    ]


def _by_id(session: Session, model: type[Named], ids: Iterable[UUID | None]) -> dict[UUID | None, Named]:
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))}


def short_name(patient: Patient | None, conversation: Conversation | None) -> str:
    """Return "Teresa Q.", or the number's last digits where it belongs to nobody or to several."""
    if patient is not None:
        last = (patient.last_name or "")[:1]
        return f"{patient.first_name} {last}." if last else f"{patient.first_name}"
    if conversation is not None:
        return f"Unknown number {phone.mask(conversation.number or '')}"
    return "Nobody on file"


def mark(item: InboxItem, now: datetime, zone: str) -> times.Mark | None:
    """Return the deadline's mark; an item that is acknowledged or done has no clock any more."""
    if item.state == "done" or item.acknowledged_at is not None:
        return None
    return times.mark(safety=item.kind == "safety", answer_by=item.answer_by, now=now, zone=zone)


def tone(item: InboxItem, now: datetime, zone: str) -> str:
    """Return the colour of the row's edge: safety while it is open, soon by its clock, else plain."""
    if item.state == "done":
        return "plain"
    if item.kind == "safety":
        return "safety"
    ticking = mark(item, now, zone)
    return ticking.tone if ticking else "plain"


def _why(patient: Patient | None, staff: Staff) -> list[str]:
    parts = []
    if patient is not None and patient.panel:
        parts.append("your panel" if patient.panel in staff.panels else patient.panel)
    if patient is not None and patient.language != "en":
        parts.append(words.say("languages", patient.language))
    return parts


def _aside(item: InboxItem, people: dict[UUID | None, Staff], staff: Staff, now: datetime, zone: str) -> str:
    if item.state == "done" and item.done_at:
        return f"{items.dispositions().get(item.disposition or '', '')} · {times.moment(item.done_at, now, zone)}"
    if item.acknowledged_at is not None:
        return "acknowledged"
    if item.owner_id is None:
        return "nobody yet"
    owner = people.get(item.owner_id)
    return "" if owner is None or owner.id == staff.id else owner.name
