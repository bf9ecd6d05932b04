"""One patient's page: who they are, how they can be reached, their visits and what is planned around them."""

from uuid import UUID

from flask import abort
from sqlalchemy import select

from config import audit, db
from messaging import conversations
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from web import layout, permissions, persons, rows, sessions, threads

patients = layout.room("patients", __name__)


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
