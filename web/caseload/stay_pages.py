"""A stay in a hospital that a feed tells wrongly, put right by whoever bills: the feed's word stays beside it."""

from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes, months
from caseload.stays import correcting, standing
from config import audit, db
from messaging.models import Patient
from reminders import care_model
from reminders.models import InpatientStay
from web import layout, permissions, sessions, team, times, words
from web.patients import patient_page
from web.presenters import patient_view, stay_view

care_stays = layout.room("care_stays", __name__)


@care_stays.get("/patients/<uuid:patient_id>/stays/<uuid:stay_id>")
@permissions.signed_in("caseload.bill")
def show(patient_id: UUID, stay_id: UUID) -> str:
    """Show what is told of a stay, what colleagues have said of it, and the form; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient, told = _the_stay(session, patient_id, stay_id)
        about = f"inpatient_stay:{told.id}"
        audit.record(session, patient.clinic_id, layout.the_actor(), "care.stay_opened", about)
        return _page(session, patient, told)


@care_stays.post("/patients/<uuid:patient_id>/stays/<uuid:stay_id>")
@permissions.signed_in("caseload.bill")
def correct(patient_id: UUID, stay_id: UUID) -> Response | tuple[str, int]:
    """Let one's own word of a stay hold, and lead back to where one came from."""
    clinic, form = sessions.clinic(), request.form
    ended_at = times.moment_of(form.get("ended_at", ""), clinic.zone)
    said = correcting.Said(form.get("says", ""), ended_at, form.get("reason", ""))
    try:
        with db.unit_of_work(clinic.id) as session:
            patient, told = _the_stay(session, patient_id, stay_id)
            correcting.correct(session, layout.the_staff(), patient, told, said)
    except episodes.Refused as refused:
        with db.unit_of_work(clinic.id) as session:
            patient, told = _the_stay(session, patient_id, stay_id)
            return _page(session, patient, told, words.say("refusals", refused.why), refused.field), 422
    flash(words.say("notices", "care_stay_corrected"), "done")
    return redirect(_back(patient_id), 303)


def _the_stay(session: Session, patient_id: UUID, stay_id: UUID) -> tuple[Patient, InpatientStay]:
    """Return a patient of a clinic with a registry and their stay, or answer that there is none."""
    patient, told = patient_page.the_patient(session, patient_id), session.get(InpatientStay, stay_id)
    if told is None or told.patient_id != patient.id or not care_model.of_clinic(sessions.clinic()).registry:
        abort(404)
    return patient, told


def _back(patient_id: UUID) -> str:
    """The month one came from, else the patient's care, else the month that runs."""
    if month := _month():
        return url_for("care_months.show", month=month)
    return url_for("care.show", patient_id=patient_id) if layout.may("caseload.read") else url_for("care_months.show")


def _month() -> str:
    try:
        return str(months.parse(request.values.get("month", "")))
    except ValueError:
        return ""


def _page(session: Session, patient: Patient, told: InpatientStay, problem: str = "", field: str = "") -> str:
    clinic = sessions.clinic()
    people, (stay, said) = team.everyone(session, clinic.id), standing.of_stay(session, told)
    return layout.page(
        session,
        "staff/care_stay.html",
        here="care_month",
        name=patient_view.full_name(patient),
        line=stay_view.line(stay, people, clinic.zone),
        said=[stay_view.correction(each, people, clinic.zone) for each in said],
        corrected=stay.correction is not None,
        back=_back(patient.id),
        month=_month(),
        typed=request.form if problem else {},
        problem=problem,
        field=field,
    )
