"""Notes and calls: written beside a case or on a patient's page, struck by their author, and never sent to anybody."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes
from config import clock, db
from messaging import conversations
from messaging.inbox import notes_and_calls
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Patient, PatientNumber, Staff
from messaging.people import directory
from messaging.team import readers, thread
from reminders import care_model
from web import asked_people, layout, permissions, sessions, times, words
from web.inbox import first_words, inbox_page
from web.patients import patient_page

contacts = layout.room("contacts", __name__)
LONGEST_CALL = 600
Keep = Callable[[Session, Clinic, Staff, dict[str, UUID | None]], Contact]


class Refused(Exception):
    """What was typed cannot be kept as it is; its argument is the key of the sentence that says why."""


@contacts.post("/inbox/<uuid:item_id>/note")
@permissions.signed_in("inbox.work")
def note(item_id: UUID) -> Response | tuple[str, int]:
    """Keep a note beside a case."""
    return _beside_a_case(item_id, _note, "noted")


@contacts.post("/inbox/<uuid:item_id>/call")
@permissions.signed_in("inbox.work")
def call(item_id: UUID) -> Response | tuple[str, int]:
    """Keep that somebody called because of this case."""
    return _beside_a_case(item_id, _call, "called")


@contacts.post("/patients/<uuid:patient_id>/note")
@permissions.signed_in("inbox.work")
def note_of_patient(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep a note on a patient's page."""
    return _on_a_page(patient_id, _note, "noted")


@contacts.post("/patients/<uuid:patient_id>/call")
@permissions.signed_in("inbox.work")
def call_of_patient(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep a call on a patient's page."""
    return _on_a_page(patient_id, _call, "called")


@contacts.post("/contacts/<uuid:contact_id>/strike")
@permissions.signed_in("inbox.work")
def strike(contact_id: UUID) -> Response | tuple[str, int]:
    """Strike one's own line; it stays readable."""
    with db.unit_of_work(sessions.clinic().id) as session:
        contact = _the_contact(session, contact_id)
        try:
            thread.retract(session, contact, layout.the_staff())
        except notes_and_calls.MayNotStrike:
            return _again(session, contact, words.say("refusals", "not_strikeable")), 422
        return _back(contact, "struck")


@contacts.post("/contacts/<uuid:contact_id>/line")
@permissions.signed_in("inbox.work")
def mark_line(contact_id: UUID) -> Response | tuple[str, int]:
    """Say what a call has taught about one of the patient's numbers: out of service, or somebody else's."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        contact = _the_contact(session, contact_id)
        number = _their_number(session, contact, request.form.get("number", ""))
        line = notes_and_calls.LINES.get(contact.outcome or "")
        if number is None or line is None:
            abort(404)
        dialled = number.number or ""
        if line == "wrong_person" and len(directory.patients_with_number(session, clinic, dialled)) > 1:
            return _again(session, contact, words.say("refusals", "line_shared")), 422
        directory.learn_line(session, clinic, dialled, line, layout.the_actor())
        session.flush()
        conversations.attribute(session, clinic, dialled)
        return _back(contact, "line_marked")


def _beside_a_case(item_id: UUID, keep: Keep, notice: str) -> Response | tuple[str, int]:
    with db.unit_of_work(sessions.clinic().id) as session:
        item = inbox_page.the_item(session, item_id)
        about = {
            "patient_id": item.patient_id,
            "conversation_id": item.conversation_id,
            "item_id": item.id,
        }
        try:
            contact = keep(session, sessions.clinic(), layout.the_staff(), about)
        except Refused as refused:
            return inbox_page.page(
                session, inbox_page.the_view(), item, problem=words.say("refusals", str(refused))
            ), 422
        return _kept(contact, _waits_under_care(session, contact) or notice)


def _on_a_page(patient_id: UUID, keep: Keep, notice: str) -> Response | tuple[str, int]:
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        about: dict[str, UUID | None] = {"patient_id": patient.id}
        try:
            contact = keep(session, sessions.clinic(), layout.the_staff(), about)
        except Refused as refused:
            return first_words.page(session, patient, problem=words.say("refusals", str(refused))), 422
        return _kept(contact, _waits_under_care(session, contact) or notice)


def _note(session: Session, clinic: Clinic, staff: Staff, about: dict[str, Any]) -> Contact:
    body = request.form.get("words", "")
    if not body.strip():
        raise Refused("note_empty")
    if about["patient_id"] is None:
        return notes_and_calls.write_note(session, clinic, staff, words=body, once=_once(), **about)
    patient = session.get_one(Patient, about["patient_id"])
    named = asked_people.of_form(session, clinic, body)
    draft = thread.Draft(body, named.people, once=_once(), item_id=about.get("item_id"))
    try:
        return thread.write(session, clinic, staff, patient, draft)
    except readers.MayNotSee as why:
        raise Refused(asked_people.refused(why)) from None


def _call(session: Session, clinic: Clinic, staff: Staff, about: dict[str, Any]) -> Contact:
    outcome = request.form.get("outcome", "")
    if outcome not in notes_and_calls.outcomes():
        raise Refused("call_outcome")
    return notes_and_calls.log_call(
        session,
        clinic,
        staff,
        outcome=outcome,
        minutes=_minutes(request.form.get("minutes", "").strip()),
        words=request.form.get("words"),
        next_try_at=_next_try(clinic, request.form.get("next_try", "").strip()),
        once=_once(),
        **about,
    )


def _minutes(typed: str) -> int | None:
    if not typed:
        return None
    if not typed.isascii() or not typed.isdigit() or not 1 <= int(typed[:5]) <= LONGEST_CALL:
        raise Refused("call_minutes")
    return int(typed)


def _next_try(clinic: Clinic, typed: str) -> datetime | None:
    """Read a local date and time as the field sends it ("2026-11-22T16:00"), by the clinic's clock."""
    if not typed:
        return None
    wanted = times.moment_of(typed, clinic.zone)
    if wanted is None or wanted <= clock.now():
        raise Refused("call_next")
    return wanted


def _once() -> UUID | None:
    return _id(request.form.get("once"))


def _id(typed: str | None) -> UUID | None:
    try:
        return UUID(typed or "")
    except ValueError:
        return None


def _the_contact(session: Session, contact_id: UUID) -> Contact:
    contact = session.get(Contact, contact_id, with_for_update=True)
    if contact is None or contact.clinic_id != sessions.clinic().id:
        abort(404)
    return contact


def _their_number(session: Session, contact: Contact, wanted: str) -> PatientNumber | None:
    row_id = _id(wanted)
    number = session.get(PatientNumber, row_id) if row_id else None
    return number if number is not None and number.patient_id == contact.patient_id else None


def _here(contact: Contact) -> str:
    """The case it was written beside, unless it was asked for from the patient's page; without either, the inbox."""
    on_page = request.values.get("from") == "patient"
    if contact.item_id and not on_page:
        return url_for("inbox.case", item_id=contact.item_id, **inbox_page.place(inbox_page.the_view()))
    if contact.patient_id:
        return url_for("firstwords.messages", patient_id=contact.patient_id)
    return url_for("inbox.show")


def _waits_under_care(session: Session, contact: Contact) -> str | None:
    """What to say instead where the minutes of a call can be taken over into an episode of care."""
    if not contact.minutes or contact.patient_id is None or not care_model.of_clinic(sessions.clinic()).registry:
        return None
    return "called_in_care" if episodes.open_of(session, contact.patient_id) is not None else None


def _kept(contact: Contact, notice: str) -> Response:
    came: dict[str, Any] = {"from": request.form.get("from")}
    way = url_for("contacts.strike", contact_id=contact.id, **came)
    return _back(contact, notice, f"undo {way}")


def _back(contact: Contact, notice: str, category: str = "said") -> Response:
    flash(words.say("notices", notice), category)
    return redirect(_here(contact), 303)


def _again(session: Session, contact: Contact, problem: str) -> str:
    item = session.get(InboxItem, contact.item_id) if contact.item_id else None
    if item is not None and request.values.get("from") != "patient":
        return inbox_page.page(session, inbox_page.the_view(), item, problem=problem)
    patient = session.get(Patient, contact.patient_id) if contact.patient_id else None
    if patient is None:
        abort(404)
    return first_words.page(session, patient, problem=problem)
