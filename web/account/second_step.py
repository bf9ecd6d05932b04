"""The second step at the door: a code of one's app, a recovery code, or a passkey, within ten minutes of the first."""

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from config import audit, db
from messaging.models import Staff
from web import layout, permissions, sessions, words
from web.account import account_news, entering, factors, passkeys, recoveries, sign_in_limits

secondstep = layout.room("secondstep", __name__)


@secondstep.get("/signin/step")
@permissions.public
def show() -> Response | str:
    """Ask for the second step."""
    half = entering.half()
    return redirect(url_for("signin.form"), 303) if half is None else _page(half)


@secondstep.post("/signin/step")
@permissions.public
def take() -> Response | tuple[str, int]:
    """Take a code, once; a wrong one makes the next wait, as a wrong password does."""
    half = entering.half()
    if half is None:
        return redirect(url_for("signin.form"), 303)
    counted = sign_in_limits.of_step(half.staff.email, str(half.staff.id))
    pause = counted.take()
    if pause:
        page = make_response(_page(half, words.say("step", "wait", seconds=pause)), 429)
        page.headers["Retry-After"] = str(pause)
        return page
    with db.unit_of_work(half.staff.clinic_id) as session:
        staff = session.get_one(Staff, half.staff.id)
        factor = factors.take(session, staff.id, request.form.get("code", "")[:40])
        if factor is None:
            actor = audit.Actor.system("web")
            audit.record(session, staff.clinic_id, actor, "staff.step_refused", f"staff:{staff.id}")
            return _page(half, words.say("step", "wrong")), 401
        if factor == "recovery":
            left = factors.codes_left(session, staff.id)
            actor = audit.Actor.staff(staff.id)
            audit.record(session, staff.clinic_id, actor, "staff.recovery_code_used", f"staff:{staff.id}", left=left)
            account_news.tell(session, staff, "recovery_code", actor)
            flash(words.say("step", "recovered", count=left))
        counted.right()
        return entering.welcome(session, staff, half.how, factor, half.onward)


@secondstep.post("/signin/step/recovery")
@permissions.public
def recover() -> Response | tuple[str, int]:
    """Come in once by what two administrators have agreed to; another second step is set up before anything else."""
    half = entering.half()
    if half is None:
        return redirect(url_for("signin.form"), 303)
    with db.unit_of_work(half.staff.clinic_id) as session:
        staff = session.get_one(Staff, half.staff.id, with_for_update=True)
        if recoveries.use(session, staff):
            sessions.revoke(session, staff.id)
            return entering.welcome(session, staff, half.how, "reset", half.onward)
    return _page(half, words.say("step", "recovery_over")), 410


def _page(half: entering.Half, problem: str = "") -> str:
    with db.unit_of_work(half.staff.clinic_id, read_only=True) as session:
        app = factors.device(session, half.staff.id)
        return render_template(
            "staff/second_step.html",
            name=half.staff.name,
            problem=problem,
            has_app=app is not None and app.confirmed_at is not None,
            may_recover=recoveries.agreed(session, half.staff.id) is not None,
            has_passkey=bool(passkeys.of(session, half.staff.id)),
        )
