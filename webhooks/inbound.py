"""A text that came in, with all that was found out about it before anything is done."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from messaging import reading
from messaging.models import Clinic, Conversation, Message, Patient


@dataclass(frozen=True)
class Inbound:
    """One text that came in, found, filed and read. `patients` are the active ones who gave the number."""

    session: Session
    clinic: Clinic
    conversation: Conversation
    patients: Sequence[Patient]
    message: Message
    reading: reading.Reading
    number: str
    carrier_answers: bool

    @property
    def patient(self) -> Patient | None:
        """The one patient whose text this is; None while nobody or several fit."""
        return self.patients[0] if len(self.patients) == 1 else None

    @property
    def language(self) -> str:
        """The language all patients of this number share, else English."""
        spoken = {one.language for one in self.patients}
        return spoken.pop() if len(spoken) == 1 else "en"
