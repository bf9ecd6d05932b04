"""Sends a patient the link to a form: chosen by a person, in the patient's language, giving nothing away."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import outbox
from messaging.models import Clinic, Patient, Staff
from reminders.sending import form_links
from web import layout, permissions, sessions, times, words
from web.inbox import first_words, inbox_page
from web.patients import patient_page
from web.presenters import case_view

questions = layout.room("questions", __name__)


class Refused(Exception):
    """The form cannot be sent; its argument says why, in words."""


@questions.post("/patients/<uuid:patient_id>/form")
@permissions.signed_in("inbox.text")
def send(patient_id: UUID) -> Response | tuple[str, int]:
    """Send the chosen forms in one link, and go back to where it was asked for."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        try:
            with session.begin_nested():
                notice = send_form(session, clinic, staff, patient, request.form.getlist("instrument"))
        except Refused as refused:
            return _again(session, patient, str(refused)), 422
    flash(notice)
    return redirect(_here(patient_id), 303)


def send_form(session: Session, clinic: Clinic, staff: Staff, patient: Patient, wanted: list[str]) -> str:
    """Issue a link and queue its text, by day; return what to say of it. Raises Refused and has done nothing then."""
    now, actor = clock.now(), audit.Actor.staff(staff.id)
    try:
        _, opens = form_links.hand_out(
            session,
            clinic,
            patient,
            wanted,
            actor=actor,
            author_id=staff.id,
            anew=request.form.get("anew") == "yes",
        )
    except form_links.NotPossible as impossible:
        raise Refused(words.say("refusals", f"form_{impossible}")) from None
    except form_links.StillOpen as still:
        since = times.moment(still.link.created_at, now, clinic.zone, running=True)
        raise Refused(words.say("refusals", "form_open", since=since)) from None
    except outbox.MayNotText as refused:
        raise Refused(words.say("closed_forms", refused.reason.key)) from None
    if opens <= clock.now():
        return words.say("notices", "form_sent")
    when = times.moment(opens, now, patient.zone or clinic.zone, running=True)
    return words.say("notices", "form_waits", when=when)


def _here(patient_id: UUID) -> str:
    item_id = _item_id()
    if item_id is not None:
        return url_for("inbox.case", item_id=item_id, **inbox_page.place(inbox_page.the_view()))
    return url_for("firstwords.messages", patient_id=patient_id)


def _again(session: Session, patient: Patient, problem: str) -> str:
    item_id = _item_id()
    item = case_view.find(session, sessions.clinic(), item_id) if item_id else None
    if item is None:
        return first_words.page(session, patient, problem=problem)
    return inbox_page.page(session, inbox_page.the_view(), item, problem=problem)


def _item_id() -> UUID | None:
    try:
        return UUID(request.form.get("item", ""))
    except ValueError:
        return None
