"""One patient's page: who they are, how they can be reached, and all that was planned, asked, said and written."""

from uuid import UUID

from flask import abort, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, db
from messaging import conversations
from messaging.inbox import notes_and_calls
from messaging.inbox.models import InboxItem
from messaging.models import Patient
from web import layout, permissions, sessions
from web.presenters import case_side, conversation_view, list_rows, patient_view, screen_view

patients = layout.room("patients", __name__)


@patients.get("/patients/<uuid:patient_id>")
@permissions.signed_in("patients.read")
def show(patient_id: UUID) -> str:
    """Show a patient; that it was read is written down."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient = the_patient(session, patient_id)
        audit.record(session, clinic.id, audit.Actor.staff(staff.id), "patient.opened", f"patient:{patient.id}")
        return page(session, patient)


def the_patient(session: Session, patient_id: UUID) -> Patient:
    """Return the clinic's patient, or answer that there is none."""
    return patient_view.find(session, sessions.clinic(), patient_id) or abort(404)


def page(session: Session, patient: Patient, *, problem: str | None = None) -> str:
    """Render the page of a patient; what they answered, said and was noted only for who may read it."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    readable, reads_inbox = layout.may("inbox.words"), layout.may("inbox.read")
    conversation = conversations.of_patient(session, clinic, patient)
    # A phone that several people share is never shown as one person's conversation.
    shared = conversation is not None and conversation.patient_id != patient.id
    thread = conversation_view.Thread(None if shared else conversation, patient)
    seen = select(InboxItem).where(InboxItem.clinic_id == clinic.id, InboxItem.patient_id == patient.id)
    latest = session.scalars(seen.order_by(InboxItem.id.desc()).limit(10)).all() if reads_inbox else []
    return layout.page(
        session,
        "staff/patient.html",
        here="patients",
        person=patient_view.person(session, clinic, patient, ledger=True),
        visits=patient_view.planned_visits(session, patient),
        screens=screen_view.every(session, patient, clinic.zone) if readable else [],
        thread=conversation_view.page(session, clinic, staff, thread, request.args.get("before")) if readable else None,
        shared=shared,
        items=list_rows.rows(session, clinic, staff, latest, readable=readable),
        forms=case_side.forms(session, patient, clinic.zone, readable=readable),
        sending=case_side.sending(session, patient, clinic.zone) if readable else None,
        calls=notes_and_calls.outcomes(),
        once=db.new_id(),
        problem=problem,
        readable=readable,
        works=layout.may("inbox.work"),
        texts=layout.may("inbox.text"),
        changes=layout.may("patients.change"),
        hands_forms=layout.may("forms.hand"),
        hands_over=layout.may("handoffs.request"),
    )
