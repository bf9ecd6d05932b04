"""Step-up: who exports, changes who may what, or holds a key proves once more who they are, and loses nothing typed.

Asked of routes that say so (permissions.signed_in(..., fresh=True)), once in ten minutes: a code, a passkey, the
password, or, for who has none of them, a code texted to their own phone. A form that was sent comes back inside the
question and goes on with the answer.
"""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from flask import Response, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from config import audit, clock, db, keys
from messaging import outbox
from messaging.models import Clinic, Staff
from messaging.wording import text_templates
from reminders import single_sign_on
from web import layout, permissions, sessions, words
from web.account import entering, factors, passkeys, proving, sign_in_limits

stepup = layout.room("stepup", __name__)
DIGITS, VALID = 8, timedelta(minutes=5)
# The fields of ours among those of the form that is kept.
OWN = ("csrf_token", "proof", "current", "code", "credential")


def guard() -> AnyResponse | None:
    """Ask for a proof before a route that demands one; the answer comes back with the form that was sent."""
    if not getattr(layout.request_view(), "fresh", False) or sessions.current_staff() is None or sessions.proved():
        return None
    if request.method != "POST":
        return _page(request.full_path.rstrip("?"), "", 401)
    if "proof" not in request.form:
        return _page(request.path, "", 401)
    problem = _refusal()
    return _page(request.path, problem, 422) if problem else None


@stepup.post("/account/proof")
@permissions.signed_in("self")
def prove() -> AnyResponse:
    """Take the proof for a page that was asked for, and go on to it."""
    onward = entering.safe_next(request.form.get("next"))
    problem = _refusal()
    return _page(onward, problem, 422) if problem else redirect(onward, 303)


@stepup.post("/account/proof/code")
@permissions.signed_in("self")
def text_code() -> AnyResponse:
    """Text a code to one's own phone, for who has nothing else; the page with the form stays open beside this one."""
    me = layout.the_staff()
    counted = sign_in_limits.of_step(me.email, str(me.id))
    pause = counted.take()
    if pause:
        return _told(words.say("step", "wait", seconds=pause))
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    with db.unit_of_work(me.clinic_id) as session:
        clinic, staff = session.get_one(Clinic, me.clinic_id), session.get_one(Staff, me.id)
        if not _may_be_texted(session, staff):
            return _told(words.say("proving", "no_phone"))
        # Texts to colleagues hold one thing alone that is filled in, and here it is the code.
        body = text_templates.render(text_templates.texts("en")["staff_proof_code"], {"link": code})
        outbox.text_staff(session, clinic, staff, body=body, dedupe=f"proof:{db.new_id()}")
        audit.record(session, clinic.id, audit.Actor.staff(me.id), "staff.proof_code", f"staff:{me.id}")
    cookie["proof"] = [_stamp(code), int(clock.now().timestamp())]
    return _told(words.say("proving", "texted"))


def _refusal() -> str:
    """Return why the form does not prove who this is; "" where it does, which is written down."""
    me, how = layout.the_staff(), request.form.get("proof", "")
    problem = _CHECKS.get(how, _nothing)(me)
    if not problem:
        with db.unit_of_work(me.clinic_id) as session:
            sessions.prove(session)
            audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.proved", f"staff:{me.id}", how=how)
    return problem


def _nothing(_me: Staff) -> str:
    return words.say("proving", "nothing")


def _password(me: Staff) -> str:
    return proving.refusal(request.form, me, always=True)


def _code(me: Staff) -> str:
    """A code of one's app or a recovery code; the one that was texted, where one has nothing else."""
    counted = sign_in_limits.of_step(me.email, str(me.id))
    pause = counted.take()
    if pause:
        return words.say("step", "wait", seconds=pause)
    typed = "".join(request.form.get("code", "").split())[:40]
    with db.unit_of_work(me.clinic_id) as session:
        alone = _may_be_texted(session, session.get_one(Staff, me.id))
        good = _was_texted(typed) if alone else factors.take(session, me.id, typed) is not None
    if good:
        counted.right()
    return "" if good else words.say("step", "wrong")


def _passkey(me: Staff) -> str:
    try:
        with db.unit_of_work(me.clinic_id) as session:
            who = passkeys.who(session, request.form.get("credential", ""), cookie.pop("passkey", None))
            return "" if who.id == me.id else words.say("proving", "not_yours")
    except passkeys.Refused:
        return words.say("proving", "not_yours")


_CHECKS = {"password": _password, "code": _code, "passkey": _passkey}


def _may_be_texted(session: Session, staff: Staff) -> bool:
    return bool(staff.number and staff.password_hash is None and not factors.has(session, staff.id))


def _was_texted(typed: str) -> bool:
    try:
        stamp, at = cookie.get("proof", ())
    except ValueError:
        return False
    in_time = clock.now() - datetime.fromtimestamp(at, UTC) <= VALID
    good = in_time and hmac.compare_digest(stamp, _stamp(typed))
    if good:
        cookie.pop("proof")
    return good


def _stamp(code: str) -> str:
    """The code under a key of ours, bound to this session: another browser's cookie proves nothing here."""
    return keys.token_hash(f"{sessions.current().id}:{code}").hex()


def _page(path: str, problem: str, status: int) -> Response:
    me, posted = layout.the_staff(), request.method == "POST" and request.endpoint != "stepup.prove"
    kept = [field for field in request.form.items(multi=True) if field[0] not in OWN] if posted else []
    with db.unit_of_work(me.clinic_id, read_only=True) as session:
        staff = session.get_one(Staff, me.id)
        app = factors.device(session, me.id)
        page = render_template(
            "staff/step_up.html",
            action=path if posted else url_for("stepup.prove"),
            kept=kept if posted else [("next", path)],
            file_lost=any(upload.filename for upload in request.files.values()),
            problem=problem,
            name=me.name,
            has_password=me.password_hash is not None,
            has_app=app is not None and app.confirmed_at is not None,
            has_passkey=bool(passkeys.of(session, me.id)) and passkeys.possible(),
            texted=_may_be_texted(session, staff),
            by_provider=staff.sso_state == "linked" and single_sign_on.of_clinic(sessions.clinic()).on,
            minutes=int(sessions.PROVED.total_seconds() // 60),
        )
    return make_response(page, status)


def _told(said: str) -> Response:
    return make_response(render_template("staff/step_up_told.html", said=said))
