"""Answering a patient: checked, queued once, and never lost when it is refused."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from config import audit, clock
from messaging import conversations, outbox, people, wording
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Patient, Staff
from web import composer, threads, words

MOST_SEGMENTS = 10


@dataclass(frozen=True)
class Draft:
    """What was typed, under the id that makes it one text however often it is sent; `problem` says why it was refused."""

    body: str
    compose_id: str
    problem: str | None = None


def fresh() -> Draft:
    """Return an empty draft with an id of its own."""
    return Draft("", str(uuid4()))


def send(
    session: Session, clinic: Clinic, staff: Staff, item: InboxItem, form: Any
) -> tuple[str | None, Draft | None]:
    """Send the text of `form` (body, compose, seen). Return a notice, or the draft as refused."""
    draft = Draft(form.get("body", ""), str(_id(form.get("compose")) or uuid4()))
    body = wording.smart(draft.body).strip()
    conversation = _conversation(session, clinic, item)
    problem = _problem(session, conversation, staff, body, _id(form.get("seen")))
    if problem or conversation is None:
        return None, Draft(draft.body, draft.compose_id, problem or words.say("closed", "no number"))
    started = clock.now()
    try:
        message = outbox.text_conversation(
            session,
            clinic,
            conversation,
            kind="reply",
            programme="care_team",
            body=body,
            dedupe=f"compose:{draft.compose_id}",
            author_id=staff.id,
        )
    except outbox.MayNotText as refused:
        return None, Draft(draft.body, draft.compose_id, words.say("closed", refused.reason))
    if message.body != body or message.conversation_id != conversation.id:
        # The same form, changed after it had gone out: another text, which the human must see is another one.
        return None, Draft(draft.body, str(uuid4()), words.say("refusals", "changed"))
    if message.created_at < started:
        return "already_sent", None
    items.settle_reply(session, conversation, staff)
    about = f"message:{message.id}"
    audit.record(session, clinic.id, f"staff:{staff.id}", "message.written", about, item=str(item.id))
    return "sent", None


def _problem(
    session: Session, conversation: Conversation | None, staff: Staff, body: str, seen: UUID | None
) -> str | None:
    if not body:
        return words.say("refusals", "empty")
    if wording.segments(body).segments > MOST_SEGMENTS:
        return words.say("refusals", "too_long")
    if conversation is not None and seen is not None:
        colleague = composer.colleague_since(session, conversation.id, staff, seen)
        if colleague:
            return words.say("refusals", "somebody_answered", who=colleague)
    return None


def _conversation(session: Session, clinic: Clinic, item: InboxItem) -> Conversation | None:
    patient = session.get(Patient, item.patient_id) if item.patient_id else None
    known = threads.of_item(session, clinic, item.conversation_id, patient)
    if known is not None or patient is None:
        return known
    number = people.textable_number(session, patient)
    return conversations.of_number(session, clinic, number.number or "") if number else None


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def cost(body: str) -> str:
    """Return what a text costs in words: "1 segment, GSM-7"."""
    counted = wording.segments(wording.smart(body).strip())
    several = "segment" if counted.segments == 1 else "segments"
    why = f" ({' '.join(counted.costly[:3])} makes it 70 characters each)" if counted.costly else ""
    return f"{counted.segments} {several}{why}"
