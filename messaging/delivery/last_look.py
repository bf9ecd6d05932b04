"""The last look before a text leaves: consent, line and life as they are now, not as they were when it was queued."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from config import clock, db
from messaging import outbox, reachable
from messaging.models import Clinic, Conversation, Message, Staff

Row = TypeVar("Row", Clinic, Conversation, Staff)


def _rows(session: Session, model: type[Row], ids: Iterable[UUID | None]) -> dict[UUID, Row]:
    wanted = {row_id for row_id in ids if row_id}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(wanted)))} if wanted else {}


class LastLook:
    """Everything the last look before a sending needs, read for all of these texts at once."""

    def __init__(self, session: Session, messages: Sequence[Message]) -> None:
        self.now = clock.now()
        self.clinics = _rows(session, Clinic, (m.clinic_id for m in messages))
        self.conversations = _rows(session, Conversation, (m.conversation_id for m in messages))
        self.staff = _rows(session, Staff, (m.staff_id for m in messages))
        self.facts = reachable.of_conversations(
            session,
            {(self.conversations[m.conversation_id], m.patient_id) for m in messages if m.conversation_id},
        )
        self.overtaken = _overtaken(session, messages)
        db.load_keys(session, (conversation.key_id for conversation in self.conversations.values()))

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
        facts = self.facts[message.conversation_id, message.patient_id]
        return outbox.of_text(facts, message.kind, message.programme or "care_team", message.author_id)


def _overtaken(session: Session, messages: Sequence[Message]) -> set[UUID]:
    """Which of the texts that a colleague planned for later the patient has overtaken by writing again."""
    planned = [message.id for message in messages if message.scheduled_for is not None]
    if not planned:
        return set()
    later = aliased(Message)
    since = exists().where(
        later.conversation_id == Message.conversation_id, later.direction == "in", later.id > Message.id
    )
    return set(session.scalars(select(Message.id).where(Message.id.in_(planned), since)))
