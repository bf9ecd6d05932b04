"""All that is said between a clinic and one number, in the order it was said."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import clock, db, runtime
from messaging.models import CarrierCopy, Clinic, Conversation, Message, Patient, PatientNumber

# What a reaction may be to; a phone shows further back, but hardly anybody reacts there.
LATELY = 100
# Before the id of the text of ours that a text which came in reacts to, among the labels of its reading.
REACTS_TO = "reacts_to."


def of_number(session: Session, clinic: Clinic, number: str) -> Conversation:
    """Return the conversation with `number`, begun if need be. It is a patient's only when exactly one fits."""
    index = db.clinic_index(session, clinic.key_id, "number", number)
    existing = select(Conversation).where(Conversation.clinic_id == clinic.id, Conversation.number_index == index)
    conversation = session.scalar(existing)
    if conversation is None:
        patient_id = _only_patient(session, clinic.id, index)
        try:
            with session.begin_nested():
                key_id = db.new_data_key(session, clinic.id, under=_key_of(session, clinic, patient_id))
                conversation = Conversation(
                    clinic_id=clinic.id,
                    key_id=key_id,
                    number_index=index,
                    number=number,
                    patient_id=patient_id,
                    last_at=clock.now(),
                    auto_replies=0,
                )
                session.add(conversation)
        except IntegrityError:  # another worker has begun it at this very moment
            return session.scalars(existing).one()
    return conversation


def of_patient(session: Session, clinic: Clinic, patient: Patient) -> Conversation | None:
    """Return the latest conversation with a number of the patient's own, if one was ever begun."""
    latest = (
        select(Conversation)
        .join(
            PatientNumber,
            (PatientNumber.number_index == Conversation.number_index)
            & (PatientNumber.clinic_id == Conversation.clinic_id),
        )
        .where(
            PatientNumber.patient_id == patient.id,
            PatientNumber.line != "wrong_person",
            Conversation.clinic_id == clinic.id,
        )
        .order_by(Conversation.last_at.desc())
        .limit(1)
    )
    return session.scalar(latest)


def has_answered(session: Session, number: PatientNumber) -> bool:
    """Whether the patient, and nobody else who has this number, has ever texted from it."""
    answered = (
        select(Message.id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(
            Conversation.clinic_id == number.clinic_id,
            Conversation.number_index == number.number_index,
            Message.direction == "in",
            Message.patient_id == number.patient_id,
        )
    )
    return session.scalar(answered.limit(1)) is not None


def attribute(session: Session, clinic: Clinic, number: str) -> None:
    """Look again at whose conversation this is, after a number was added to or taken from a patient.

    Its key goes with it: what was said before anybody knew whose number it is is destroyed with the patient's key too.
    """
    index = db.clinic_index(session, clinic.key_id, "number", number)
    existing = select(Conversation).where(Conversation.clinic_id == clinic.id, Conversation.number_index == index)
    conversation = session.scalar(existing)
    if conversation is not None:
        before, conversation.patient_id = conversation.patient_id, _only_patient(session, clinic.id, index)
        # Those from before conversations had keys of their own stand under the clinic's.
        if conversation.patient_id != before and conversation.key_id != clinic.key_id:
            db.move_key(session, conversation.key_id, under=_key_of(session, clinic, conversation.patient_id))


def _key_of(session: Session, clinic: Clinic, patient_id: UUID | None) -> UUID:
    """The key that wraps a conversation's: the patient's once it is known whose it is."""
    return clinic.key_id if patient_id is None else session.get_one(Patient, patient_id).key_id


def _only_patient(session: Session, clinic_id: UUID, index: bytes) -> UUID | None:
    fitting = select(PatientNumber.patient_id).where(
        PatientNumber.clinic_id == clinic_id,
        PatientNumber.number_index == index,
        PatientNumber.line != "wrong_person",
    )
    ids = session.scalars(fitting.limit(2)).all()
    return ids[0] if len(ids) == 1 else None


def file_inbound(
    session: Session,
    clinic: Clinic,
    conversation: Conversation,
    *,
    body: str,
    provider_sid: str,
    reading: Sequence[str],
    media: Sequence[Any] = (),
    at: datetime | None = None,
) -> Message:
    """Keep a text that came in, with the names of the rules that read it. The sid makes it the only one."""
    now = clock.now()
    message = Message(
        clinic_id=clinic.id,
        key_id=conversation.key_id,
        conversation_id=conversation.id,
        patient_id=conversation.patient_id,
        direction="in",
        kind="reply",
        state="received",
        lane="bulk",
        body=body,
        media=list(media),
        reading=list(reading),
        dedupe=f"in:{provider_sid}",
        provider_sid=provider_sid,
        created_at=at or now,
        try_after=now,
    )
    session.add(message)
    conversation.last_at = now
    session.flush()
    owe_emptying(session, message.clinic_id, message.id, provider_sid)
    return message


def owe_emptying(session: Session, clinic_id: UUID, message_id: UUID, sid: str) -> None:
    """The carrier keeps the words of this text too, under its `sid`: they are to be emptied there in time."""
    now, hours = clock.now(), runtime.settings().carrier_keeps_hours
    due = now + timedelta(hours=hours or 0)  # where the carrier may keep all, nobody looks until that is changed
    session.add(CarrierCopy(clinic_id=clinic_id, message_id=message_id, sid=sid, taken_at=now, try_after=due))


def sent_lately(session: Session, conversation_id: UUID) -> list[Message]:
    """Return our last texts to this number whose words are still kept, the latest first, with their keys loaded."""
    sent = select(Message).where(
        Message.conversation_id == conversation_id,
        Message.direction == "out",
        Message.emptied_at.is_(None),
    )
    texts = list(session.scalars(sent.order_by(Message.created_at.desc(), Message.id.desc()).limit(LATELY)))
    db.load_keys(session, (message.key_id for message in texts))
    return texts


def a_person_wrote_last(session: Session, conversation_id: UUID) -> bool:
    """Whether the last text of ours was written by a colleague."""
    last = (
        select(Message.author_id)
        .where(Message.conversation_id == conversation_id, Message.direction == "out")
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
    )
    return session.scalar(last) is not None


def last_words(session: Session, patient_ids: Collection[UUID], since: datetime) -> dict[UUID, datetime]:
    """Return when the last word fell, by patient with whom a colleague is talking: both have written after `since`.

    Whoever shares a number is talked with on it.
    """
    said = case((Message.direction == "in", Message.created_at))
    written = case((Message.author_id.is_not(None), Message.created_at))
    rows = (
        select(PatientNumber.patient_id, func.max(said), func.max(written))
        .join(
            Conversation,
            (Conversation.number_index == PatientNumber.number_index)
            & (Conversation.clinic_id == PatientNumber.clinic_id),
        )
        .join(Message, Message.conversation_id == Conversation.id)
        .where(
            PatientNumber.patient_id.in_(patient_ids),
            Message.created_at > since,
            Message.state != "cancelled",
        )
        .group_by(PatientNumber.patient_id)
    )
    return {patient_id: max(heard, ours) for patient_id, heard, ours in session.execute(rows) if heard and ours}


def messages(
    session: Session, conversation_id: UUID, *, before: datetime | None = None, limit: int = 50
) -> list[Message]:
    """Return the latest `limit` messages said before `before`, oldest first, with their keys loaded."""
    texts = select(Message).where(Message.conversation_id == conversation_id)
    if before is not None:
        texts = texts.where(Message.created_at < before)
    latest = list(session.scalars(texts.order_by(Message.created_at.desc(), Message.id.desc()).limit(limit)))
    db.load_keys(session, (message.key_id for message in latest))
    return latest[::-1]
