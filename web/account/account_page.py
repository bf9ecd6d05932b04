"""How one signs in, and where one is signed in: one's own password, second factor, passkeys and browsers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.models import Staff
from web import layout, permissions, sessions, times, words
from web.account import account_news, choosing, factors, passkeys, passwords, proving
from web.models import AccountChange, StaffSession

account = layout.room("account", __name__)


@dataclass(frozen=True)
class Signed:
    """A browser in which the reader is signed in, in words."""

    id: UUID
    browser: str
    how: str
    began: str
    seen: str
    here: bool


@account.get("/account")
@permissions.signed_in("self")
def show() -> str:
    """Show how the reader signs in and where they are signed in."""
    return page()


def page(problems: dict[str, str] | None = None) -> str:
    """Return the page; `problems` maps a form of it (password, app, passkey, codes) to what is wrong with it."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        me = layout.the_staff()
        return layout.page(session, "staff/account.html", here="account", problems=problems or {}, **facts(session, me))


def facts(session: Session, me: Staff) -> dict[str, Any]:
    """Return what the pages about one's account show."""
    app = factors.device(session, me.id)
    return {
        "email": me.email,
        "has_password": me.password_hash is not None,
        "by_provider": me.sso_state == "linked",
        "shortest": passwords.shortest(second_factor=factors.has(session, me.id)),
        "app_since": _moment(app.confirmed_at if app else None),
        "codes_left": factors.codes_left(session, me.id),
        "has_factor": factors.has(session, me.id),
        "demanded": sessions.demands_factor(me),
        "can_passkey": passkeys.possible(),
        "passkeys": [
            (key.id, key.name, _moment(key.made_at), _moment(key.used_at)) for key in passkeys.of(session, me.id)
        ],
        "signed": [_signed(row) for row in sessions.opened(session, me.id)],
        "changes": [_change(session, change) for change in account_news.recent(session, me.id)],
        "asks_password": proving.asked(),
    }


@account.post("/account/password")
@permissions.signed_in("self")
def change_password() -> Response | tuple[str, int]:
    """Change one's own password; the present one is asked for. The other browsers are signed out if one wants."""
    me, clinic = layout.the_staff(), sessions.clinic()
    problem = proving.refusal(request.form, me, always=True)
    if problem:
        return page({"password": problem}), 422
    with db.unit_of_work(clinic.id, read_only=True) as session:
        has_factor = factors.has(session, me.id)
    chosen, problem = choosing.chosen(request.form, me, clinic, second_factor=has_factor)
    if chosen is None:
        return page({"password": problem}), 422
    with db.unit_of_work(clinic.id) as session:
        staff = session.get_one(Staff, me.id, with_for_update=True)
        staff.password_hash = chosen
        ended = sessions.end_others(session, me.id, sessions.current().id) if request.form.get("others") else 0
        audit.record(session, clinic.id, audit.Actor.staff(me.id), "staff.password", f"staff:{me.id}", ended=ended)
        account_news.tell(session, staff, "password", audit.Actor.staff(me.id))
    flash(words.say("account", "password"))
    return redirect(url_for("account.show"), 303)


@account.post("/account/sessions/<uuid:session_id>/end")
@permissions.signed_in("self")
def end(session_id: UUID) -> Response:
    """Sign one browser of one's own out."""
    me = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        row = session.get(StaffSession, session_id)
        if row is None or row.staff_id != me.id:
            abort(404)
        if row.ended_at is None:
            row.ended_at = clock.now()
            audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.session_ended", f"staff:{me.id}")
    flash(words.say("account", "ended"))
    return redirect(url_for("account.show", _anchor="signed"), 303)


@account.post("/account/sessions/end")
@permissions.signed_in("self")
def end_others() -> Response:
    """Sign every other browser of one's own out."""
    me = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        ended = sessions.end_others(session, me.id, sessions.current().id)
        actor, about = audit.Actor.staff(me.id), f"staff:{me.id}"
        audit.record(session, me.clinic_id, actor, "staff.sessions_ended", about, ended=ended)
    flash(words.say("account", "others_ended", count=ended))
    return redirect(url_for("account.show", _anchor="signed"), 303)


def _signed(row: StaffSession) -> Signed:
    return Signed(
        id=row.id,
        browser=spoken(row.browser),
        how=words.say("account_hows", row.how) if row.how else "",
        began=_moment(row.created_at),
        seen=_moment(row.seen_at),
        here=row.id == sessions.current().id,
    )


def spoken(browser: str | None) -> str:
    """Return a browser as staff read it."""
    program, _, system = (browser or "").partition("/")
    if program and system:
        return words.say("browsers", "both", program=program, system=system)
    return program or system or words.say("browsers", "unknown")


def _moment(at: Any) -> str:
    return times.moment(at, clock.now(), sessions.clinic().zone, running=True) if at else ""


def _change(session: Session, change: AccountChange) -> tuple[str, str, str]:
    actor = audit.Actor(change.actor)
    if actor.staff_id == change.staff_id:
        who = words.say("account", "yourself")
    elif actor.staff_id is not None:
        colleague = session.get(Staff, actor.staff_id)
        who = colleague.name if colleague else ""
    elif actor == account_news.PROVIDER:
        who = words.say("account", "organization")
    else:
        who = words.say("account", "operator")
    return words.say("account_changes", change.what), _moment(change.at), who
