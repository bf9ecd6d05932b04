"""A patient's visits: what they are told around each, and what staff do with one: book, confirm, move, cancel, undo."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from flask import session as cookie
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from reminders import clinic_profile, visits_by_staff
from reminders.models import Appointment
from reminders.rules import zones
from reminders.visits_by_staff import Before
from web import ids, layout, permissions, sessions, times, words
from web.patients import patient_page
from web.presenters import visit_view

patient_visits = layout.room("patient_visits", __name__)
LONGEST, AHEAD = 120, timedelta(days=3 * 366)
FIELDS = ("at", "place", "clinician")
Page = Response | tuple[str, int] | str


class Unclear(ValueError):
    """What was typed is no visit; its argument is the key of the sentence that says why."""


@dataclass(frozen=True)
class Check:
    """What an act would do, before it is done: the visit as it is and would be, and what the patient would be told.

    `unsent` says why nothing would be texted, "" where something is.
    """

    act: str
    was: visit_view.Visit | None
    when: str
    told: list[tuple[str, str, str]]
    unsent: str


@patient_visits.get("/patients/<uuid:patient_id>/visits")
@permissions.signed_in("patients.read")
def show(patient_id: UUID) -> str:
    """Show the visits with what is planned around each; that it was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, patient_page.opened(session, patient_id))


@patient_visits.post("/patients/<uuid:patient_id>/visits")
@permissions.signed_in("patients.change")
def book(patient_id: UUID) -> Page:
    """Show what the patient would be told about a new visit, and book it once that is agreed to (sure=1)."""
    clinic, form = sessions.clinic(), request.form
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        place = _text("place")
        zone = clinic_profile.zone_of(clinic, place)
        try:
            starts_at = _moment(zone)
        except Unclear as unclear:
            return _page(session, patient, form, problem=words.say("refusals", str(unclear))), 422
        if "sure" not in form:
            wanted = visits_by_staff.as_it_would_be(clinic, patient, starts_at, zone, place)
            return _page(session, patient, form, check=_check(session, clinic, patient, "book", None, wanted))
        visit = visits_by_staff.book(
            session,
            clinic,
            patient,
            starts_at=starts_at,
            zone=zone,
            place=place,
            clinician=_text("clinician"),
            once=ids.uuid_of(form.get("once")) or db.new_id(),
            actor=layout.the_actor(),
        )
        when = times.moment(visit.starts_at, clock.now(), visit.zone, running=True)
    return _done(patient_id, words.say("notices", "visit_booked", when=when))


@patient_visits.get("/patients/<uuid:patient_id>/visits/<uuid:visit_id>/<any(move, cancel):act>")
@permissions.signed_in("patients.change")
def ask(patient_id: UUID, visit_id: UUID, act: str) -> str:
    """Ask for the new time of a visit, or show what cancelling it does; nothing is changed."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        patient, visit = _open_visit(session, patient_id, visit_id)
        typed = {"at": times.typed_moment(visit.starts_at, visit.zone), "place": visit.place or ""}
        check = _check(session, clinic, patient, act, visit, None)
        return _page(session, patient, typed, check=check, visit=visit)


@patient_visits.post("/patients/<uuid:patient_id>/visits/<uuid:visit_id>/move")
@permissions.signed_in("patients.change")
def move(patient_id: UUID, visit_id: UUID) -> Page:
    """Show what the patient would be told of the new time, and move the visit once that is agreed to (sure=1)."""
    clinic, form = sessions.clinic(), request.form
    with db.unit_of_work(clinic.id) as session:
        patient, visit = _open_visit(session, patient_id, visit_id)
        wanted = None
        try:
            starts_at, place = _moment(visit.zone), _text("place")
            wanted = visits_by_staff.as_it_would_be(clinic, patient, starts_at, visit.zone, place, visit=visit)
            if (starts_at, place) == (visit.starts_at, visit.place):
                raise Unclear("visit_same")
        except Unclear as unclear:
            check, problem = _check(session, clinic, patient, "move", visit, None), words.say("refusals", str(unclear))
            return _page(session, patient, form, check=check, visit=visit, problem=problem), 422
        if "sure" not in form:
            check = _check(session, clinic, patient, "move", visit, wanted)
            return _page(session, patient, form, check=check, visit=visit)
        _keep(visits_by_staff.move(session, clinic, visit, starts_at, place, layout.the_actor()))
        when = times.moment(visit.starts_at, clock.now(), visit.zone, running=True)
    return _done(patient_id, words.say("notices", "visit_moved", when=when))


@patient_visits.post("/patients/<uuid:patient_id>/visits/<uuid:visit_id>/cancel")
@permissions.signed_in("patients.change")
def cancel(patient_id: UUID, visit_id: UUID) -> Page:
    """Cancel the visit; what was planned for it is taken back."""
    with db.unit_of_work(sessions.clinic().id) as session:
        _, visit = _open_visit(session, patient_id, visit_id)
        _keep(visits_by_staff.cancel(session, visit, layout.the_actor()))
    return _done(patient_id, words.say("notices", "visit_cancelled"))


@patient_visits.post("/patients/<uuid:patient_id>/visits/<uuid:visit_id>/confirm")
@permissions.signed_in("patients.change")
def confirm(patient_id: UUID, visit_id: UUID) -> Page:
    """Note that the patient comes."""
    with db.unit_of_work(sessions.clinic().id) as session:
        _, visit = _open_visit(session, patient_id, visit_id)
        _keep(visits_by_staff.confirm(session, visit, layout.the_actor()))
    return _done(patient_id, words.say("notices", "visit_confirmed"))


@patient_visits.post("/patients/<uuid:patient_id>/visits/<uuid:visit_id>/undo")
@permissions.signed_in("patients.change")
def undo(patient_id: UUID, visit_id: UUID) -> Page:
    """Put the visit back to how it stood, where nothing has gone out about it since."""
    clinic, before = sessions.clinic(), _kept()
    cookie.pop("visit", None)
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        visit = _visit(session, patient, visit_id)
        if before is None or before.visit_id != visit_id or not visits_by_staff.may_put_back(session, visit, before):
            return _page(session, patient, problem=words.say("refusals", "visit_moved_on")), 409
        visits_by_staff.put_back(session, clinic, visit, before, layout.the_actor())
    return _done(patient_id, words.say("notices", "undone"))


def _visit(session: Session, patient: Patient, visit_id: UUID) -> Appointment:
    visit = session.get(Appointment, visit_id, with_for_update={"key_share": True})
    if visit is None or visit.patient_id != patient.id:
        abort(404)
    return visit


def _open_visit(session: Session, patient_id: UUID, visit_id: UUID) -> tuple[Patient, Appointment]:
    """Return a visit that is still to come; what has been or is cancelled is not moved from here."""
    patient = patient_page.the_patient(session, patient_id)
    visit = _visit(session, patient, visit_id)
    if not visits_by_staff.may_change(visit):
        abort(409)
    return patient, visit


def _moment(zone: str) -> datetime:
    """Read the day and time that were typed, by the clock of the visit."""
    try:
        wall = datetime.fromisoformat(request.form.get("at", ""))
    except ValueError:
        raise Unclear("visit_when") from None
    if wall.tzinfo is not None:
        raise Unclear("visit_when")
    at, now = zones.local_to_utc(wall, zones.zone(zone)), clock.now()
    if at <= now:
        raise Unclear("visit_past")
    if at > now + AHEAD:
        raise Unclear("visit_far")
    return at


def _text(field: str) -> str | None:
    return " ".join(request.form.get(field, "").split())[:LONGEST] or None


def _check(
    session: Session, clinic: Clinic, patient: Patient, act: str, visit: Appointment | None, wanted: Appointment | None
) -> Check:
    """Return what is known before an act; `wanted` is the visit as it would be, None before a time was typed."""
    now = clock.now()
    texts, refused = visits_by_staff.told(session, clinic, patient, wanted) if wanted else ([], None)
    told = [
        (visit_view.between(text.at, wanted), times.moment(text.at, now, wanted.zone), text.body)
        for text in texts
        if wanted is not None
    ]
    unsent = words.say("reach", refused.key) if refused else "" if told else words.say("visit_told", "nothing")
    shown = next((each for each in visit_view.planned_visits(session, patient) if visit and each.id == visit.id), None)
    when = times.moment(wanted.starts_at, now, wanted.zone) if wanted else ""
    return Check(act, shown, when, told, unsent)


def _keep(before: Before) -> None:
    """Keep in the sealed cookie how the visit stood, for whoever wants to take it back from this browser."""
    cookie["visit"] = {
        "visit_id": str(before.visit_id),
        "revision": before.revision,
        "state": before.state,
        "starts_at": before.starts_at.isoformat(),
        "place": before.place,
    }


def _kept() -> Before | None:
    kept = cookie.get("visit")
    if not kept:
        return None
    at = datetime.fromisoformat(kept["starts_at"])
    return Before(UUID(kept["visit_id"]), kept["revision"], kept["state"], at, kept["place"])


def _undoable(session: Session, patient: Patient) -> Before | None:
    before = _kept()
    visit = session.get(Appointment, before.visit_id) if before else None
    if before is None or visit is None or visit.patient_id != patient.id:
        return None
    return before if visits_by_staff.may_put_back(session, visit, before) else None


def _done(patient_id: UUID, notice: str) -> Response:
    """Lead back to the case it was done from, in the reader's own inbox, else to the visits."""
    flash(notice)
    item_id = ids.uuid_of(request.form.get("item"))
    door = "inbox.case" if layout.may("inbox.read") else "desk.case" if layout.may("desk.read") else ""
    if item_id is not None and door:
        with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
            whose = session.scalar(select(InboxItem.patient_id).where(InboxItem.id == item_id))
        if whose == patient_id:
            return redirect(url_for(door, item_id=item_id), 303)
    return redirect(url_for("patient_visits.show", patient_id=patient_id), 303)


def _page(
    session: Session,
    patient: Patient,
    typed: Mapping[str, str] | None = None,
    *,
    check: Check | None = None,
    visit: Appointment | None = None,
    problem: str | None = None,
) -> str:
    listed = visit_view.planned_visits(session, patient)
    before = _undoable(session, patient)
    facts: dict[str, Any] = {
        "coming": [each for each in listed if not each.past][::-1],
        "gone": [each for each in listed if each.past],
        "changes": layout.may("patients.change"),
        "typed": {name: (typed or {}).get(name, "") for name in FIELDS},
        "once": (typed or {}).get("once") or db.new_id(),
        "item": request.values.get("item", ""),
        "undo": before,
        "undo_when": times.moment(before.starts_at, clock.now(), sessions.clinic().zone) if before else "",
    }
    template = "staff/patient_visit.html" if check else "staff/patient_visits.html"
    visit_id = visit.id if visit else None
    return patient_page.page(
        session, patient, "visits", template, check=check, visit_id=visit_id, problem=problem, **facts
    )
