"""Whether and how somebody can be answered by text, and what has been said since a page was opened."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging import consent, outbox, people, phone
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from web import words


@dataclass(frozen=True)
class Composer:
    """Whether this conversation can be answered: `closed` says why not, in words, with the number to call."""

    closed: str | None
    call: str | None
    call_words: str | None
    to: str
    language: str


def latest(session: Session, conversation_id: UUID) -> UUID | None:
    """Return the id of the last text of a conversation."""
    said = select(Message.id).where(Message.conversation_id == conversation_id)
    return session.scalar(said.order_by(Message.created_at.desc(), Message.id.desc()).limit(1))


def colleague_since(session: Session, conversation_id: UUID, staff: Staff, seen: UUID) -> str | None:
    """Return the name of a colleague who has answered since the text `seen`, if one has."""
    before = session.get(Message, seen)
    if before is None or before.conversation_id != conversation_id:
        return None
    return session.scalar(
        select(Staff.name)
        .join(Message, Message.author_id == Staff.id)
        .where(
            Message.conversation_id == conversation_id,
            Message.direction == "out",
            Message.author_id != staff.id,
            Message.created_at > before.created_at,
        )
        .limit(1)
    )


def composer(
    session: Session, clinic: Clinic, conversation: Conversation | None, patient: Patient | None
) -> Composer:
    """Return whether and how this person can be answered by text."""
    number = conversation.number if conversation else None
    if number is None and patient is not None:
        known = people.textable_number(session, patient) or next(iter(patient.numbers), None)
        number = known.number if known else None
    reason = _closed(session, clinic, conversation, patient, number)
    name = (patient.first_name or "") if patient else ""
    return Composer(
        closed=words.say("closed", reason) if reason else None,
        call=number,
        call_words=phone.display(number) if number else None,
        to=f"{name}'s phone {phone.mask(number)}" if name and number else phone.mask(number or ""),
        language=words.say("languages", patient.language) if patient else "",
    )


def _closed(
    session: Session,
    clinic: Clinic,
    conversation: Conversation | None,
    patient: Patient | None,
    number: str | None,
) -> str | None:
    if patient is not None and patient.state != "active":
        return "inactive"
    if conversation is not None:
        return outbox.closed(session, clinic, conversation)
    if patient is None or number is None:
        return "no number"
    textable = people.textable_number(session, patient)
    if textable is None:
        return outbox.LINE_REASONS.get(patient.numbers[0].line, "no number")
    agreed = consent.state(session, clinic, number)["care_team"]
    return {"revoked": "opted out", "unknown": "no consent"}.get(agreed)
