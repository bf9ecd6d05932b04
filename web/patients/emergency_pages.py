"""Emergency access as pages: asking for one patient with a reason, ending it, and the queue of a second person."""

from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from web import layout, permissions, sessions, team, times, words
from web.models import EmergencyAccess
from web.patients import emergency_access
from web.presenters import patient_view, short_names

emergencies = layout.room("emergencies", __name__)
Answer = Response | str | tuple[str, int]


@dataclass(frozen=True)
class Card:
    """One emergency access in words. `mine` is the reader's own; `pages` how many were read by it."""

    id: UUID
    patient_id: UUID
    who: str
    role: str
    patient: str
    record: str
    why: str
    reason: str
    when: str
    pages: int
    open: bool
    mine: bool
    looked: str
    finding: str
    note: str


@emergencies.get("/patients/<uuid:patient_id>/emergency")
@permissions.signed_in("emergency.open")
def ask(patient_id: UUID) -> Answer:
    """Ask why; nothing of the patient is shown, and nothing is opened."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _form(session, _patient(session, patient_id), "")


@emergencies.post("/patients/<uuid:patient_id>/emergency")
@permissions.signed_in("emergency.open", fresh=True)
def begin(patient_id: UUID) -> Answer:
    """Open the record for the time chosen, and lead to it."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient = _patient(session, patient_id)
        if layout.may("inbox.words", patient.id):
            return _form(session, patient, "own"), 422
        try:
            row = emergency_access.open_record(
                session, clinic, staff, patient, emergency_access.Asked.of_form(request.form)
            )
        except emergency_access.Refused as refused:
            return _form(session, patient, refused.field), 422
        until = times.time_of(row.ends_at, clinic.zone)
    flash(words.say("emergency", "opened", until=until))
    return redirect(url_for("patients.show", patient_id=patient_id), 303)


@emergencies.post("/patients/<uuid:patient_id>/emergency/end")
@permissions.signed_in("emergency.open")
def end(patient_id: UUID) -> Response:
    """Close the record again."""
    with db.unit_of_work(sessions.clinic().id) as session:
        emergency_access.end(session, layout.the_staff(), _patient(session, patient_id))
    flash(words.say("emergency", "ended"))
    return redirect(url_for("emergencies.show"), 303)


@emergencies.get("/emergency-access")
@permissions.signed_in("emergency.read")
def show() -> Answer:
    """Show what the reader has open, and to who looks at it afterwards what waits and what was looked at."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session)


@emergencies.post("/emergency-access")
@permissions.signed_in("emergency.open")
def find() -> Answer:
    """Find the patient of a record number, and ask why. That somebody looked is written down."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        typed = request.form.get("record", "").strip()[:40]
        patient = directory.find_by_record(session, clinic, typed) if typed else None
        found, about = int(patient is not None), f"clinic:{clinic.id}"
        audit.record(session, clinic.id, layout.the_actor(), "patients.searched", about, kind="record", found=found)
        if patient is None:
            return _page(session, problem="nobody", typed=typed), 404
        return redirect(url_for("emergencies.ask", patient_id=patient.id), 303)


@emergencies.post("/emergency-access/<uuid:access_id>")
@permissions.signed_in("emergency.review")
def look_at(access_id: UUID) -> Answer:
    """Say what was found of one that has ended."""
    form = request.form
    with db.unit_of_work(sessions.clinic().id) as session:
        row = session.get(EmergencyAccess, access_id)
        if row is None or row.clinic_id != sessions.clinic().id:
            abort(404)
        try:
            emergency_access.look_at(session, row, layout.the_staff(), form.get("finding", ""), form.get("note", ""))
        except emergency_access.Refused as refused:
            return _page(session, problem=refused.field, refused=access_id), 422
    flash(words.say("emergency", "looked"))
    return redirect(url_for("emergencies.show"), 303)


def _patient(session: Session, patient_id: UUID) -> Patient:
    patient = patient_view.find(session, sessions.clinic(), patient_id) or abort(404)
    db.load_keys(session, [patient.key_id])
    return patient


def _form(session: Session, patient: Patient, problem: str) -> str:
    typed = request.form
    named = permissions.may(layout.the_staff().role, "patients.names")
    return layout.page(
        session,
        "staff/emergency.html",
        here="emergencies",
        patient_id=patient.id,
        name=patient_view.full_name(patient) if named else short_names.initials(patient),
        record=patient.record or "",
        reasons=list(words.table_of("emergency_reasons").items()),
        minutes=emergency_access.MINUTES,
        least=emergency_access.LEAST,
        longest=emergency_access.LONGEST,
        typed=typed,
        wrong=problem,
        problem=words.say("emergency", problem, least=emergency_access.LEAST) if problem else "",
    )


def _page(session: Session, *, problem: str = "", typed: str = "", refused: UUID | None = None) -> str:
    clinic, me = sessions.clinic(), layout.the_staff()
    reviews = layout.may("emergency.review")
    unseen = emergency_access.unseen(session, clinic) if reviews else []
    seen = emergency_access.seen(session, clinic) if reviews else []
    own = emergency_access.of_staff(session, me)
    cards = _cards(session, clinic, me, [*unseen, *seen, *own])
    if reviews:
        audit.record(
            session, clinic.id, layout.the_actor(), "emergency.listed", f"clinic:{clinic.id}", rows=len(unseen)
        )
    return layout.page(
        session,
        "staff/emergencies.html",
        here="emergencies",
        opens=layout.may("emergency.open"),
        reviews=reviews,
        own=[cards[row.id] for row in own],
        waiting=[cards[row.id] for row in unseen],
        looked=[cards[row.id] for row in seen],
        findings=list(words.table_of("emergency_findings").items()),
        problem=words.say("emergency", problem) if problem else "",
        refused=refused,
        typed=typed,
        kept=request.form,
        longest=emergency_access.LONGEST,
    )


def _cards(session: Session, clinic: Clinic, me: Staff, rows: list[EmergencyAccess]) -> dict[UUID, Card]:
    people = team.everyone(session, clinic.id)
    patients = {row.patient_id: session.get_one(Patient, row.patient_id) for row in rows}
    db.load_keys(session, [*(patient.key_id for patient in patients.values()), *(row.key_id for row in rows)])
    return {row.id: _card(session, clinic, me, people, row, patients[row.patient_id]) for row in rows}


def _card(
    session: Session,
    clinic: Clinic,
    me: Staff,
    people: dict[UUID | None, Staff],
    row: EmergencyAccess,
    patient: Patient,
) -> Card:
    who, by, now, zone = people[row.staff_id], people.get(row.reviewed_by), clock.now(), clinic.zone
    named = permissions.may(me.role, "patients.names")
    is_open = emergency_access.is_open(row)
    began, until = times.moment(row.began_at, now, zone), times.time_of(row.ended_at or row.ends_at, zone)
    return Card(
        id=row.id,
        patient_id=patient.id,
        who=who.name,
        role=words.say("roles", who.role),
        patient=patient_view.full_name(patient) if named else short_names.initials(patient),
        record=patient.record or "",
        why=words.say("emergency_reasons", row.why),
        reason=row.reason or "",
        when=words.say("emergency", "lasts" if is_open else "was", began=began, until=until),
        pages=emergency_access.pages_read(session, row),
        open=is_open,
        mine=row.staff_id == me.id,
        looked=f"{by.name}, {times.moment(row.reviewed_at, now, zone)}" if by and row.reviewed_at else "",
        finding=words.say("emergency_findings", row.finding) if row.finding else "",
        note=row.note or "",
    )
