"""Whose number it is: one that nobody is known by becomes a patient's, or is somebody else's; all can be taken back."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit
from messaging import conversations, outbox
from messaging.consent import ledger
from messaging.inbox import items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import PROGRAMMES, Clinic, Conversation, Message, Patient, PatientNumber, Staff
from messaging.people import directory

# Without letters and digits that are taken for one another when read out.
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class NotUnknown(Exception):
    """The number belongs to somebody, or did a moment ago: look again before it is given to another patient."""


class StoppedByText(Exception):
    """The phone itself has stopped these texts, so nobody can agree to them by any other way than its START."""


def merge(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    conversation: Conversation,
    patient: Patient,
    *,
    text_here: bool,
) -> None:
    """Make a number that fits nobody the patient's own: its conversation and what waits in it are theirs.

    With `text_here` it becomes the number that reminders go to, else the one so far stays that. What the number has
    agreed to is what its ledger says: nothing is added. Raises NotUnknown.
    """
    number = conversation.number or ""
    fitting = directory.patients_with_number(session, clinic, number)
    if fitting:
        raise NotUnknown
    before = directory.textable_number(session, patient)
    directory.add_number(session, clinic, patient, number)
    own = number_of(session, conversation, patient)
    own.line = "unknown" if own.line == "wrong_person" else own.line
    if before is not None and before.id != own.id and not text_here:
        directory.add_number(session, clinic, patient, before.number or "")
    session.flush()
    conversations.attribute(session, clinic, number)
    _move(session, conversation, None, patient.id)
    for item in _items(session, conversation, patient.id):
        items.note_event(session, item, audit.Actor.staff(staff.id), "identified", patient=str(patient.id))
    _write_down(session, clinic, staff, "number.merged", conversation, patient.id)


def separate(session: Session, clinic: Clinic, staff: Staff, conversation: Conversation, patient: Patient) -> None:
    """Take a merge back: the number leaves the patient, and with it what came from it; unsent reminders are stopped."""
    number = conversation.number or ""
    for item in _items(session, conversation, patient.id):
        items.note_event(session, item, audit.Actor.staff(staff.id), "separated", patient=str(patient.id))
    stop_texts(session, conversation, patient.id)
    session.delete(number_of(session, conversation, patient))
    session.flush()
    _move(session, conversation, patient.id, None)
    conversations.attribute(session, clinic, number)
    _write_down(session, clinic, staff, "number.separated", conversation, patient.id)


def merged(history: Sequence[ItemEvent]) -> bool:
    """Whether an item of this history is a patient's because somebody said whose number it is, and nobody has taken
    that back."""
    said = [event.event for event in history if event.event in ("identified", "separated")]
    return said[-1:] == ["identified"]


def file_to(session: Session, clinic: Clinic, staff: Staff, item: InboxItem, patient: Patient) -> None:
    """Say which of those who share a phone an item is about; number and conversation stay everybody's."""
    item.patient_id = patient.id
    table, _, row_id = item.about.partition(":")
    message = session.get(Message, UUID(row_id)) if table == "message" else None
    if message is not None and message.direction == "in":
        message.patient_id = patient.id
    items.note_event(session, item, audit.Actor.staff(staff.id), "filed", patient=str(patient.id))
    audit.record(
        session,
        clinic.id,
        audit.Actor.staff(staff.id),
        "item.filed",
        f"inbox_item:{item.id}",
        patient=str(patient.id),
    )


def not_theirs(
    session: Session, clinic: Clinic, staff: Staff, number: PatientNumber, conversation: Conversation | None
) -> None:
    """Say that a number is not this patient's: nothing about them goes there now, and nobody is texted about it."""
    if conversation is not None:
        stop_texts(session, conversation, number.patient_id)
    directory.mark_number(session, clinic, number, "wrong_person", audit.Actor.staff(staff.id))


def number_of(session: Session, conversation: Conversation, patient: Patient) -> PatientNumber:
    """Return the patient's own row of the conversation's number. Raises NoResultFound."""
    return session.scalars(
        select(PatientNumber).where(
            PatientNumber.patient_id == patient.id, PatientNumber.number_index == conversation.number_index
        )
    ).one()


def conversation_of(session: Session, number: PatientNumber) -> Conversation | None:
    """Return the conversation with a patient's number, if one was ever begun."""
    return session.scalar(
        select(Conversation).where(
            Conversation.clinic_id == number.clinic_id, Conversation.number_index == number.number_index
        )
    )


def stop_texts(
    session: Session,
    conversation: Conversation,
    patient_id: UUID | None,
    programmes: Sequence[str] = PROGRAMMES,
) -> int:
    """Take back what waits to leave to this number about this patient (None: about anybody); return how many."""
    waiting = select(Message.id).where(
        Message.conversation_id == conversation.id,
        Message.direction == "out",
        Message.state == "queued",
        Message.programme.in_(programmes),
    )
    if patient_id is not None:
        waiting = waiting.where(Message.patient_id == patient_id)
    return outbox.cancel(session, session.scalars(waiting).all())


def say_consent(
    session: Session,
    clinic: Clinic,
    number: PatientNumber,
    event: ledger.Event,
    *,
    actor: str,
    programmes: Sequence[str],
    source: str,
    words: str,
    wording: str | None = None,
) -> int:
    """Write down what somebody said about texts to this number, and stop what may not leave any more; return how many.

    The one verb for what is said aloud or in writing. Raises StoppedByText where only the phone can bring texts back.
    """
    if event == "granted" and ledger.stopped_by_text(session, clinic, number.number or "", programmes):
        raise StoppedByText
    ledger.record(
        session,
        clinic,
        number.number or "",
        event,
        source=source,
        actor=actor,
        programmes=programmes,
        patient_id=number.patient_id,
        words=words,
        wording=wording,
    )
    conversation = conversation_of(session, number)
    if event == "granted" or conversation is None:
        return 0
    return stop_texts(session, conversation, None, programmes)


def temporary_record(session: Session, clinic: Clinic) -> str:
    """Return a record number that nobody has, for a patient whom the clinic's own system does not know yet."""
    while True:
        record = "T-" + "".join(secrets.choice(_LETTERS) for _ in range(6))
        if directory.find_by_record(session, clinic, record) is None:
            return record


def _move(session: Session, conversation: Conversation, before: UUID | None, after: UUID | None) -> None:
    """Give what came in from this number, and the items about it, from one patient (or nobody) to another."""
    for model, only in ((InboxItem, InboxItem.kind != "screen"), (Message, Message.direction == "in")):
        session.execute(
            update(model)
            .where(model.conversation_id == conversation.id, model.patient_id.is_not_distinct_from(before), only)
            .values(patient_id=after)
            .execution_options(synchronize_session="fetch")
        )


def _items(session: Session, conversation: Conversation, patient_id: UUID) -> list[InboxItem]:
    its = select(InboxItem).where(InboxItem.conversation_id == conversation.id, InboxItem.patient_id == patient_id)
    return list(session.scalars(its))


def _write_down(
    session: Session, clinic: Clinic, staff: Staff, act: str, conversation: Conversation, patient_id: UUID
) -> None:
    about = f"conversation:{conversation.id}"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), act, about, patient=str(patient_id))
