"""Texts with patients: reading them, and writing one from the care team within what the patient agreed to."""

from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy.orm import Session

from api import pages
from api.operations import Answer, Call, Operation
from api.pages import OfPatient, Page
from api.problems import at, because
from api.shapes import Moment, Shape, Words, opened
from config import clock
from intake_links import addresses
from messaging import outbox
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from messaging.wording import proofreading, text_templates
from reminders import planner

MOST_SEGMENTS = 10
PROGRAMME = "care_team"


class MessageIn(Shape):
    """A text to one patient. It leaves when this patient may be texted, at the earliest now."""

    patient_id: UUID
    body: Words = Field(min_length=1, max_length=2000)


class MessageOut(Shape):
    """A text, in or out. `body` is null where its words are no longer kept; links of patients are left out of it."""

    id: UUID
    patient_id: UUID | None
    conversation_id: UUID | None
    direction: Literal["in", "out"]
    kind: str
    programme: str | None
    state: str
    body: str | None
    author_id: UUID | None
    error_code: int | None
    created_at: Moment
    not_before: Moment | None
    sent_at: Moment | None
    delivered_at: Moment | None


# Staff's own alerts are no texts with patients.
WITH_PATIENTS = Message.staff_id.is_(None)
PLAIN = ("id", "patient_id", "conversation_id", "direction", "kind", "programme", "state", "author_id", "error_code")
MOMENTS = ("created_at", "sent_at", "delivered_at")


def _shown(message: Message) -> MessageOut:
    body = opened(message, "body") or None
    waits = message.try_after if message.state == "queued" else None
    facts = {name: getattr(message, name) for name in (*PLAIN, *MOMENTS)}
    return MessageOut(**facts, body=addresses.withheld(body) if body else None, not_before=waits)


def _list(call: Call, query: OfPatient) -> Page[MessageOut]:
    """List the texts with patients, in and out."""
    return pages.page(call, "messages", Message, query, _shown, WITH_PATIENTS)


def _get(call: Call, id: UUID) -> MessageOut:
    """Read one text, and how its delivery stands."""
    return _shown(pages.row(call, Message, id, WITH_PATIENTS))


def _send(call: Call, body: MessageIn) -> Answer:
    """Text a patient as the care team, by day, if they have agreed to the care team's texts."""
    patient, words = pages.patient(call, body.patient_id), proofreading.tidy(body.body)
    _check(call.session, call.clinic, patient, words)
    zone = ZoneInfo(patient.zone or call.clinic.zone)
    opens = planner.hours_for(call.session, patient).next_open(clock.now(), zone)
    try:
        message = outbox.text_patient(
            call.session,
            call.clinic,
            patient,
            kind="reply",
            programme=PROGRAMME,
            body=words,
            dedupe=f"api:{call.once}",
            lane="urgent",
            author_id=call.staff.id if call.staff else None,
            not_before=opens,
        )
    except outbox.MayNotText as refused:
        raise because("may_not_text", refused.reason.value) from None
    return Answer(201, _shown(message))


def _check(session: Session, clinic: Clinic, patient: Patient, words: str) -> None:
    """Hold a program's words to what holds for a colleague's. Raises Problem."""
    if not words:
        raise at("/body", "empty")
    if text_templates.segments(words).segments > MOST_SEGMENTS:
        raise at("/body", "too_long")
    number = directory.textable_number(session, patient)
    sharing = directory.patients_with_number(session, clinic, number.number or "") if number else []
    names = [name or "" for each in sharing for name in (each.first_name, each.last_name)] if len(sharing) > 1 else []
    if proofreading.proof(words, names):
        raise at("/body", "flagged")


OPERATIONS = (
    Operation(
        "messages.list", "GET", "/messages", _list, "messages.read", "message", {200: Page[MessageOut]}, query=OfPatient
    ),
    Operation(
        "messages.send", "POST", "/messages", _send, "messages.write", "message",
        {201: MessageOut}, body=MessageIn, refuses=("may_not_text",),
    ),
    Operation("messages.get", "GET", "/messages/{id}", _get, "messages.read", "message", {200: MessageOut}),
)  # fmt: skip
