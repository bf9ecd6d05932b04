"""Words of a case that depend on nothing else in it: whom it is about in a sentence, and what raised it."""

from uuid import UUID

from sqlalchemy.orm import Session

from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Message, Patient
from messaging.people import directory
from web import words
from web.presenters import patient_view


def pronoun(patient: Patient | None) -> str:
    """Return what stands for the patient in a sentence: her | him | them."""
    return {"female": "her", "male": "him"}.get((patient.sex if patient else None) or "", "them")


def caption(item: InboxItem, patient: Patient | None) -> str:
    """Return what to make of an alert by what raised it: a text, a form, or somebody here; empty for no alert."""
    if item.kind != "safety":
        return ""
    table = item.about.partition(":")[0]
    key = table if table in words.table_of("captions") else "colleague"
    return words.say("captions", key, whom=pronoun(patient))


def quote(session: Session, item: InboxItem) -> str | None:
    """Return the words of the text that the item is about, None where it is about none of theirs."""
    table, _, row_id = item.about.partition(":")
    message = session.get(Message, UUID(row_id)) if table == "message" else None
    return message.body or None if message is not None and message.direction == "in" else None


def before(quote: str, summary: str) -> str:
    """Return what a summary says before the patient's own words, which stand below it in full."""
    return words.one_line(summary).removesuffix(words.one_line(quote)).rstrip(": ")


def sharing(session: Session, clinic: Clinic, conversation: Conversation | None) -> list[tuple[UUID, str]]:
    """Return the patients who share the number of a conversation that is nobody's alone."""
    if conversation is None or not conversation.number:
        return []
    fitting = directory.patients_with_number(session, clinic, conversation.number)
    return [(patient.id, patient_view.full_name(patient)) for patient in fitting]
