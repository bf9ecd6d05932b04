"""One patient's page: who they are, how they can be reached, their visits and what is planned around them."""

from uuid import UUID

from flask import abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from config import audit, db
from messaging import conversations
from messaging import people as directory
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from web import layout, permissions, persons, rows, sessions, threads, words

patients = layout.room("patients", __name__)


@patients.get("/patients")
@permissions.signed_in("patients.read")
def find() -> Response | tuple[str, int] | str:
    """Find by record number; the form posts it, so that it stays out of addresses and logs."""
    return _found(request.args["record"]) if request.args.get("record") else _ask(None)


@patients.post("/patients")
@permissions.signed_in("patients.read")
def look() -> Response | tuple[str, int] | str:
    """Find by record number."""
    return _found(request.form.get("record", ""))


def _found(record: str) -> Response | tuple[str, int] | str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        patient = directory.find_by_record(session, sessions.clinic(), record.strip())
    if patient is None:
        return _ask(words.say("refusals", "no_record"), record), 404
    return redirect(url_for("patients.show", patient_id=patient.id), 303)


def _ask(problem: str | None, record: str = "") -> str:
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return layout.page(session, "staff/find.html", here="patients", problem=problem, record=record)


@patients.get("/patients/<uuid:patient_id>")
@permissions.signed_in("patients.read")
def show(patient_id: UUID) -> str:
    """Show a patient; that it was read is written down."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    readable = layout.may("inbox.words")
    with db.unit_of_work(clinic.id) as session:
        patient = session.get(Patient, patient_id)
        if patient is None or patient.clinic_id != clinic.id:
            abort(404)
        audit.record(session, clinic.id, f"staff:{staff.id}", "patient.opened", f"patient:{patient.id}")
        conversation = conversations.of_patient(session, clinic, patient)
        own = conversation is not None and conversation.patient_id == patient.id
        seen = select(InboxItem).where(InboxItem.clinic_id == clinic.id, InboxItem.patient_id == patient.id)
        latest = session.scalars(seen.order_by(InboxItem.id.desc()).limit(10)).all()
        return layout.page(
            session,
            "staff/patient.html",
            here="patients",
            person=persons.person(session, clinic, patient),
            visits=[persons.visit(session, one, reminders=True) for one in persons.visits(session, patient)],
            # A phone that several people share is never shown as one person's conversation.
            thread=threads.days(session, clinic, conversation, patient.first_name or "")
            if readable and own
            else [],
            shared=conversation is not None and not own,
            items=rows.rows(session, clinic, staff, latest, readable=readable),
            readable=readable,
            hands_over=layout.may("handoffs.request"),
        )
