"""Looks for words within texts: opened newest first, compared and closed again, so that nothing said is indexed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from messaging import phone
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from web import patient_access, times
from web.presenters import excerpts, patient_view

# How much is opened at one press of the button: whichever limit comes first.
TEXTS, SECONDS, AT_ONCE, HITS = 5_000, 2.0, 500, 50


@dataclass(frozen=True)
class Line:
    """A text with the words that were looked for in it."""

    who: str
    patient_id: UUID | None
    item_id: UUID | None
    at: str
    ours: bool
    excerpt: excerpts.Excerpt


@dataclass(frozen=True)
class Within:
    """What was found in texts, how many were looked through, back to when, and where to go on (None: no more)."""

    lines: list[Line]
    looked: int
    back_to: str
    onward: UUID | None


def look(clinic: Clinic, staff: Staff, typed: str, onward: str) -> Within:
    """Look through what was said, newest first, from the text `onward`; what is shown is written down before."""
    with db.unit_of_work(clinic.id, read_only=True) as session:
        only = patient_access.sight(session, staff).only
        matched, looked, last, ended = _scan(session, clinic, excerpts.fold(typed), _text_id(onward), only)
        lines = _lines(session, clinic, matched)
    with db.unit_of_work(clinic.id) as session:
        about, actor = f"clinic:{clinic.id}", audit.Actor.staff(staff.id)
        audit.record(session, clinic.id, actor, "messages.searched", about, looked=looked, found=len(lines))
        for conversation_id in {message.conversation_id for message, _ in matched}:
            audit.record(session, clinic.id, actor, "messages.found", f"conversation:{conversation_id}")
    at = times.moment(last.created_at, clock.now(), clinic.zone, running=True) if last else ""
    return Within(lines, looked, at, last.id if last and not ended else None)


def _text_id(onward: str) -> UUID | None:
    try:
        return UUID(onward)
    except ValueError:
        return None


Matched = list[tuple[Message, excerpts.Excerpt]]


def _scan(
    session: Session, clinic: Clinic, wanted: str, before: UUID | None, only: frozenset[UUID] | None
) -> tuple[Matched, int, Message | None, bool]:
    """Open texts, newest first, until enough were looked at or found; ids of texts grow with time.

    `only` are the patients whom the reader reaches, None: every one.
    """
    end, matched, looked, last = clock.monotonic() + SECONDS, Matched(), 0, None
    while looked < TEXTS and clock.monotonic() < end:
        rows = select(Message).where(Message.clinic_id == clinic.id, Message.conversation_id.is_not(None))
        rows = rows.where(Message.id < before) if before else rows
        if only is not None:
            theirs = select(Conversation.id).where(Conversation.patient_id.in_(only))
            rows = rows.where(Message.conversation_id.in_(theirs))
        batch = session.scalars(rows.order_by(Message.id.desc()).limit(AT_ONCE)).all()
        db.load_keys(session, (message.key_id for message in batch))
        for message in batch:
            looked, last, before = looked + 1, message, message.id
            excerpt = _excerpt(message, wanted)
            if excerpt:
                matched.append((message, excerpt))
            if len(matched) >= HITS:
                return matched, looked, last, False
        if len(batch) < AT_ONCE:
            return matched, looked, last, True
    return matched, looked, last, False


def _excerpt(message: Message, wanted: str) -> excerpts.Excerpt | None:
    try:
        return excerpts.find(message.body or "", wanted)
    except keys.WrongKey:  # its key was deleted, and so were its words
        return None


def _lines(session: Session, clinic: Clinic, matched: Matched) -> list[Line]:
    """Say of each text whose conversation it stands in; a phone that several share stays a number."""
    ids = {message.conversation_id for message, _ in matched if message.conversation_id}
    if not ids:
        return []
    talks = {talk.id: talk for talk in session.scalars(select(Conversation).where(Conversation.id.in_(ids)))}
    patient_ids = {talk.patient_id for talk in talks.values() if talk.patient_id}
    patients = {patient.id: patient for patient in session.scalars(select(Patient).where(Patient.id.in_(patient_ids)))}
    db.load_keys(
        session, [*(talk.key_id for talk in talks.values()), *(patient.key_id for patient in patients.values())]
    )
    latest, now = latest_items(session, clinic, list(ids)), clock.now()
    lines = []
    for message, excerpt in matched:
        if message.conversation_id is None:
            continue
        talk = talks[message.conversation_id]
        patient = patients.get(talk.patient_id) if talk.patient_id else None
        lines.append(
            Line(
                who=patient_view.full_name(patient) if patient else phone.display(talk.number or ""),
                patient_id=patient.id if patient else None,
                item_id=latest.get(talk.id),
                at=times.moment(message.created_at, now, clinic.zone, running=True),
                ours=message.direction == "out",
                excerpt=excerpt,
            )
        )
    return lines


def latest_items(session: Session, clinic: Clinic, conversation_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return the newest item of each of these conversations: the place where it is read."""
    rows = select(InboxItem.conversation_id, InboxItem.id).where(
        InboxItem.clinic_id == clinic.id, InboxItem.conversation_id.in_(conversation_ids)
    )
    pairs = session.execute(rows.order_by(InboxItem.id))
    return {conversation_id: item_id for conversation_id, item_id in pairs if conversation_id}
