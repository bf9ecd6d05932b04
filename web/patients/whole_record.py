"""A patient's whole record handed out: as a FHIR Bundle for a program, as a PDF for a person. Each is written down."""

import json
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Patient
from records import paper, whole
from web import layout, permissions, sessions, times, words
from web.patients import patient_page
from web.presenters import patient_view, record_lines

whole_records = layout.room("whole_records", __name__)


@whole_records.get("/patients/<uuid:patient_id>/export")
@permissions.signed_in("patients.export")
def show(patient_id: UUID) -> str:
    """Show what an export holds."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.opened(session, patient_id)
        db.load_keys(session, [patient.key_id])
        name = patient_view.full_name(patient)
        return layout.page(session, "staff/export.html", here="patients", patient_id=patient.id, name=name)


@whole_records.post("/patients/<uuid:patient_id>/export")
@permissions.signed_in("patients.export", fresh=True)
def export(patient_id: UUID) -> Response:
    """Return the whole record as the file that was asked for."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        form = "whole_paper" if request.form.get("form") == "paper" else "bundle"
        about = f"patient:{patient.id}"
        audit.record(session, clinic.id, layout.the_actor(), "patient.exported", about, form=form)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        patient = patient_page.the_patient(session, patient_id)
        return _paper(session, patient) if form == "whole_paper" else _bundle(session, patient)


def _bundle(session: Session, patient: Patient) -> Response:
    told = whole.bundle(session, sessions.clinic(), patient, clock.now())
    return _file(json.dumps(told, ensure_ascii=False).encode(), "application/fhir+json", "patient-record.json")


def _paper(session: Session, patient: Patient) -> Response:
    clinic, now = sessions.clinic(), clock.now()
    told = whole.resources(whole.bundle(session, clinic, patient, now))
    at = times.moment(now, now, clinic.zone, running=True)
    made = words.say("whole_record", "made", who=layout.the_staff().name, at=at)
    sections = record_lines.sections(told, clinic.zone)
    sheet = paper.Sheet(patient_view.full_name(patient), clinic.name, made, sections)
    return _file(paper.pdf_of("Patient record", sheet, now), "application/pdf", "patient-record.pdf")


def _file(content: bytes, kind: str, name: str) -> Response:
    # Named by what it is: a name of a patient would stand in the browser's list of downloads.
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=kind, headers=headers)
