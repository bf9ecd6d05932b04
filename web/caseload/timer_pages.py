"""The timer of work: begun by hand on a patient's page, paused by the page itself, ended as a proposal to confirm.

Every act is a form that works without script; web/static/timer.js sends the same forms, and that the page is in sight.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, jsonify, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from caseload import episodes, timers, timing
from caseload.models import CareTimer, Episode
from config import db
from messaging.models import Clinic, Patient, Staff
from web import layout, permissions, sessions, words
from web.account import entering
from web.caseload import episode_page
from web.presenters import timer_view

timer = layout.room("timer", __name__)
Act = Callable[[Session, Staff, Mapping[str, str]], CareTimer | None]


@timer.post("/patients/<uuid:patient_id>/care/timer")
@permissions.signed_in("caseload.work")
def start(patient_id: UUID) -> Response | tuple[str, int]:
    """Begin to time work in the patient's open episode."""

    def act(session: Session, _clinic: Clinic, staff: Staff, patient: Patient) -> str:
        episode = episode_page.opened(session, patient)
        timers.start(session, staff, episode, _moment(request.form.get("opened", "")))
        return "timer_started"

    answer, back = episode_page.do(patient_id, act), request.form.get("back")
    return redirect(entering.safe_next(back), 303) if back and isinstance(answer, Response) else answer


@timer.post("/care-timer/<any(seen,pause,resume,count,stop):what>")
@permissions.signed_in("caseload.work")
def change(what: str) -> Response:
    """Pause one's timer, let it go on or end it; a script is told how it stands then."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        held = ACTS[what](session, staff, request.form)
        session.flush()
        now = timer_view.running(session, clinic, staff, works=True)
        patient_id = _patient_of(session, held)
    if request.accept_mimetypes.best == "application/json":
        return jsonify(_told(now))
    if what != "stop" or patient_id is None or held is None:
        return redirect(entering.safe_next(request.form.get("back")), 303)
    flash(words.say("notices", "timer_stopped" if held.state == "proposed" else "timer_empty"), "done")
    return redirect(url_for("care.show", patient_id=patient_id) + "#timed", 303)


@timer.post("/patients/<uuid:patient_id>/care/timer/<uuid:timer_id>/<any(confirm,decline):what>")
@permissions.signed_in("caseload.work")
def settle(patient_id: UUID, timer_id: UUID, what: str) -> Response | tuple[str, int]:
    """Write down what was timed, as it is or as it was corrected, or say that it is no work of the episode."""

    def act(session: Session, clinic: Clinic, staff: Staff, patient: Patient) -> str:
        proposed = _own(session, staff, patient, timer_id)
        if what == "decline":
            timers.decline(session, staff, proposed)
            return "timer_declined"
        stretches = timer_view.read(request.form, proposed, clinic.zone)
        if stretches is None:
            raise episodes.Refused("care_timer_stretch", "stretches")
        form = request.form
        timers.confirm(session, staff, proposed, form.get("kind", ""), stretches, reached=form.get("reached") == "on")
        return "care_logged"

    return episode_page.do(patient_id, act)


def _own(session: Session, staff: Staff, patient: Patient, timer_id: UUID) -> CareTimer:
    found = session.get(CareTimer, timer_id)
    theirs = {episode.id for episode in episodes.of_patient(session, patient.id)}
    if found is None or found.staff_id != staff.id or found.episode_id not in theirs:
        raise episodes.Refused("care_timer_over")
    return found


def _patient_of(session: Session, held: CareTimer | None) -> UUID | None:
    if held is None:
        return None
    return session.get_one(Episode, held.episode_id).patient_id


def _told(now: timer_view.Running | None) -> dict[str, Any]:
    """How the timer stands, for the script: nothing of whose it is."""
    if now is None:
        return {"state": "none"}
    return {"state": now.state, "why": now.why, "seconds": now.seconds, "pause": now.pause}


def _pause(session: Session, staff: Staff, form: Mapping[str, str]) -> CareTimer | None:
    why: timing.Why = next((each for each in timing.WHYS if each == form.get("why")), "hand")
    ago = form.get("ago", "")
    return timers.pause(session, staff, why, timedelta(seconds=int(ago) if ago.isdecimal() and len(ago) < 6 else 0))


ACTS: Mapping[str, Act] = {
    "seen": lambda session, staff, _: timers.seen(session, staff),
    "pause": _pause,
    "resume": lambda session, staff, _: timers.resume(session, staff),
    "count": lambda session, staff, _: timers.resume(session, staff, count_pause=True),
    "stop": lambda session, staff, _: timers.stop(session, staff),
}


def _moment(typed: str) -> datetime | None:
    """When the page was opened, as the script says it (ISO 8601 with its zone); None for anything else."""
    try:
        moment = datetime.fromisoformat(typed.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
