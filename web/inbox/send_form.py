"""Sends a patient the link to a form: chosen by a person, in the patient's language, giving nothing away."""

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from intake_links import links, scoring
from messaging import outbox
from messaging.models import Clinic, Patient, Staff
from messaging.wording import clinic_words
from reminders import phrasing, planner
from reminders.sending import followups
from web import layout, permissions, sessions, times, words
from web.inbox import first_words, inbox_page
from web.patients import patient_page
from web.presenters import case_side, case_view

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
    _check(session, clinic, patient, wanted)
    now, name = clock.now(), patient.zone or clinic.zone
    opens = planner.hours_for(session, patient).next_open(now, ZoneInfo(name))
    # A link that waits for the morning is open for as long as one that goes out now.
    link, url = links.issue(session, clinic, patient, wanted, valid=links.VALID + (opens - now))
    values = phrasing.about_clinic(clinic, patient) | {"link": url}
    try:
        message = outbox.text_patient(
            session,
            clinic,
            patient,
            kind="automatic",
            programme="screening",
            body=phrasing.say(clinic_words.of(session, clinic.id), "form_link", patient, values),
            dedupe=f"form:{link.id}",
            lane="urgent" if opens <= now else "bulk",
            author_id=staff.id,
            not_before=opens,
            expires_at=link.expires_at,
        )
    except outbox.MayNotText as refused:
        raise Refused(words.say("closed_forms", refused.reason.key)) from None
    followups.expect(session, clinic, patient, link, message)
    audit.record(
        session,
        clinic.id,
        audit.Actor.staff(staff.id),
        "form.sent",
        f"intake_link:{link.id}",
        patient=str(patient.id),
    )
    if opens <= now:
        return words.say("notices", "form_sent")
    return words.say("notices", "form_waits", when=times.moment(opens, now, name, running=True))


def _check(session: Session, clinic: Clinic, patient: Patient, wanted: list[str]) -> None:
    instruments = scoring.instruments()
    if not wanted or len(set(wanted)) != len(wanted) or not set(wanted) <= set(instruments):
        raise Refused(words.say("refusals", "form_nothing"))
    if not all(case_side.speaks(instruments[name], patient.language) and not instruments[name].ages for name in wanted):
        raise Refused(words.say("refusals", "form_language"))
    if patient.birth_date is None:
        raise Refused(words.say("refusals", "form_no_birth_date"))
    live = links.open_link_of(session, patient.id)
    if live is not None and request.form.get("anew") != "yes":
        since = times.moment(live.created_at, clock.now(), clinic.zone, running=True)
        raise Refused(words.say("refusals", "form_open", since=since))


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
