"""Consent that can be proved, and where the carrier says something else than our ledger."""

from dataclasses import dataclass
from uuid import UUID

from flask import Response, abort, flash, redirect, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from config import audit, clock, db
from messaging import phone
from messaging.consent import proof
from messaging.delivery import consent_drift
from messaging.models import Clinic, Conversation, Patient
from web import layout, permissions, sessions, times, words
from web.patients import consent_pdf, consent_proof
from web.presenters import patient_view, short_names

consents = layout.room("consents", __name__)


@dataclass(frozen=True)
class Row:
    """A disagreement in words. `follows`: whether one press can set it right."""

    conversation_id: UUID
    patient_id: UUID | None
    name: str
    number: str
    what: str
    why: str
    follows: bool


@consents.get("/patients/<uuid:patient_id>/consent")
@permissions.signed_in("consent.read")
def show(patient_id: UUID) -> str:
    """Show the proof of a patient's consent; that it was made is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        sheet = _sheet(session, patient_id, "page")
        return layout.page(
            session, "staff/proof.html", here="patients", sheet=sheet, patient_id=patient_id, opens=_opens()
        )


@consents.get("/patients/<uuid:patient_id>/consent.pdf")
@permissions.signed_in("consent.read", fresh=True)
def print_out(patient_id: UUID) -> Response:
    """Return the proof on paper; that it was made is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        content = consent_pdf.proof(_sheet(session, patient_id, "paper"), clock.now())
    named = {"Content-Disposition": 'attachment; filename="proof-of-consent.pdf"'}
    return Response(content, mimetype="application/pdf", headers=named)


def _sheet(session: Session, patient_id: UUID, form: str) -> consent_proof.Sheet:
    clinic, staff, readable = sessions.clinic(), layout.the_staff(), layout.may("inbox.words")
    patient = patient_view.find(session, clinic, patient_id)
    if patient is None:
        abort(404)
    gathered = proof.gather(session, clinic, patient, readable=readable, actor=audit.Actor.staff(staff.id), form=form)
    named = layout.may("patients.names")
    return consent_proof.sheet(session, clinic, patient, gathered, staff, readable=readable, named=named)


@consents.get("/consents/drift")
@permissions.signed_in("consent.read")
def drifts() -> str:
    """Show every phone about which the ledger and the carrier disagree."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        rows = [_row(session, clinic, drift) for drift in consent_drift.find(session, clinic.id)]
        audit.record(session, clinic.id, layout.the_actor(), "drift.opened", f"clinic:{clinic.id}", rows=len(rows))
        return layout.page(
            session,
            "staff/drift.html",
            here="drift",
            blocked=[row for row in rows if row.follows],
            sent=[row for row in rows if not row.follows],
            changes=layout.may("patients.change"),
            opens=_opens(),
            days=consent_drift.LOOK_BACK.days,
        )


@consents.post("/consents/drift/<uuid:conversation_id>")
@permissions.signed_in("patients.change")
def follow(conversation_id: UUID) -> AnyResponse:
    """Write down the opt-out that the carrier tells us of."""
    clinic = sessions.clinic()
    try:
        with db.unit_of_work(clinic.id) as session:
            consent_drift.follow(session, clinic, conversation_id, actor=layout.the_actor())
    except consent_drift.Settled:
        flash(words.say("refusals", "drift_settled"))
    else:
        flash(words.say("notices", "drift_followed"))
    return redirect(url_for("consents.drifts"), 303)


def _row(session: Session, clinic: Clinic, drift: consent_drift.Drift) -> Row:
    talk = session.scalars(select(Conversation).where(Conversation.id == drift.conversation_id)).one()
    patient = session.get(Patient, drift.patient_id) if drift.patient_id else None
    agreed = ", ".join(words.say("programmes", programme) for programme in drift.programmes)
    named = layout.may("patients.names")
    of_patient = patient_view.full_name if named else short_names.initials
    at = times.moment(drift.at, clock.now(), clinic.zone, running=True)
    return Row(
        conversation_id=talk.id,
        patient_id=patient.id if patient else None,
        name=of_patient(patient) if patient else words.say("proof", "nobody"),
        number=(phone.display if named else phone.mask)(talk.number or ""),
        what=words.say("drift", drift.kind, programmes=agreed),
        why=words.say("drift", f"{drift.kind}_why", at=at),
        follows=drift.kind == "blocked",
    )


def _opens() -> bool:
    return layout.may("patients.read")
