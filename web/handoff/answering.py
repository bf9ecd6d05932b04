"""What colleagues do with a handoff: accept it, pass it on, say that the patient is there, and how it ended."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import abort, flash, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.inbox import snooze_times
from messaging.models import Patient, Staff
from reminders import handoffs as verbs
from reminders import visits_by_staff
from reminders.handoff import machine, telling
from reminders.models import Handoff
from web import layout, permissions, sessions, words
from web.handoff.asking import back, page
from web.handoff.asking import handoffs as handoffs

# In how many minutes somebody may say that they come.
IN_MINUTES = ("0", "5", "10", "15", "30")

Act = Callable[[Session, Handoff, Staff], Any]


def _ending(outcome: str) -> Act:
    return lambda session, handoff, staff: verbs.end(session, handoff, audit.Actor.staff(staff.id), outcome)


def _accept(session: Session, handoff: Handoff, staff: Staff) -> bool:
    minutes = request.form.get("minutes", "0")
    return verbs.accept(session, handoff, staff, int(minutes) if minutes in IN_MINUTES else abort(400))


def _decline(session: Session, handoff: Handoff, staff: Staff) -> None:
    why = request.form.get("why", "")
    if why not in ("", *telling.declines()):
        abort(400)
    verbs.decline(session, handoff, staff, why or None)


ACTS: dict[str, Act] = {
    "accept": _accept,
    "decline": _decline,
    "release": lambda session, handoff, staff: verbs.release(session, handoff, audit.Actor.staff(staff.id)),
    "arrived": lambda session, handoff, staff: verbs.arrive(session, handoff, audit.Actor.staff(staff.id)),
    "met": _ending("met"),
    "declined": _ending("declined"),
    "left": _ending("left"),
}


@handoffs.post("/handoffs/<uuid:handoff_id>/<act>")
@permissions.signed_in("handoffs.answer")
def answer(handoff_id: UUID, act: str) -> Response | tuple[str, int]:
    """Accept, decline, say that they are there, or how it ended. Pressed twice, it is done once."""
    if act not in ACTS:
        abort(404)
    with db.unit_of_work(sessions.clinic().id) as session:
        handoff = _the_handoff(session, handoff_id)
        try:
            done = ACTS[act](session, handoff, layout.the_staff())
        except verbs.NotOpen:
            return page(session, problem=words.say("refusals", "too_late")), 409
        untold = act == "accept" and not done
        if done is False and not untold and handoff.state != act:
            return page(session, problem=words.say("refusals", "too_late")), 409
    flash(words.say("notices", "handoff_untold" if untold else f"handoff_{act}"))
    return back()


@handoffs.post("/handoffs/<uuid:handoff_id>/scheduled")
@permissions.signed_in("handoffs.answer")
def schedule(handoff_id: UUID) -> Response | tuple[str, int]:
    """Say that they meet another time; with a day and hour that visit is booked, and its reminders are planned."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        handoff, staff = _the_handoff(session, handoff_id), layout.the_staff()
        typed = request.form.get("at", "")
        at = snooze_times.typed(typed, clinic.zone)
        if typed and (at is None or at <= clock.now()):
            return page(session, problem=words.say("refusals", "handoff_at")), 422
        visit = None
        if at is not None and handoff.state in machine.OPEN:
            patient = session.get_one(Patient, handoff.patient_id)
            visit = visits_by_staff.book(
                session,
                clinic,
                patient,
                starts_at=at,
                zone=clinic.zone,
                place=handoff.site,
                clinician=None,
                once=handoff.id,
                actor=layout.the_actor(),
            )
        if not verbs.end(session, handoff, audit.Actor.staff(staff.id), "scheduled", visit):
            return page(session, problem=words.say("refusals", "too_late")), 409
    flash(words.say("notices", "handoff_scheduled" if visit is None else "handoff_booked"))
    return back()


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
            return page(session, problem=words.say("refusals", "too_late")), 409
    flash(words.say("notices", "handoff_cancelled"))
    return back()


def _the_handoff(session: Session, handoff_id: UUID) -> Handoff:
    handoff = session.get(Handoff, handoff_id, with_for_update=True)
    if handoff is None or handoff.clinic_id != sessions.clinic().id:
        abort(404)
    return handoff
