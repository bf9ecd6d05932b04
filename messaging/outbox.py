"""The only way a text gets out: consent, line and life are asked here, and a reason sends one text, once."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from config import clock, live, queue
from messaging import contactability, conversations, reachable
from messaging.contactability import Facts, Refusal
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from messaging.people import directory
from messaging.wording import clinic_words

LANES = {"urgent": "deliver_urgent", "bulk": "deliver_bulk"}
AUTOMATIC = ("reminder", "automatic")
ANSWERS = ("automatic", "crisis")
# The one text that may follow a revocation, within five minutes, to say what has stopped: 47 CFR 64.1200(a)(12).
LAST_WORD = "stopped"
LAST_WORD_WITHIN = timedelta(minutes=5)
NEVER_LEFT = ("held", "cancelled", "failed")


class MayNotText(Exception):
    """This text may not be sent, and `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason)
        self.reason = reason


def text_patient(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    *,
    kind: str,
    programme: str,
    body: str,
    dedupe: str,
    lane: str = "bulk",
    expires_at: datetime | None = None,
    author_id: UUID | None = None,
    not_before: datetime | None = None,
    offered_until: datetime | None = None,
) -> Message:
    """Queue a text to the patient's textable number (see people). Raises MayNotText.

    `offered_until`: a colleague who is talking with the patient decides first; if nobody does, it goes then.
    """
    number = directory.textable_number(session, patient)
    refused = refusal(session, patient, programme)
    if refused or number is None:
        raise MayNotText(refused or Refusal.NO_NUMBER)
    conversation = conversations.of_number(session, clinic, number.number or "")
    return _queue(
        session,
        clinic,
        conversation,
        key_id=patient.key_id,
        patient_id=patient.id,
        kind=kind,
        programme=programme,
        lane=lane,
        body=_introduced(session, conversation, kind, patient.language, body),
        dedupe=dedupe,
        author_id=author_id,
        expires_at=expires_at,
        offered_until=offered_until,
        try_after=offered_until or not_before or clock.now(),
    )


def refusal(session: Session, patient: Patient, programme: str) -> Refusal | None:
    """Return why `text_patient` would refuse now, None if it would not."""
    return contactability.refusal(reachable.of_patient(session, patient), programme)


def text_conversation(
    session: Session,
    clinic: Clinic,
    conversation: Conversation,
    *,
    kind: str,
    programme: str,
    body: str,
    dedupe: str,
    lane: str = "urgent",
    author_id: UUID | None = None,
    at: datetime | None = None,
    expires_at: datetime | None = None,
) -> Message:
    """Queue a text to a number, known or not. A number of nobody may be answered when it wrote. Raises MayNotText.

    `at` is the moment a colleague chose; until then it can be cancelled. All is asked again when it leaves.
    """
    facts = _facts_of(session, conversation, conversation.patient_id)
    refused = of_text(facts, kind, programme, author_id)
    if refused:
        raise MayNotText(refused)
    return _queue(
        session,
        clinic,
        conversation,
        key_id=conversation.key_id,
        patient_id=conversation.patient_id,
        kind=kind,
        programme=programme,
        lane=lane,
        body=body,
        dedupe=dedupe,
        author_id=author_id,
        scheduled_for=at,
        expires_at=expires_at,
        try_after=at or clock.now(),
    )


def kept_back(session: Session, conversation_id: UUID) -> tuple[list[Message], list[Message]]:
    """Return the texts of a conversation that leave at an hour still to come, the soonest first: those that a
    colleague has planned, and the automatic ones about which a colleague may decide first."""
    waiting = select(Message).where(
        Message.conversation_id == conversation_id,
        Message.state == "queued",
        or_(Message.scheduled_for.is_not(None), Message.offered_until > clock.now()),
    )
    rows = list(session.scalars(waiting.order_by(Message.scheduled_for, Message.offered_until, Message.id)))
    return [row for row in rows if row.scheduled_for], [row for row in rows if not row.scheduled_for]


def send_now(session: Session, message: Message) -> None:
    """Let a text that waits for a colleague go at once."""
    message.offered_until = None
    message.try_after = clock.now()
    queue.ring(session, LANES[message.lane])


def of_text(facts: Facts, kind: str, programme: str, author_id: UUID | None) -> Refusal | None:
    """Return why this text to a number may not go; asked as it is queued, and once more as it leaves."""
    answering = kind in (*ANSWERS, LAST_WORD) or author_id is not None
    programme_asked = None if kind == LAST_WORD else programme
    return contactability.refusal(facts, programme_asked, answering=answering)


def closed(
    session: Session,
    conversation: Conversation,
    *,
    patient_id: UUID | None = None,
    answering: bool = True,
) -> Refusal | None:
    """Return why the care team cannot text this number about a patient, else about whose it is; None if it can."""
    facts = reachable.of_conversation(session, conversation, patient_id or conversation.patient_id)
    return closed_by(facts, conversation, answering=answering)


def closed_by(facts: Facts, conversation: Conversation, *, answering: bool = True) -> Refusal | None:
    """Return what `closed` does, from facts that were read before."""
    return contactability.refusal(_of_a_phone(facts, conversation), "care_team", answering=answering)


def _facts_of(session: Session, conversation: Conversation, patient_id: UUID | None) -> Facts:
    return _of_a_phone(reachable.of_conversation(session, conversation, patient_id), conversation)


def _of_a_phone(facts: Facts, conversation: Conversation) -> Facts:
    # What wrote may be a name or the address of something that is no phone.
    is_phone = (conversation.number or "").removeprefix("+").isdecimal()
    return facts if is_phone else replace(facts, numbers=())


def text_staff(
    session: Session, clinic: Clinic, staff: Staff, *, body: str, dedupe: str, lane: str = "urgent"
) -> Message | None:
    """Queue a text to a colleague, at once and at any hour; None if we have no number of theirs."""
    if not staff.number or not staff.active:
        return None
    return _queue(
        session,
        clinic,
        None,
        key_id=clinic.key_id,
        staff_id=staff.id,
        kind="staff_alert",
        lane=lane,
        body=body,
        dedupe=dedupe,
    )


def cancel(session: Session, message_ids: Iterable[UUID]) -> int:
    """Take back texts that have not left yet; return how many were caught."""
    caught = (
        update(Message)
        .where(Message.id.in_(list(message_ids)), Message.state == "queued")
        .values(state="cancelled")
        .returning(Message.clinic_id, Message.conversation_id)
    )
    taken_back = session.execute(caught).all()
    for clinic_id, conversation_id in taken_back:
        live.bump(session, clinic_id, f"conversation:{conversation_id}")
    return len(taken_back)


def stop(session: Session, message_ids: Iterable[UUID]) -> set[UUID]:
    """Take back texts that have not left yet; return those that never will, also where they were taken back before."""
    ids = list(message_ids)
    if not ids:
        return set()
    cancel(session, ids)
    session.flush()
    return set(session.scalars(select(Message.id).where(Message.id.in_(ids), Message.state == "cancelled")))


def withdraw(session: Session, message_ids: Iterable[UUID]) -> set[UUID]:
    """Take back texts that are to be written anew, as `stop` does. Their reason may queue another."""
    stopped = stop(session, message_ids)
    texts = select(Message).where(Message.id.in_(stopped)).execution_options(populate_existing=True)
    for text in session.scalars(texts):
        text.dedupe = f"{text.dedupe}:{text.id.hex}"
    return stopped


def _introduced(session: Session, conversation: Conversation, kind: str, language: str, body: str) -> str:
    # The first automatic text to a number says how to end texts; a person's own words are left alone. An answer to
    # what somebody wrote, and a text that never left, have not said it.
    if kind not in AUTOMATIC:
        return body
    before = exists().where(
        Message.conversation_id == conversation.id,
        Message.direction == "out",
        Message.kind == kind,
        Message.state.not_in(NEVER_LEFT),
    )
    if session.scalar(select(before)):
        return body
    suffix = clinic_words.of(session, conversation.clinic_id).text("welcome_suffix", language)
    return body if suffix in body else f"{body} {suffix}"


def _queue(
    session: Session, clinic: Clinic, conversation: Conversation | None, *, dedupe: str, **facts: Any
) -> Message:
    """Queue a message with these `facts`, or return the one that `dedupe` has queued before."""
    first = session.scalar(select(Message).where(Message.clinic_id == clinic.id, Message.dedupe == dedupe))
    if first is not None:
        return first
    now = clock.now()
    message = Message(
        clinic_id=clinic.id,
        conversation_id=conversation.id if conversation else None,
        direction="out",
        state="queued",
        dedupe=dedupe,
        created_at=now,
        **{"try_after": now} | facts,
    )
    session.add(message)
    session.flush()
    if conversation is not None:
        conversation.last_at = now
    queue.ring(session, LANES[message.lane])
    return message
