"""Where a patient lives and who is called in an emergency, written by a colleague."""

from collections.abc import Mapping
from uuid import UUID

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging import phone
from messaging.models import Patient
from messaging.people import contact_details
from reminders.imports import records
from web import layout, permissions, sessions, words
from web.patients import patient_page
from web.presenters import patient_view

details = layout.room("details", __name__)


@details.get("/patients/<uuid:patient_id>/details")
@permissions.signed_in("patients.change")
def show(patient_id: UUID) -> str:
    """Show what is on file, in its form; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        about = f"patient:{patient.id}"
        audit.record(session, patient.clinic_id, layout.the_actor(), "patient.opened", about)
        return _page(session, patient, _shown(patient))


@details.post("/patients/<uuid:patient_id>/details")
@permissions.signed_in("patients.change")
def save(patient_id: UUID) -> Response | tuple[str, int]:
    """Keep what was typed; no file takes it back unless that was chosen."""
    clinic, form = sessions.clinic(), request.form
    typed = {name: form.get(name, "") for name in contact_details.FIELDS}
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        if any(len(text.strip()) > contact_details.LONGEST for text in typed.values()):
            return _page(session, patient, typed, problem=words.say("refusals", "details_long")), 422
        read = records.details(typed, clinic)
        contact_details.write(session, patient, read, layout.the_actor(), from_files="from_files" in form)
    flash(words.say("notices", "details_saved"))
    return redirect(url_for("patients.show", patient_id=patient_id), 303)


def _shown(patient: Patient) -> dict[str, str]:
    """What is on file as people write it: the phone as it is read out."""
    kept = {name: getattr(patient, name) or "" for name in contact_details.FIELDS}
    number = kept["emergency_phone"]
    return kept | {"emergency_phone": phone.display(number) if number.startswith("+") else number}


def _page(session: Session, patient: Patient, fields: Mapping[str, str], *, problem: str | None = None) -> str:
    return layout.page(
        session,
        "staff/details.html",
        here="patients",
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        fields=fields,
        by_hand=patient.details_by is not None,
        problem=problem,
    )
