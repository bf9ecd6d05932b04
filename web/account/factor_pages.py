"""One's own second factor: an app set up with a picture and a code, recovery codes shown once, removed by a code."""

from flask import Response as FlaskResponse
from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, db
from messaging.models import Staff
from web import layout, permissions, sessions, words
from web.account import account_news, account_page, factors, proving, sign_in_limits
from web.models import StaffSession

factorpages = layout.room("factorpages", __name__)


@factorpages.get("/account/factor")
@permissions.signed_in("self", owing=True)
def show() -> str:
    """Show how to set a second factor up, with the picture where an app waits for its first code."""
    return page()


@factorpages.post("/account/factor")
@permissions.signed_in("self", owing=True)
def begin() -> Response | tuple[str, int]:
    """Make a secret for an app; nothing is asked for at the door until a code of it has come."""
    me = layout.the_staff()
    problem = proving.refusal(request.form, me)
    if problem:
        return page(problem), 422
    with db.unit_of_work(sessions.clinic().id) as session:
        factors.begin(session, session.get_one(Staff, me.id))
    return redirect(url_for("factorpages.show"), 303)


@factorpages.post("/account/factor/confirm")
@permissions.signed_in("self", owing=True)
def confirm() -> FlaskResponse | tuple[str, int]:
    """Take the app as one's own by its first code, and show the recovery codes, this once."""
    me = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        staff = session.get_one(Staff, me.id, with_for_update=True)
        confirmed = factors.confirm(session, staff, "".join(request.form.get("code", "").split()))
        if confirmed:
            codes = added(session, staff, "app")
    return shown_once(codes) if confirmed else (page(words.say("step", "wrong")), 422)


@factorpages.post("/account/factor/codes")
@permissions.signed_in("self")
def new_codes() -> FlaskResponse | tuple[str, int]:
    """Make new recovery codes for a code, and show them, this once."""
    me = layout.the_staff()
    problem = spent(me)
    if problem:
        return account_page.page({"codes": problem}), 422
    with db.unit_of_work(sessions.clinic().id) as session:
        codes = factors.new_codes(session, session.get_one(Staff, me.id))
        _write_down(session, me, "recovery_codes")
    return shown_once(codes)


@factorpages.post("/account/factor/remove")
@permissions.signed_in("self")
def remove() -> Response | tuple[str, int]:
    """Remove one's own app, for a code of it or a recovery code."""
    me = layout.the_staff()
    problem = spent(me)
    if problem:
        return account_page.page({"app": problem}), 422
    with db.unit_of_work(sessions.clinic().id) as session:
        factors.remove_app(session, me.id)
        removed(session, session.get_one(Staff, me.id), "app_removed")
    flash(words.say("account", "app_removed"))
    return redirect(url_for("account.show", _anchor="factor"), 303)


def spent(me: Staff) -> str:
    """Spend the code in the form; return why it is none, "" where it was good."""
    counted = sign_in_limits.of_step(me.email, str(me.id))
    pause = counted.take()
    if pause:
        return words.say("step", "wait", seconds=pause)
    with db.unit_of_work(me.clinic_id) as session:
        good = factors.take(session, me.id, request.form.get("code", "")[:40])
    if good:
        counted.right()
    return "" if good else words.say("step", "wrong")


def added(session: Session, staff: Staff, what: str) -> list[str]:
    """Note that somebody has a factor more; return recovery codes to show if these are their first, else nothing."""
    kind = "code" if what == "app" else "passkey"
    session.execute(update(StaffSession).where(StaffSession.id == sessions.current().id).values(factor=kind))
    _write_down(session, staff, what)
    account_news.tell(session, staff, what, audit.Actor.staff(staff.id))
    return [] if factors.codes_left(session, staff.id) else factors.new_codes(session, staff)


def removed(session: Session, staff: Staff, what: str) -> None:
    """Note that somebody has a factor less; with none left, no session of theirs counts as proved by one."""
    if not factors.has(session, staff.id):
        theirs = update(StaffSession).where(StaffSession.staff_id == staff.id, StaffSession.ended_at.is_(None))
        session.execute(theirs.values(factor=None))
    _write_down(session, staff, what)
    account_news.tell(session, staff, what, audit.Actor.staff(staff.id))


def shown_once(codes: list[str]) -> FlaskResponse:
    """Return the page with recovery codes; it is built by an act, so no address leads to it again."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return make_response(layout.page(session, "staff/recovery_codes.html", here="account", codes=codes))


def page(problem: str = "", passkey_problem: str = "") -> str:
    """Return the page that sets a second factor up, with what is wrong with its code or with a passkey."""
    me = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        app = factors.device(session, me.id)
        waits = app is not None and app.confirmed_at is None
        address = factors.address(app, me, sessions.clinic()) if app is not None and waits else ""
        facts = account_page.facts(session, me) | {
            "problem": problem,
            "passkey_problem": passkey_problem,
            "owed": sessions.owes_factor(),
            "picture": factors.picture(address) if address else "",
            "secret": _in_fours(app.secret or "") if app is not None and waits else "",
        }
        if facts["owed"]:  # nothing of the clinic is shown around it
            return render_template("staff/factor.html", **facts)
        return layout.page(session, "staff/factor.html", here="account", **facts)


def _in_fours(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _write_down(session: Session, staff: Staff, what: str) -> None:
    audit.record(session, staff.clinic_id, audit.Actor.staff(staff.id), f"factor.{what}", f"staff:{staff.id}")
