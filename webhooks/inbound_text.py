"""A text that came in, with all that was found out about it before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from config import logging
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from messaging.reading import authorship, likeness, read_reply, rulebook, tiers
from webhooks import fields


@dataclass(frozen=True)
class Inbound:
    """One text that came in, found, filed and read. `patients` are the active ones who gave the number.

    `colleague` has this number and is no patient; `silent`: a phone or a network wrote all of it. `tier` is how grave
    it is by both readers, as far as the clinic acts on them, and `tier_why` its reasons; `reading.crisis` says the same
    of a crisis. `joined` are the texts with which it says more than alone.
    """

    session: Session
    clinic: Clinic
    conversation: Conversation
    patients: Sequence[Patient]
    message: Message
    reading: read_reply.Reading
    number: str
    carrier_answers: bool
    colleague: Staff | None = None
    silent: bool = False
    tier: tiers.Tier | None = None
    tier_why: tuple[str, ...] = ()
    joined: Sequence[Message] = ()

    @property
    def patient(self) -> Patient | None:
        """The one patient whose text this is; None while nobody or several fit."""
        return self.patients[0] if len(self.patients) == 1 else None

    @property
    def said_in(self) -> str | None:
        """The language of the words, None where it is the record's, English or unknown.

        English is what every colleague reads: it is the language of their pages.
        """
        language = rulebook.language_of(self.reading.why)
        return language if language not in ("en", self.language) else None

    @property
    def language(self) -> str:
        """The language all patients of this number share, else English."""
        spoken = {patient.language for patient in self.patients}
        return spoken.pop() if len(spoken) == 1 else "en"


def priority_of(form: Mapping[str, str]) -> str:
    """Return with what priority a text is worked on: urgent where it may speak of a crisis or cannot be read."""
    # Each way it may have been meant; most texts are meant in one way only.
    bodies = [form[name] for name in ("Body", fields.ALONE, fields.JOINED) if form.get(name)]
    return "urgent" if any(map(_needs_haste, bodies)) else "default"


def _needs_haste(body: str) -> bool:
    try:
        words = authorship.read(body, tuple).words
        alike = likeness.read(words)
        return read_reply.read(words).crisis or (alike is not None and alike.band == "crisis")
    except Exception as error:  # noqa: BLE001 - a text that cannot be read must be kept all the same, and soon
        logging.logger().error("a text could not be read", exc_info=error)
        return True
