"""Letting a colleague in who has lost phone and codes: two administrators agree, and one confirms that it was them."""

from dataclasses import dataclass
from uuid import UUID

from flask import abort, flash, redirect, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging import second_people
from messaging.models import Staff
from web import layout, permissions, sessions, words
from web.account import factors, recoveries

recoverypages = layout.room("recoverypages", __name__)


@dataclass(frozen=True)
class Standing:
    """How it stands with somebody's second step: `words`, and what the reader may do, ask | agree | confirm."""

    words: str
    may: str


def standing(session: Session, clinic_id: UUID) -> dict[UUID, Standing]:
    """Return by colleague how it stands, of those with a second step or a recovery."""
    me, active = layout.the_staff(), select(Staff).where(Staff.clinic_id == clinic_id, Staff.active)
    standings = {staff.id: _of(session, staff, me) for staff in session.scalars(active)}
    return {staff_id: how for staff_id, how in standings.items() if how is not None}


def _of(session: Session, staff: Staff, me: Staff) -> Standing | None:
    if recoveries.unconfirmed(session, staff.id):
        return Standing(words.say("recovery", "unconfirmed"), "" if staff.id == me.id else "confirm")
    if not factors.has(session, staff.id):
        return None
    waiting = recoveries.waiting(session, staff.id)
    if recoveries.agreed(session, staff.id):
        return Standing(words.say("recovery", "agreed"), "")
    if waiting is not None:
        who = session.get_one(Staff, waiting.asked_by).name
        asker, reader = audit.Actor.staff(waiting.asked_by), audit.Actor.staff(me.id)
        refusal = second_people.refusal(session, "recovery", reader, asker, staff.id)
        return Standing(words.say("recovery", "waiting", who=who), "" if refusal else "agree")
    return Standing(words.say("recovery", "has"), "" if staff.id == me.id else "ask")


@recoverypages.post("/settings/people/<uuid:staff_id>/recovery")
@permissions.signed_in("clinic.settings", fresh=True)
def ask(staff_id: UUID) -> Response:
    """Ask that a colleague be let in without their second step, or agree to it as the second administrator."""
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            staff = _colleague(session, staff_id)
            done = "agreed_now" if recoveries.ask(session, staff, layout.the_staff()) else "asked_now"
    except recoveries.Refused as refused:
        return _back(words.say("recovery_refusals", refused.why), "refused")
    return _back(words.say("recovery", done, name=staff.name))


@recoverypages.post("/settings/people/<uuid:staff_id>/recovery/confirm")
@permissions.signed_in("clinic.settings", fresh=True)
def confirm(staff_id: UUID) -> Response:
    """Say that whoever came in by a recovery was the colleague."""
    try:
        with db.unit_of_work(sessions.clinic().id) as session:
            staff = _colleague(session, staff_id)
            recoveries.confirm(session, staff, layout.the_staff())
    except recoveries.Refused as refused:
        return _back(words.say("recovery_refusals", refused.why), "refused")
    return _back(words.say("recovery", "confirmed_now", name=staff.name))


def _back(said: str, kind: str = "message") -> Response:
    flash(said, kind)
    return redirect(url_for("colleagues.show"), 303)


def _colleague(session: Session, staff_id: UUID) -> Staff:
    staff = session.get(Staff, staff_id)
    if staff is None or staff.clinic_id != sessions.clinic().id or not staff.active:
        abort(404)
    return staff
