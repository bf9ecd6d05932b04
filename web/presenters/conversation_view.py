"""A conversation as staff read it: by day, with who wrote, what became of each text, and what may be answered.

Notes and calls stand between the texts in the order of time. It is read a page at a time, so that two thousand texts
open as fast as twenty.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from config import clock, db
from intake_links import addresses
from messaging import conversations
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact
from messaging.media import attachments, file_types
from messaging.models import Clinic, Conversation, Media, Message, Patient, Staff
from messaging.second_reading import keeping
from web import team, times, words
from web.presenters import tapbacks

WORRYING = ("undelivered", "failed", "held", "unknown")
PAGE, LATEST = 30, 6
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Thread:
    """Whose story it is: the texts of a conversation, and what was written down about a patient or a number."""

    conversation: Conversation | None
    patient: Patient | None
    item_id: UUID | None = None


@dataclass(frozen=True)
class Attached:
    """A picture or file of a text: `state` is waiting | picture | file | failed, `called` its name in words."""

    id: UUID
    state: str
    called: str


@dataclass(frozen=True)
class Said:
    """One text: `side` in | out, its words, who wrote it, when, and what became of it. `gone` is said where its words
    are no longer kept, else empty. `reacted` says what the patient's phone did about it."""

    id: UUID
    side: str
    body: str
    gone: str
    author: str
    at: str
    state: str
    worrying: bool
    crisis: bool
    attached: list[Attached]
    reacted: list[str]


@dataclass(frozen=True)
class Noted:
    """A note or a call, never sent: `side` is note | call. `strikes` where its author may still strike it."""

    id: UUID
    side: str
    heading: str
    body: str
    author: str
    at: str
    struck: str
    strikes: bool


@dataclass(frozen=True)
class Day:
    """What was said and written down on one day."""

    name: str
    said: list[Said | Noted]


@dataclass(frozen=True)
class Page:
    """A page of a conversation, oldest first. `earlier` is the cursor of the page before; `past`: not the last."""

    days: list[Day]
    earlier: str | None
    past: bool


NOTHING = Page([], None, False)


def page(
    session: Session, clinic: Clinic, staff: Staff, thread: Thread, cursor: str | None = None, *, below: bool = False
) -> Page:
    """Return PAGE texts, notes and calls before `cursor`, or the last of all; LATEST where they stand `below` the acts.

    The number of queries is the same however much was said.
    """
    before = _moment(cursor)
    most = LATEST if below and before is None else PAGE
    rows: list[Message | Contact] = [
        *_messages(session, thread.conversation, before, most + 1),
        *notes_and_calls.of_thread(
            session,
            clinic,
            patient_id=thread.patient.id if thread.patient else None,
            conversation_id=thread.conversation.id if thread.conversation else None,
            item_id=thread.item_id,
            before=before,
            limit=most + 1,
        ),
    ]
    # Each of the two brought what a whole page of its kind would need, so the latest of both are surely among them.
    rows.sort(key=_place)
    shown = rows[-most:]
    names = team.names(session, (row.author_id if isinstance(row, Message) else row.staff_id for row in shown))
    now, called = clock.now(), _called(thread)
    hung = attachments.of_messages(session, [row.id for row in shown if isinstance(row, Message) and row.media])
    taps = tapbacks.of_page([row for row in shown if isinstance(row, Message)])
    entries = [
        (_place(row)[0], _shown(row, called, names, staff, clinic.zone, hung.get(row.id, ()), taps))
        for row in shown
        if row.id not in taps.hidden
    ]
    days = groupby(entries, key=lambda entry: times.day(entry[0], now, clinic.zone))
    return Page(
        [Day(day, [entry for _, entry in several]) for day, several in days],
        _cursor(shown[0]) if len(rows) > most else None,
        before is not None,
    )


def _messages(
    session: Session, conversation: Conversation | None, before: notes_and_calls.Cursor | None, limit: int
) -> Sequence[Message]:
    if conversation is None:
        return []
    # What is still to go out at an hour somebody chose stands below the conversation, where it can be cancelled.
    at_once = and_(Message.scheduled_for.is_(None), Message.offered_until.is_(None))
    left = or_(at_once, Message.state != "queued")
    query = select(Message).where(Message.conversation_id == conversation.id, left)
    if before is not None:
        at, last = before
        query = query.where(Message.created_at <= at, or_(Message.created_at < at, Message.id < last))
    messages = session.scalars(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)).all()
    db.load_keys(session, (message.key_id for message in messages))
    return messages


def _place(row: Message | Contact) -> tuple[datetime, UUID]:
    return (row.created_at, row.id) if isinstance(row, Message) else (row.at, row.id)


def _cursor(row: Message | Contact) -> str:
    at, row_id = _place(row)
    return f"{(at - EPOCH) // timedelta(microseconds=1)}-{row_id.hex}"


def _moment(cursor: str | None) -> notes_and_calls.Cursor | None:
    """Read a cursor; whatever is none begins at the end, as without one."""
    match = re.fullmatch(r"(\d{1,17})-([0-9a-f]{32})", cursor or "")
    return (EPOCH + timedelta(microseconds=int(match[1])), UUID(match[2])) if match else None


def _called(thread: Thread) -> str:
    """What the inbound side is called. A number that is not the patient's alone may have been somebody else writing."""
    if thread.patient is None:
        return "Unknown number"
    whose = thread.conversation.patient_id if thread.conversation else None
    return thread.patient.first_name or "" if whose == thread.patient.id else "Shared phone"


def _shown(
    row: Message | Contact,
    called: str,
    names: dict[UUID | None, str],
    staff: Staff,
    zone: str,
    attached: Sequence[Media],
    taps: tapbacks.Tapbacks,
) -> Said | Noted:
    if isinstance(row, Contact):
        return noted(row, names.get(row.staff_id, "A colleague"), staff, zone)
    reacted = [
        words.say("threads", "reacted", who=called, sign=sign, at=times.time_of(by.created_at, zone))
        for sign, by in taps.beside.get(row.id, ())
    ]
    return _said(row, called, names, zone, attached, reacted)


def noted(contact: Contact, author: str, staff: Staff, zone: str) -> Noted:
    """Return a note or call in words, as `staff` sees it."""
    now = clock.now()
    parts = [notes_and_calls.outcomes().get(contact.outcome or "", "")]
    if contact.minutes:
        parts.append(f"{contact.minutes} min")
    if contact.next_try_at:
        parts.append(f"next try {times.moment(contact.next_try_at, now, zone, running=True)}")
    struck = times.moment(contact.struck_at, now, zone, running=True) if contact.struck_at else ""
    return Noted(
        id=contact.id,
        side=contact.kind,
        heading=" · ".join(part for part in parts if part),
        body=contact.words or "",
        author=author,
        at=times.time_of(contact.at, zone),
        struck=struck,
        strikes=notes_and_calls.may_strike(contact, staff, now),
    )


def _attached(row: Media) -> Attached:
    kind = file_types.kind_named(row.type)
    state = row.state if row.state in ("waiting", "failed") else "picture" if kind.picture else "file"
    name = state if state != "file" else kind.type.partition("/")[0]
    if state == "failed" and row.last_error == attachments.HARMFUL:
        name = attachments.HARMFUL
    return Attached(row.id, state, words.say("attached", name))


def _said(
    message: Message,
    name: str,
    authors: dict[UUID | None, str],
    zone: str,
    attached: Sequence[Media],
    reacted: list[str],
) -> Said:
    inbound = message.direction == "in"
    author = name if inbound else words.say("authors", message.kind)
    if message.author_id in authors:
        author = authors[message.author_id]
    return Said(
        id=message.id,
        side=message.direction,
        body=addresses.withheld(message.body or ""),
        gone=words.say("keeping", "emptied") if message.emptied_at else "",
        author=author,
        at=times.time_of(message.created_at, zone),
        state=_written_by_phone(message) if inbound else _fate(message, zone),
        worrying=message.state in WORRYING,
        crisis=inbound and _is_crisis(message.reading),
        attached=[_attached(attachment) for attachment in attached],
        reacted=reacted,
    )


def _is_crisis(labels: Sequence[str]) -> bool:
    """Whether a text was taken for a crisis when it came: what was read before there were tiers, by any such rule."""
    tiers = [label for label in labels if label.startswith(keeping.TIER)]
    return f"{keeping.TIER}crisis" in tiers or (not tiers and any(label.startswith("crisis") for label in labels))


def _written_by_phone(message: Message) -> str:
    kinds = [label.removeprefix("kind.") for label in message.reading if label.startswith("kind.")]
    return words.say("threads", kinds[0]) if kinds else ""


def _fate(message: Message, zone: str) -> str:
    state = words.say("delivery", message.state)
    if message.state == "delivered" and message.delivered_at:
        waited = message.delivered_at - message.created_at > timedelta(hours=10)
        now, at = clock.now(), message.delivered_at
        return f"{state} {times.moment(at, now, zone, running=True) if waited else times.time_of(at, zone)}"
    return f"{state}, carrier code {message.error_code}" if message.error_code else state


def of_item(
    session: Session, clinic: Clinic, conversation_id: UUID | None, patient: Patient | None
) -> Conversation | None:
    """Return the conversation an item speaks of: its own, else the patient's."""
    if conversation_id is not None:
        return session.get(Conversation, conversation_id)
    return conversations.of_patient(session, clinic, patient) if patient else None
