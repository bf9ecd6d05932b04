"""Warm handoffs: who is waiting in the building, who goes to meet them, and whether they met."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from reminders import handoffs as verbs
from reminders import phrasing
from reminders.models import Handoff
from web import layout, permissions, sessions, times, words
from web.presenters import assignment, patient_view

handoffs = layout.room("handoffs", __name__)
RECENT = 20


@dataclass(frozen=True)
class Entry:
    """A handoff as it stands: who, where, how long, offered to whom by which rules, and what can be done now."""

    id: UUID
    patient_id: UUID
    name: str
    place: str
    state: str
    state_words: str
    since: str
    waiting: str
    offered: str
    why: str
    mine: bool
    outcome: str


# Each act: the states it fits, and the verb that does it.
ACTS: dict[str, tuple[tuple[str, ...], Callable[[Session, Handoff, Staff], Any]]] = {
    "accept": (("requested",), verbs.accept),
    "decline": (("requested",), verbs.decline),
    "arrived": (
        ("accepted", "told"),
        lambda session, handoff, staff: verbs.arrived(session, handoff, audit.Actor.staff(staff.id)),
    ),
    "not_arrived": (
        ("accepted", "told"),
        lambda session, handoff, staff: verbs.not_arrived(session, handoff, audit.Actor.staff(staff.id)),
    ),
}


@handoffs.get("/handoffs")
@permissions.signed_in("handoffs.read")
def show() -> str:
    """Show the open handoffs, the last ones that ended, and the form that asks for one."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session)


@handoffs.post("/handoffs")
@permissions.signed_in("handoffs.request")
def ask() -> Response | tuple[str, int]:
    """Ask for somebody to come and meet a patient, by record number or from their page."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient = _patient(session, clinic)
        if patient is None:
            return _page(session, problem=words.say("refusals", "no_record")), 422
        place = request.form.get("place", "").strip()[:120] or None
        verbs.request(session, clinic, patient, requested_by=audit.Actor.staff(staff.id), place=place)
        unsaid = place is not None and not phrasing.place_of(clinic, place)
    flash(words.say("notices", "handoff_requested"))
    if unsaid:
        flash(words.say("notices", "handoff_place_unsaid"))
    return redirect(url_for("handoffs.show"), 303)


@handoffs.post("/handoffs/<uuid:handoff_id>/<act>")
@permissions.signed_in("handoffs.answer")
def answer(handoff_id: UUID, act: str) -> Response | tuple[str, int]:
    """Accept, decline, or say whether they met."""
    if act not in ACTS:
        abort(404)
    states, do = ACTS[act]
    with db.unit_of_work(sessions.clinic().id) as session:
        handoff = session.get(Handoff, handoff_id, with_for_update=True)
        if handoff is None or handoff.clinic_id != sessions.clinic().id:
            abort(404)
        if handoff.state not in states:
            return _page(session, problem=words.say("refusals", "too_late")), 409
        try:
            notified = do(session, handoff, layout.the_staff())
        except verbs.NotOpen:
            return _page(session, problem=words.say("refusals", "too_late")), 409
    flash(words.say("notices", "handoff_untold" if notified is False else f"handoff_{act}"))
    return redirect(url_for("handoffs.show"), 303)


def _patient(session: Session, clinic: Clinic) -> Patient | None:
    record = request.form.get("record", "").strip()
    if record:
        return directory.find_by_record(session, clinic, record)
    return _chosen(session, clinic, request.form.get("patient"))


def _chosen(session: Session, clinic: Clinic, wanted: str | None) -> Patient | None:
    try:
        patient = session.get(Patient, UUID(wanted or ""))
    except ValueError:
        return None
    return patient if patient is not None and patient.clinic_id == clinic.id else None


def _page(session: Session, problem: str | None = None) -> str:
    clinic = sessions.clinic()
    all_of_them = select(Handoff).where(Handoff.clinic_id == clinic.id)
    open_ones = all_of_them.where(Handoff.state.in_(layout.OPEN_HANDOFFS)).order_by(Handoff.requested_at)
    ended = all_of_them.where(Handoff.state.not_in(layout.OPEN_HANDOFFS)).order_by(Handoff.requested_at.desc())
    chosen = _chosen(session, clinic, request.values.get("patient"))
    return layout.page(
        session,
        "staff/handoffs.html",
        here="handoffs",
        open_ones=[_entry(session, clinic, handoff) for handoff in session.scalars(open_ones)],
        ended=[_entry(session, clinic, handoff) for handoff in session.scalars(ended.limit(RECENT))],
        chosen=patient_view.full_name(chosen) if chosen else None,
        chosen_id=chosen.id if chosen else None,
        record=request.form.get("record", ""),
        place=request.form.get("place", ""),
        problem=problem,
        requests=layout.may("handoffs.request"),
        answers=layout.may("handoffs.answer"),
    )


def _entry(session: Session, clinic: Clinic, handoff: Handoff) -> Entry:
    now = clock.now()
    patient = session.get(Patient, handoff.patient_id)
    offered = session.get(Staff, handoff.offered_to) if handoff.offered_to else None
    return Entry(
        id=handoff.id,
        patient_id=handoff.patient_id,
        name=patient_view.full_name(patient) if patient else "",
        place=handoff.place or "",
        state=handoff.state,
        state_words=words.say("handoffs", handoff.state),
        since=times.moment(handoff.requested_at, now, clinic.zone, running=True),
        waiting=times.ago(now - handoff.requested_at),
        offered=offered.name if offered else "",
        why=_why(session, handoff),
        mine=offered is not None and offered.id == layout.the_staff().id,
        outcome=words.say("handoffs", handoff.outcome) if handoff.outcome else "",
    )


def _why(session: Session, handoff: Handoff) -> str:
    """By which rules an open offer came to whoever has it, in words."""
    item = session.get(InboxItem, handoff.item_id) if handoff.item_id and handoff.state == "requested" else None
    return " · ".join(assignment.reason_words(reason) for reason in item.reason) if item is not None else ""
