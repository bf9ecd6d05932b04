"""Records destroyed for good: asked for by one administrator, agreed to by another, and the list of those that are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import second_people
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from reminders.shredding import deciding, shred_list
from reminders.shredding.models import Shredding
from web import layout, permissions, sessions, team, times, words
from web.presenters import short_names

shredding_pages = layout.room("shredding_pages", __name__)


@dataclass(frozen=True)
class Request:
    """A request as the page lists it: about whom, by whom and when, and whether the reader may agree to it."""

    id: UUID
    name: str
    record: str
    asked: str
    may_agree: bool


@dataclass(frozen=True)
class Typed:
    """What the form holds, and what is wrong with it by field."""

    record: str = ""
    problems: Mapping[str, Sequence[str]] | None = None


@shredding_pages.get("/settings/destroyed")
@permissions.signed_in("clinic.settings")
def show() -> str:
    """Show what waits to be agreed to, the form that asks, and what was destroyed."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, Typed())


@shredding_pages.post("/settings/destroyed")
@permissions.signed_in("clinic.settings", fresh=True)
def ask() -> Response | tuple[str, int]:
    """Ask that a record be destroyed, or put it under legal hold, or end that."""
    record, act = request.form.get("record", "").strip(), request.form.get("act", "shred")
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        patient = directory.find_by_record(session, clinic, record) if record else None
        wrong = _wrong(patient, record, act)
        if wrong is None and patient is not None:
            try:
                said = _act(session, clinic, patient, act)
            except deciding.Refused as refused:
                wrong = {"record": [words.say("shredding_refusals", why) for why in refused.why]}
        if wrong is not None:
            return _page(session, Typed(record, wrong)), 422
    shred_list.keep_own()
    return _back(said)


def _wrong(patient: Patient | None, record: str, act: str) -> Mapping[str, Sequence[str]] | None:
    if patient is None:
        return {"record": [words.say("shredding", "unknown")]}
    if act == "shred" and request.form.get("again", "").strip() != record:
        return {"again": [words.say("shredding", "typed_wrong")]}
    return None


def _act(session: Session, clinic: Clinic, patient: Patient, act: str) -> str:
    actor = layout.the_actor()
    if act == "shred":
        return "done_now" if deciding.ask(session, clinic, patient, actor) else "asked_now"
    if act not in ("hold", "release"):
        abort(404)
    fresh = deciding.hold(session, clinic, patient, actor, on=act == "hold")
    return ("hold_begun" if act == "hold" else "hold_ended") if fresh else "hold_before"


@shredding_pages.post("/settings/destroyed/<uuid:request_id>/<act>")
@permissions.signed_in("clinic.settings", fresh=True)
def answer(request_id: UUID, act: str) -> Response:
    """Agree to a request, which destroys the record, or take it back."""
    if act not in ("agree", "take-back"):
        abort(404)
    with db.unit_of_work(sessions.clinic().id) as session:
        row = session.get(Shredding, request_id)
        if row is None or row.clinic_id != sessions.clinic().id or row.done_at or row.patient_id is None:
            abort(404)
        if act == "take-back":
            deciding.take_back(session, row, layout.the_actor())
            return _back("taken_back_now")
        clinic = session.get_one(Clinic, row.clinic_id)
        try:
            done = deciding.ask(session, clinic, session.get_one(Patient, row.patient_id), layout.the_actor())
        except deciding.Refused as refused:
            for why in refused.why:
                flash(words.say("shredding_refusals", why), "refused")
            return redirect(url_for("shredding_pages.show"), 303)
    shred_list.keep_own()
    return _back("done_now" if done else "asked_now")


def _back(said: str) -> Response:
    flash(words.say("shredding", said))
    return redirect(url_for("shredding_pages.show"), 303)


def _page(session: Session, typed: Typed) -> str:
    clinic = sessions.clinic()
    everyone = team.everyone(session, clinic.id)
    return layout.page(
        session,
        "staff/destroyed.html",
        here="shredding",
        typed=typed,
        waiting=[_request(session, row, everyone) for row in deciding.waiting(session, clinic.id)],
        past=[_past(row, everyone) for row in deciding.done(session, clinic.id)],
        held=request.form.get("act") in ("hold", "release"),
        alone=not deciding.takes_two(session, clinic.id, layout.the_actor()),
    )


def _request(session: Session, row: Shredding, everyone: Mapping[UUID | None, Staff]) -> Request:
    patient = session.get_one(Patient, row.patient_id)
    asked = words.say("shredding", "asked_by", who=_who(row.asked_by, everyone), when=_when(row.asked_at))
    may = second_people.refusal(session, "destruction", layout.the_actor(), row.asked_by) == ""
    return Request(row.id, short_names.initials(patient), patient.record or "", asked, may)


def _past(row: Shredding, everyone: Mapping[UUID | None, Staff]) -> str:
    facts = {"when": _when(row.done_at or row.asked_at), "who": _who(row.asked_by, everyone)}
    if row.agreed_by is None:
        return words.say("shredding", "destroyed", **facts)
    return words.say("shredding", "destroyed_agreed", **facts, other=_who(row.agreed_by, everyone))


def _when(at: datetime) -> str:
    return times.moment(at, clock.now(), sessions.clinic().zone)


def _who(actor: str, everyone: Mapping[UUID | None, Staff]) -> str:
    staff = everyone.get(audit.Actor(actor).staff_id)
    if staff is not None:
        return staff.name
    return words.say("shredding", "restore" if audit.Actor(actor).kind == "system" else "operator")
