"""One patient's page: the summary with who they are and how to begin, and the part with their scores."""

from typing import Any
from uuid import UUID

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, db
from messaging import conversations, reachable
from messaging.inbox.models import InboxItem
from messaging.models import Conversation, Patient
from messaging.reachable import Reach
from reminders import planner
from web import layout, patient_access, permissions, sessions
from web.patients import patient_lists
from web.presenters import (
    case_side,
    composer,
    conversation_view,
    kit_view,
    list_rows,
    patient_head,
    patient_view,
    screen_view,
    social_view,
    visit_view,
)

patients = layout.room("patients", __name__)
LATEST = 4


@patients.get("/patients/<uuid:patient_id>")
@permissions.signed_in("patients.read")
def show(patient_id: UUID) -> str:
    """Show the summary of a patient; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return summary(session, opened(session, patient_id))


@patients.get("/patients/<uuid:patient_id>/scores")
@permissions.signed_in("inbox.words")
def scores(patient_id: UUID) -> str:
    """Show every answered form with its trend; that it was read is written down."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient = opened(session, patient_id)
        screens = screen_view.every(session, patient, clinic.zone)
        social = social_view.read(session, clinic, patient)
        return page(session, patient, "scores", "staff/patient_scores.html", screens=screens, social=social)


def opened(session: Session, patient_id: UUID) -> Patient:
    """Return the clinic's patient, whose page is opened: that is written down."""
    patient = the_patient(session, patient_id)
    audit.record(session, patient.clinic_id, layout.the_actor(), "patient.opened", f"patient:{patient.id}")
    patient_lists.remember(layout.the_staff(), patient.id)
    return patient


def the_patient(session: Session, patient_id: UUID) -> Patient:
    """Return the clinic's patient, or answer that there is none."""
    return patient_view.find(session, sessions.clinic(), patient_id) or abort(404)


def page(session: Session, patient: Patient, tab: str, template: str, reach: Reach | None = None, **facts: Any) -> str:
    """Render one part of a patient's page, under the head that all parts share; `reach` says whether they may be
    texted, where it has been read."""
    reach = reach or reachable.reach_of(session, patient)
    head = patient_head.read(session, sessions.clinic(), patient, reach, tab, layout.may)
    return layout.page(session, template, here="patients", head=head, **facts)


def thread_of(patient: Patient, conversation: Conversation | None) -> tuple[conversation_view.Thread, bool]:
    """Return the conversation with a patient as it may be shown, and whether their phone is shared.

    A phone that several people share is never shown as one person's conversation.
    """
    shared = conversation is not None and conversation.patient_id != patient.id
    return conversation_view.Thread(None if shared else conversation, patient), shared


def summary(session: Session, patient: Patient, *, problem: str | None = None) -> str:
    """Render the summary; what they answered, said and was noted only for who may read it."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    readable = layout.may("inbox.words")
    reach, conversation = reachable.reach_of(session, patient), conversations.of_patient(session, clinic, patient)
    thread, _ = thread_of(patient, conversation)
    reader = list_rows.Reader(staff, patient_access.Sight(readable, named=True))
    said = conversation_view.page(session, clinic, staff, thread) if readable else conversation_view.NOTHING
    visits = visit_view.planned_visits(session, patient)
    return page(
        session,
        patient,
        "summary",
        "staff/patient.html",
        reach,
        person=patient_view.person(session, clinic, patient, reach, planner.hours_for(session, patient)),
        kit=kit_view.read(session, clinic, patient, clinical=readable),
        coming=[visit for visit in visits if not visit.past and visit.key != "cancelled"][::-1],
        screens=screen_view.every(session, patient, clinic.zone) if readable else [],
        latest=[(day.name, line) for day in said.days for line in day.said][-LATEST:][::-1],
        items=list_rows.list_of(session, clinic, reader, _items(session, patient)),
        writing=composer.composer(session, conversation, patient, reach),
        sending=case_side.sending(patient, clinic.zone, reach, case_side.sent_forms(session, patient))
        if readable
        else None,
        problem=problem,
        readable=readable,
    )


def _items(session: Session, patient: Patient) -> list[InboxItem]:
    if not layout.may("inbox.read"):
        return []
    seen = select(InboxItem).where(InboxItem.clinic_id == patient.clinic_id, InboxItem.patient_id == patient.id)
    return list(session.scalars(seen.order_by(InboxItem.id.desc()).limit(6)))
