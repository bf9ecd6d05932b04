"""What a patient is called where others can see the screen."""

from messaging import phone
from messaging.inbox import dispositions
from messaging.models import Conversation, Patient
from web import words


def short_name(patient: Patient | None, conversation: Conversation | None) -> str:
    """Return "Teresa Q.", or the number's last digits where it belongs to nobody or to several."""
    if patient is not None and patient.shredded_at is not None:
        return words.say("keeping", "destroyed")
    if patient is not None:
        last = (patient.last_name or "")[:1]
        return f"{patient.first_name} {last}." if last else f"{patient.first_name}"
    if conversation is not None:
        return f"Unknown number {phone.mask(conversation.number or '')}"
    return "Nobody on file"


def of_nobody(kind: str, conversation: Conversation | None) -> str:
    """Return what an item about no patient is called: a number, or that it is between colleagues."""
    if conversation is None and kind in dispositions.OF_TEAM:
        return words.say("team", "between_colleagues")
    return short_name(None, conversation)


def initials(patient: Patient) -> str:
    """Return "T. Q.", or that the record was destroyed."""
    if patient.shredded_at is not None:
        return words.say("keeping", "destroyed")
    return " ".join(f"{name[0]}." for name in (patient.first_name, patient.last_name) if name)
