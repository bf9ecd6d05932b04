"""A conversation as staff read it: by day, with who wrote, what became of each text, and what may be answered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import conversations
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from web import times, words

# A form's address is the patient's key to it: staff see that one was sent, never the key.
_TOKEN = re.compile(r"(/i/)[A-Za-z0-9_-]{16,}")
WORRYING = ("undelivered", "failed", "held", "unknown")


@dataclass(frozen=True)
class Said:
    """One text: `side` in | out, its words, who wrote it, when, and what became of it."""

    id: UUID
    side: str
    body: str
    author: str
    at: str
    state: str
    worrying: bool
    crisis: bool
    media: int


@dataclass(frozen=True)
class Day:
    """The texts of one day."""

    name: str
    said: list[Said]


def days(session: Session, clinic: Clinic, conversation: Conversation | None, name: str) -> list[Day]:
    """Return the latest fifty texts by day; `name` is what the patient is called."""
    if conversation is None:
        return []
    # What a colleague has planned for later stands below the conversation: see writing.planned.
    found = [
        one
        for one in conversations.messages(session, conversation.id)
        if one.state != "queued" or one.scheduled_for is None
    ]
    authors = _authors(session, found)
    now = clock.now()
    return [
        Day(day, [_said(message, name, authors, clinic.zone) for message in several])
        for day, several in groupby(found, key=lambda one: times.day(one.created_at, now, clinic.zone))
    ]


def _authors(session: Session, found: Sequence[Message]) -> dict[UUID, str]:
    ids = {message.author_id for message in found if message.author_id}
    return (
        {one.id: one.name for one in session.scalars(select(Staff).where(Staff.id.in_(ids)))} if ids else {}
    )


def _said(message: Message, name: str, authors: dict[UUID, str], zone: str) -> Said:
    inbound = message.direction == "in"
    author = name if inbound else words.say("authors", message.kind)
    if message.author_id in authors:
        author = authors[message.author_id]
    return Said(
        id=message.id,
        side=message.direction,
        body=_TOKEN.sub(r"\1…", message.body or ""),
        author=author,
        at=times.time_of(message.created_at, zone),
        state="" if inbound else _fate(message, zone),
        worrying=message.state in WORRYING,
        crisis=inbound and any(rule.startswith("crisis") for rule in message.reading),
        media=len(message.media),
    )


def _fate(message: Message, zone: str) -> str:
    said = words.say("delivery", message.state)
    if message.state == "delivered" and message.delivered_at:
        return f"{said} {times.time_of(message.delivered_at, zone)}"
    return f"{said}, carrier code {message.error_code}" if message.error_code else said


def of_item(
    session: Session, clinic: Clinic, conversation_id: UUID | None, patient: Patient | None
) -> Conversation | None:
    """Return the conversation an item speaks of: its own, else the patient's."""
    if conversation_id is not None:
        return session.get(Conversation, conversation_id)
    return conversations.of_patient(session, clinic, patient) if patient else None
