"""A patient on one page to be printed or handed on: identity, scores with their trend, visits, last contacts."""

from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging import conversations, reachable
from messaging.models import Patient
from records import paper
from records.paper import Sheet
from web import layout, permissions, sessions, times, words
from web.patients import patient_page
from web.presenters import conversation_view, kit_view, patient_head, screen_view, visit_view

summaries = layout.room("summaries", __name__)
VISITS, CONTACTS, LONGEST = 5, 6, 160


@summaries.get("/patients/<uuid:patient_id>/summary")
@permissions.signed_in("inbox.words")
def show(patient_id: UUID) -> str:
    """Show the summary as a page that prints well; that it was made is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.opened(session, patient_id)
        sheet = _made(session, patient, "page")
        return layout.page(session, "staff/summary.html", here="patients", sheet=sheet, patient_id=patient.id)


@summaries.get("/patients/<uuid:patient_id>/summary.pdf")
@permissions.signed_in("inbox.words", fresh=True)
def export(patient_id: UUID) -> Response:
    """Return the summary as a PDF file; that it was made is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        sheet = _made(session, patient_page.opened(session, patient_id), "paper")
    named = {"Content-Disposition": 'attachment; filename="patient-summary.pdf"'}
    return Response(paper.pdf_of("Patient summary", sheet, clock.now()), mimetype="application/pdf", headers=named)


def _made(session: Session, patient: Patient, form: str) -> Sheet:
    clinic, staff = sessions.clinic(), layout.the_staff()
    about = f"patient:{patient.id}"
    audit.record(session, clinic.id, layout.the_actor(), "patient.exported", about, form=form)
    head = patient_head.read(session, clinic, patient, reachable.reach_of(session, patient), "summary", layout.may)
    at = times.exact(clock.now(), clinic.zone)
    sections = {
        "identity": _identity(session, patient, head),
        "scores": _scores(session, patient),
        "visits": _visits(session, patient),
        "contacts": _contacts(session, patient),
    }
    made = words.say("summary", "made", who=staff.name, at=at)
    titled = [(words.say("summary", key), lines or [words.say("summary", "none")]) for key, lines in sections.items()]
    return Sheet(head.name, clinic.name, made, titled)


def _identity(session: Session, patient: Patient, head: patient_head.Head) -> list[str]:
    kit = kit_view.read(session, sessions.clinic(), patient, clinical=True)
    contact = kit.emergency
    called = " ".join(filter(None, (contact.name, contact.relation, contact.phone))) if contact else ""
    facts = [" · ".join([*head.facts, *([head.panel] if head.panel else [])]), head.reach]
    facts += [words.say("summary", "address", what=kit.address)] if kit.address else []
    facts += [words.say("summary", "emergency", what=called)] if called else []
    return facts + ([words.say("summary", "plan", what=kit.plan.written)] if kit.plan else [])


def _scores(session: Session, patient: Patient) -> list[str]:
    lines = []
    for screen in screen_view.every(session, patient, sessions.clinic().zone):
        total = f"{screen.total} of {screen.highest}, {screen.band.lower()}" if screen.total is not None else "no total"
        trend = screen.finding if screen.trend else screen.previous or ""
        lines.append(". ".join(filter(None, (f"{screen.title}, {screen.when}: {total}", trend))))
    return lines


def _visits(session: Session, patient: Patient) -> list[str]:
    listed = visit_view.planned_visits(session, patient)
    shown = [*[each for each in listed if not each.past][::-1], *[each for each in listed if each.past]][:VISITS]
    return [", ".join(filter(None, (each.when, each.state, each.clinician, each.place))) for each in shown]


def _contacts(session: Session, patient: Patient) -> list[str]:
    clinic = sessions.clinic()
    thread, shared = patient_page.thread_of(patient, conversations.of_patient(session, clinic, patient))
    said = conversation_view.page(session, clinic, layout.the_staff(), thread)
    lines = [(day.name, line) for day in said.days for line in day.said][-CONTACTS:][::-1]
    told = [f"{day} {line.at}, {line.author}: {(line.body or '-')[:LONGEST]}" for day, line in lines]
    return told + ([words.say("summary", "shared")] if shared else [])
