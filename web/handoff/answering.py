"""What colleagues do with a handoff: accept it, pass it on, say that the patient is there, and how it ended."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import abort, flash, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.inbox import snooze_times
from messaging.models import Patient, Staff
from reminders import handoffs as verbs
from reminders import planner, visits_by_staff
from reminders.handoff import bringing, machine, telling
from reminders.models import Appointment, Handoff
from web import layout, permissions, sessions, words
from web.handoff.asking import back, page
from web.handoff.asking import handoffs as handoffs

# In how many minutes somebody may say that they come.
IN_MINUTES = ("0", "10")

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
        notice = _accepted(session, handoff, told=done) if act == "accept" else _notice(act, done, handoff)
        if notice is None:
            return page(session, problem=words.say("refusals", "too_late")), 409
    flash(notice)
    return back(handoff_id)


def _notice(act: str, done: Any, handoff: Handoff) -> str | None:
    """What is said of an act, None for one that came too late; pressed twice it was done all the same."""
    return words.say("notices", f"handoff_{act}") if done is not False or handoff.state == act else None


def _accepted(session: Session, handoff: Handoff, *, told: bool) -> str:
    """What is said to whoever has accepted: whether the patient knows, and who goes where, by how they meet."""
    if handoff.state == "arrived":
        return words.say("notices", "handoff_there")
    if told:
        return words.say("handoff_accepted", handoff.modality)
    walked = bringing.desk_walks(session, handoff)
    return words.say("notices", "handoff_walked") if walked else words.say("handoff_untold", handoff.modality)


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
        visit = _book(session, handoff, at) if at is not None and handoff.state in machine.OPEN else None
        new = verbs.end(session, handoff, audit.Actor.staff(staff.id), "scheduled", visit)
        if not new and handoff.state != "scheduled":
            return page(session, problem=words.say("refusals", "too_late")), 409
        booked = handoff.visit_id is not None
    flash(words.say("notices", "handoff_booked" if booked else "handoff_scheduled"))
    return back(handoff_id)


def _book(session: Session, handoff: Handoff, at: datetime) -> Appointment:
    """Book the visit at which they meet, of a kind that the clinic's cadence knows or of none."""
    clinic, kind = sessions.clinic(), request.form.get("kind", "")
    if kind and kind not in planner.cadence_of(session, clinic.id).kinds:
        abort(400)
    return visits_by_staff.book(
        session,
        clinic,
        session.get_one(Patient, handoff.patient_id),
        starts_at=at,
        zone=clinic.zone,
        place=handoff.site,
        clinician=None,
        kind=kind or None,
        once=handoff.id,
        actor=layout.the_actor(),
    )


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
        told = handoff.told_at is not None
    flash(words.say("notices", "handoff_cancelled_told" if told else "handoff_cancelled"))
    return back(handoff_id)


def _the_handoff(session: Session, handoff_id: UUID) -> Handoff:
    handoff = session.get(Handoff, handoff_id, with_for_update=True)
    if handoff is None or handoff.clinic_id != sessions.clinic().id:
        abort(404)
    return handoff
