"""The keys of the clinic's own programs: made with what each may, shown once, listed with their use, revoked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from config import clock, db
from messaging.models import Clinic, Staff
from messaging.programs import keys, scopes
from messaging.programs.models import ApiKey
from web import ids, layout, permissions, sessions, team, times, words

api_keys = layout.room("api_keys", __name__)
LIVES = (30, 90, 180, 365)
# Of all scopes the longest part: what stands before the last dot is the resource.
RESOURCES = tuple(dict.fromkeys(scope.rpartition(".")[0] for scope in scopes.ALL))


@dataclass(frozen=True)
class Row:
    """A key as the page lists it."""

    id: UUID
    name: str
    may: str
    acts_as: str
    made: str
    expires: str
    used: str
    state: str
    open: bool


@dataclass(frozen=True)
class Typed:
    """What the form holds, and what is wrong with it by field."""

    name: str = ""
    scopes: tuple[str, ...] = ()
    days: str = "90"
    staff: str = ""
    problems: Mapping[str, str] | None = None


@api_keys.get("/settings/keys")
@permissions.signed_in("clinic.settings", fresh=True)
def show() -> str:
    """Show the keys and the form that makes one."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, Typed())


@api_keys.post("/settings/keys")
@permissions.signed_in("clinic.settings", fresh=True)
def make() -> str | tuple[str, int]:
    """Make a key and show it, this once."""
    typed = _typed(request.form)
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        try:
            made, token = keys.make(session, clinic, _wanted(session, typed), actor=layout.the_actor())
        except keys.MayNot as refused:
            told = {field: words.say("api_keys", f"wrong_{field}") for field in refused.problems}
            wrong = Typed(typed.name, typed.scopes, typed.days, typed.staff, told)
            return _page(session, wrong), 422
        return _page(session, Typed(), token=token, made=made.name)


@api_keys.post("/settings/keys/<uuid:key_id>/revoke")
@permissions.signed_in("clinic.settings", fresh=True)
def revoke(key_id: UUID) -> Response:
    """Let nobody in by a key any more."""
    with db.unit_of_work(sessions.clinic().id) as session:
        key = session.scalar(select(ApiKey).where(ApiKey.clinic_id == sessions.clinic().id, ApiKey.id == key_id))
        if key is None:
            abort(404)
        keys.revoke(session, key, actor=layout.the_actor())
        name = key.name
    flash(words.say("api_keys", "revoked", name=name))
    return redirect(url_for("api_keys.show"), 303)


def _typed(form: MultiDict[str, str]) -> Typed:
    wanted = tuple(scope for scope in scopes.ALL if scope in form.getlist("scope"))
    return Typed(form.get("name", "").strip(), wanted, form.get("days", ""), form.get("staff", ""))


def _wanted(session: Session, typed: Typed) -> keys.Wanted:
    days = int(typed.days) if typed.days.isascii() and typed.days.isdigit() and len(typed.days) < 5 else 0
    return keys.Wanted(typed.name, typed.scopes, days, _colleague(session, typed.staff) if typed.staff else None)


def _colleague(session: Session, wanted: str) -> Staff:
    """The colleague who was chosen. Raises keys.MayNot for one whom the page did not offer."""
    staff_id = ids.uuid_of(wanted)
    staff = session.get(Staff, staff_id) if staff_id else None
    if staff is None:
        raise keys.MayNot({"staff": "staff"})
    return staff


def _page(session: Session, typed: Typed, *, token: str = "", made: str = "") -> str:
    clinic, now = sessions.clinic(), clock.now()
    everyone = team.everyone(session, clinic.id)
    listed = keys.of_clinic(session, clinic)
    return layout.page(
        session,
        "staff/api_keys.html",
        here="api_keys",
        rows=[_row(key, everyone, clinic.zone, now) for key in listed],
        typed=typed,
        problems=typed.problems or {},
        token=token,
        made=made,
        resources=[(name, _choices(name)) for name in RESOURCES],
        lives=LIVES,
        people=[(staff.id, staff.name) for staff in everyone.values() if keys.may_be_named(staff)],
    )


def _choices(resource: str) -> list[tuple[str, str]]:
    own = [scope for scope in scopes.ALL if scope.rpartition(".")[0] == resource]
    return [(scope, words.say("api_scopes", scope)) for scope in own]


def _row(key: ApiKey, everyone: Mapping[UUID | None, Staff], zone: str, now: datetime) -> Row:
    state = keys.state(key, now)
    used = times.moment(key.last_used_at, now, zone) if key.last_used_at else words.say("api_keys", "unused")
    return Row(
        id=key.id,
        name=key.name,
        may=", ".join(words.say("api_scopes", scope) for scope in key.scopes),
        acts_as=everyone[key.staff_id].name if key.staff_id else "",
        made=times.moment(key.created_at, now, zone, running=True),
        expires=times.moment(key.expires_at, now, zone),
        used=used,
        state=words.say("api_key_states", state),
        open=state == "open",
    )
