"""Warm handoffs: who is waiting in the building, who goes to meet them, and whether they met."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from reminders import agenda, handoff_texts, phrasing, unreached
from reminders import handoffs as verbs
from reminders.models import Handoff
from reminders.rules import zones
from web import ids, layout, permissions, sessions, times, words
from web.presenters import handoff_view, patient_view, visit_rows

handoffs = layout.room("handoffs", __name__)
RECENT = 20

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
    """Ask for somebody to come and meet a patient: one of today's, one by record number, or one from their page."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient, problem = _patient(session, clinic)
        if patient is None:
            return _page(session, problem=words.say("refusals", problem)), 422
        # Locked, so that a second tap finds what the first has asked for.
        session.refresh(patient, with_for_update=True)
        if handoff_view.open_for(session, clinic, staff, [patient.id]):
            flash(words.say("notices", "handoff_open_already"))
            return _back()
        place, wishes = _said()
        asker = layout.the_actor()
        handoff = verbs.request(session, clinic, patient, requested_by=asker, place=place, wishes=wishes)
        _say_who_was_asked(session, handoff)
        unsaid = handoff.place is not None and not phrasing.place_of(clinic, handoff.place)
    if unsaid:
        flash(words.say("notices", "handoff_place_unsaid"))
    return _back()


def _said() -> tuple[str | None, verbs.Wishes]:
    """Where they wait, and what else the form says; what it does not offer is refused."""
    reason, language = request.form.get("reason", ""), request.form.get("language", "")
    if reason not in ("", *handoff_texts.reasons()) or language not in ("", *words.table_of("languages")):
        abort(400)
    place = request.form.get("place", "").strip()[:120] or None
    return place, verbs.Wishes(reason or None, "urgent" in request.form, language or None)


def _say_who_was_asked(session: Session, handoff: Handoff) -> None:
    asked = session.get(Staff, handoff.offered_to) if handoff.offered_to else None
    if asked is None:
        flash(words.say("notices", "handoff_nobody"))
        return
    until = times.time_of(handoff.try_after, sessions.clinic().zone)
    flash(words.say("notices", "handoff_requested", who=asked.name, until=until))


def _back() -> Response:
    """Lead back to where it was asked for."""
    return redirect(url_for("today.show" if request.form.get("back") == "today" else "handoffs.show"), 303)


@handoffs.post("/handoffs/<uuid:handoff_id>/<act>")
@permissions.signed_in("handoffs.answer")
def answer(handoff_id: UUID, act: str) -> Response | tuple[str, int]:
    """Accept, decline, or say whether they met."""
    if act not in ACTS:
        abort(404)
    states, do = ACTS[act]
    with db.unit_of_work(sessions.clinic().id) as session:
        handoff = _the_handoff(session, handoff_id)
        if handoff.state not in states:
            return _page(session, problem=words.say("refusals", "too_late")), 409
        try:
            notified = do(session, handoff, layout.the_staff())
        except verbs.NotOpen:
            return _page(session, problem=words.say("refusals", "too_late")), 409
    flash(words.say("notices", "handoff_untold" if notified is False else f"handoff_{act}"))
    return _back()


@handoffs.post("/handoffs/<uuid:handoff_id>/cancel")
@permissions.signed_in("handoffs.request")
def cancel(handoff_id: UUID) -> Response | tuple[str, int]:
    """Take one's own request back."""
    with db.unit_of_work(sessions.clinic().id) as session:
        handoff = _the_handoff(session, handoff_id)
        try:
            verbs.cancel(session, handoff, layout.the_staff())
        except PermissionError:
            abort(403)
        except verbs.NotOpen:
            return _page(session, problem=words.say("refusals", "too_late")), 409
    flash(words.say("notices", "handoff_cancelled"))
    return _back()


def _the_handoff(session: Session, handoff_id: UUID) -> Handoff:
    handoff = session.get(Handoff, handoff_id, with_for_update=True)
    if handoff is None or handoff.clinic_id != sessions.clinic().id:
        abort(404)
    return handoff


def _patient(session: Session, clinic: Clinic) -> tuple[Patient | None, str]:
    """Whom it is about, or None and the key of what is wrong."""
    record = request.form.get("record", "").strip()
    if record:
        return directory.find_by_record(session, clinic, record), "no_record"
    return _chosen(session, clinic, request.form.get("patient")), "no_choice"


def _chosen(session: Session, clinic: Clinic, wanted: str | None) -> Patient | None:
    patient_id = ids.uuid_of(wanted)
    return patient_view.find(session, clinic, patient_id) if patient_id else None


def _page(session: Session, problem: str | None = None) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    requests = layout.may("handoffs.request")
    chosen = _chosen(session, clinic, request.values.get("patient"))
    return layout.page(
        session,
        "staff/handoffs.html",
        here="handoffs",
        waiting=handoff_view.waiting(session, clinic, staff),
        ended=handoff_view.ended(session, clinic, staff, RECENT),
        chosen=patient_view.full_name(chosen) if chosen else None,
        chosen_id=chosen.id if chosen else None,
        todays=_todays(session, clinic) if requests else [],
        form=handoff_view.form(),
        typed=request.form,
        problem=problem,
        requests=requests,
        answers=layout.may("handoffs.answer"),
    )


def _todays(session: Session, clinic: Clinic) -> list[visit_rows.Row]:
    """The visits of today, one for each patient: who is in the building first, then by time."""
    today = zones.to_local(clock.now(), zones.zone(clinic.zone)).date()
    listed = agenda.listed(session, clinic, *unreached.span(clinic, today), agenda.Wanted())
    rows = [row for row in visit_rows.rows(session, listed.visits, changes=False) if row.state != "no_show"]
    one_each = {row.patient_id: row for row in reversed(rows)}
    return sorted(one_each.values(), key=lambda row: not row.here)
