"""The last look before a text leaves: consent, line and life as they are now, not as they were when it was queued."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from config import clock, db
from messaging import carrier, consent, outbox
from messaging.models import Clinic, Conversation, Message, Patient, PatientNumber, Staff

Row = TypeVar("Row", Clinic, Conversation, Patient, Staff)


def _rows(session: Session, model: type[Row], ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    wanted = {row_id for row_id in ids if row_id}
    return (
        {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))} if wanted else {}
    )


class LastLook:
    """Everything the last look before a sending needs, read for all of these texts at once."""

    def __init__(self, session: Session, messages: Sequence[Message]) -> None:
        self.now = clock.now()
        self.clinics = _rows(session, Clinic, (m.clinic_id for m in messages))
        self.conversations = _rows(session, Conversation, (m.conversation_id for m in messages))
        self.patients = _rows(session, Patient, (m.patient_id for m in messages))
        self.staff = _rows(session, Staff, (m.staff_id for m in messages))
        numbers = [(one.clinic_id, one.number_index) for one in self.conversations.values()]
        self.consents = consent.states(session, numbers)
        self.lines = _lines(session, numbers)
        self.overtaken = _overtaken(session, messages)
        db.load_keys(session, (one.key_id for one in self.conversations.values()))

    def number(self, message: Message) -> str | None:
        """Return the number a text goes to. Raises keys.WrongKey where it does not open."""
        if message.staff_id:
            return self.staff[message.staff_id].number
        return self.conversations[message.conversation_id].number if message.conversation_id else None

    def why_not(self, message: Message) -> str | None:
        """Return why this text must not leave any more, None if it may."""
        if message.expires_at is not None and message.expires_at <= self.now:
            return "expired"
        if message.staff_id:  # who has left the clinic since is not told of its patients any more
            return None if self.staff[message.staff_id].active else "inactive"
        if message.conversation_id is None:
            return None
        if message.id in self.overtaken:
            return "overtaken"
        return self._closed(message, self.conversations[message.conversation_id])

    def _closed(self, message: Message, conversation: Conversation) -> str | None:
        number = (conversation.clinic_id, conversation.number_index)
        said = self.consents.get((*number, message.programme or "care_team"))
        if said == "revoked" and message.kind != outbox.LAST_WORD:
            return "opted out"
        patient = self.patients.get(message.patient_id) if message.patient_id else None
        if patient is not None and patient.state != "active":
            return "inactive"
        return self.lines.get((*number, None)) or self.lines.get((*number, message.patient_id))


def _overtaken(session: Session, messages: Sequence[Message]) -> set[UUID]:
    """Which of the texts that a colleague planned for later the patient has overtaken by writing again."""
    planned = [message.id for message in messages if message.scheduled_for is not None]
    if not planned:
        return set()
    said = aliased(Message)
    since = exists().where(
        said.conversation_id == Message.conversation_id, said.direction == "in", said.id > Message.id
    )
    return set(session.scalars(select(Message.id).where(Message.id.in_(planned), since)))


def _lines(
    session: Session, numbers: Sequence[tuple[UUID, bytes]]
) -> dict[tuple[UUID, bytes, UUID | None], str]:
    """Why a number is not texted: whoever is meant (patient None), or because it is not this patient's."""
    if not numbers:
        return {}
    bad = select(
        PatientNumber.clinic_id, PatientNumber.number_index, PatientNumber.patient_id, PatientNumber.line
    ).where(
        PatientNumber.number_index.in_([index for _, index in numbers]),
        PatientNumber.line.in_(carrier.LINES),
    )
    found: dict[tuple[UUID, bytes, UUID | None], str] = {}
    for clinic_id, index, patient_id, line in session.execute(bad):
        found[clinic_id, index, patient_id if line == "wrong_person" else None] = carrier.LINES[line]
    return found
