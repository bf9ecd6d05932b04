"""One's own passkeys, made and removed; and the door for whoever comes in by one."""

from uuid import UUID

from flask import Response as FlaskResponse
from flask import abort, flash, redirect, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from config import db
from messaging.models import Clinic, Staff
from web import layout, permissions, sessions, words
from web.account import account_page, entering, factor_pages, factors, passkeys, proving, sign_in_limits, signin
from web.models import Passkey

passkeypages = layout.room("passkeypages", __name__)


@passkeypages.post("/account/passkeys/ask")
@permissions.signed_in("self", owing=True)
def ask_to_make() -> FlaskResponse:
    """Answer with what the browser needs to make a passkey, as JSON."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        options, cookie["passkey"] = passkeys.ask_to_make(session, layout.the_staff())
    return FlaskResponse(options, mimetype="application/json")


@passkeypages.post("/account/passkeys")
@permissions.signed_in("self", owing=True)
def make() -> Response | tuple[str, int]:
    """Keep a passkey that the browser has made."""
    me = layout.the_staff()
    problem, codes = proving.refusal(request.form, me), []
    if not problem:
        name = request.form.get("name", "").strip()[:60] or account_page.spoken(sessions.current().browser)
        try:
            with db.unit_of_work(sessions.clinic().id) as session:
                staff = session.get_one(Staff, me.id, with_for_update=True)
                sent = request.form.get("credential", "")
                passkeys.make(session, staff, sent, cookie.pop("passkey", None), name)
                codes = factor_pages.added(session, staff, "passkey")
        except passkeys.Refused:
            problem = words.say("passkeys", "not_made")
    if problem:
        if sessions.owes_factor():
            return factor_pages.page(passkey_problem=problem), 422
        return account_page.page({"passkey": problem}), 422
    if codes:
        return factor_pages.shown_once(codes)
    flash(words.say("passkeys", "made"))
    return redirect(url_for("account.show", _anchor="passkeys"), 303)


@passkeypages.post("/account/passkeys/<uuid:passkey_id>/remove")
@permissions.signed_in("self")
def remove(passkey_id: UUID) -> Response | tuple[str, int]:
    """Remove one's own passkey, for a code of one's app or a recovery code."""
    me = layout.the_staff()
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        theirs = session.get(Passkey, passkey_id)
    if theirs is None or theirs.staff_id != me.id:
        abort(404)
    problem = factor_pages.spent(me)
    if problem:
        return account_page.page({"passkey": problem}), 422
    with db.unit_of_work(sessions.clinic().id) as session:
        session.delete(session.get_one(Passkey, passkey_id))
        factors.forget_codes(session, me.id)
        factor_pages.removed(session, session.get_one(Staff, me.id), "passkey_removed")
    flash(words.say("passkeys", "removed"))
    return redirect(url_for("account.show", _anchor="passkeys"), 303)


@passkeypages.post("/signin/passkey/ask")
@permissions.public
def ask_who() -> FlaskResponse:
    """Answer with what the browser needs to offer a passkey, as JSON; no account is named."""
    options, cookie["passkey"] = passkeys.ask_who()
    return FlaskResponse(options, mimetype="application/json")


@passkeypages.post("/signin/passkey")
@permissions.public
def enter() -> Response | tuple[str, int]:
    """Let in whoever answers with a passkey of theirs; it is both steps at once."""
    half, counted = entering.half(), sign_in_limits.of_passkey()
    pause = counted.take()
    if pause:
        return signin.refused("wait", 429, pause)
    onward = half.onward if half else entering.safe_next(request.form.get("next"))
    try:
        with db.unit_of_work(db.EVERY) as session:
            staff = passkeys.who(session, request.form.get("credential", ""), cookie.pop("passkey", None))
            # Whose password was taken away comes in by a link first: then the passkey is their second step.
            if (
                staff.password_hash is None
                and staff.sso_state != "linked"
                and (half is None or half.staff.id != staff.id)
            ):
                raise passkeys.Refused("locked out")
            clinic = session.get_one(Clinic, staff.clinic_id)
            if signin.kept_out(staff, clinic) and (half is None or half.staff.id != staff.id or half.how != "sso"):
                raise passkeys.Refused("by the provider alone")
    except passkeys.Refused:
        return signin.page(problem="passkey", next=onward), 401
    counted.right()
    with db.unit_of_work(staff.clinic_id) as session:
        return entering.welcome(session, staff, "passkey", "passkey", onward)
