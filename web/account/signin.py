"""The staff door: password or one-time link in, sign-out, and the links the command line hands out."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Literal
from uuid import UUID

from flask import make_response, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db, keys, logging, runtime
from messaging.models import Clinic, Staff
from reminders import single_sign_on
from web import layout, permissions, sessions, words
from web.account import choosing, entering, factors, passkeys, passwords, sign_in_limits, sso_client, sso_door
from web.models import SignInLink

signin = layout.room("signin", __name__)
BUSY_SECONDS = 3
# The kinds of link by which somebody chooses a password.
CHOOSES = ("invite", "reset")
# In so many clinics one address may have a password; each refusal costs as many checks (a twentieth of a second each).
MOST_ACCOUNTS = 3


def make_link(session: Session, staff: Staff, kind: Literal["invite", "reset", "once"], valid: timedelta) -> str:
    """Return the address of a one-time sign-in link; "invite" and "reset" ask for a password to be chosen first."""
    token, now = keys.new_token(), clock.now()
    session.add(
        SignInLink(
            clinic_id=staff.clinic_id,
            staff_id=staff.id,
            token_hash=keys.token_hash(token),
            kind=kind,
            created_at=now,
            expires_at=now + valid,
        )
    )
    return f"{runtime.settings().staff_address}/signin/{token}"


def spend_links(session: Session, staff_id: UUID) -> None:
    """Let no link open any more that this person has not used."""
    unused = update(SignInLink).where(SignInLink.staff_id == staff_id, SignInLink.used_at.is_(None))
    now = clock.now()
    session.execute(unused.values(used_at=now, revoked_at=now))


@signin.get("/signin")
@permissions.public
def form() -> Response | str:
    """Ask who is there."""
    if sessions.current_staff():
        return redirect(entering.safe_next(request.args.get("next")), 303)
    return page(next=entering.safe_next(request.args.get("next")))


@signin.post("/signin")
@permissions.public
def enter() -> Response:
    """Take e-mail and password; every refusal looks the same, and waiting grows with each wrong one."""
    email, onward = request.form.get("email", "").strip().lower()[:254], entering.safe_next(request.form.get("next"))
    counted = sign_in_limits.of(email)
    pause = counted.take()
    if pause:
        return refused("wait", 429, pause, email=email, next=onward)
    accounts = _accounts(email)
    try:
        staff, rehashed = _who(accounts, request.form.get("password", ""))
    except passwords.Busy:
        counted.not_looked_at()
        return refused("busy", 503, BUSY_SECONDS, email=email, next=onward)
    if staff is None:
        answer = make_response(page(problem="wrong", email=email, next=onward), 401)
        answer.call_on_close(partial(_write_down, [account for account, _ in accounts]))
        return answer
    counted.right()
    with db.unit_of_work(staff.clinic_id) as session:
        if rehashed is not None:
            session.get_one(Staff, staff.id).password_hash = rehashed
        return entering.let_in(session, staff, "password", onward)


def refused(problem: str, status: int, seconds: int, **facts: object) -> Response:
    """Answer with the page that asks who is there, and when to try again."""
    answer = make_response(page(problem=problem, seconds=seconds, **facts), status)
    answer.headers["Retry-After"] = str(seconds)
    return answer


def _accounts(email: str) -> list[tuple[Staff, Clinic]]:
    """Return who has this address, in up to MOST_ACCOUNTS clinics: one question, whoever it is about."""
    asked = select(Staff, Clinic).join(Clinic, Clinic.id == Staff.clinic_id).where(Staff.email == email, Staff.active)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.execute(asked.order_by(Staff.id).limit(MOST_ACCOUNTS))
        return [(staff, clinic) for staff, clinic in rows]


def _who(accounts: Sequence[tuple[Staff, Clinic]], password: str) -> tuple[Staff | None, str | None]:
    """Return whose password this is, and a new hash of it where the old one was made by older parameters.

    As many passwords are checked for a refusal whether nobody has the address, somebody without a password, or one
    person in several clinics: what it costs tells nothing.
    """
    for staff, clinic in accounts:
        if passwords.fits(staff.password_hash, password) and not kept_out(staff, clinic):
            return staff, passwords.rehashed(staff.password_hash, password) if staff.password_hash else None
    for _ in range(MOST_ACCOUNTS - len(accounts)):
        passwords.fits(None, password)
    return None, None


def _write_down(accounts: Sequence[Staff]) -> None:
    """Put down whose door was tried, once the answer has left: only an account that exists has anything to put down."""
    for account in accounts:
        logging.logger().info("sign in refused", staff_id=account.id, clinic_id=account.clinic_id)
        with db.unit_of_work(account.clinic_id) as session:
            actor, subject = audit.Actor.system("web"), f"staff:{account.id}"
            audit.record(session, account.clinic_id, actor, "staff.sign_in_refused", subject)


def kept_out(staff: Staff, clinic: Clinic) -> bool:
    """Whether somebody comes in by their clinic's identity provider alone (reminders.single_sign_on.keeps_out)."""
    return staff.sso_state is not None and single_sign_on.keeps_out(single_sign_on.of_clinic(clinic), staff)


@signin.get("/signin/<token>")
@permissions.public
def link(token: str) -> tuple[str, int] | str:
    """Show the button; a preview that fetches the link spends nothing."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        sign_in_link = _open_link(session, token)
        if sign_in_link is None:
            return _dead()
        return _link_page(session, sign_in_link, token)


@signin.post("/signin/<token>")
@permissions.public
def use_link(token: str) -> Response | tuple[str, int]:
    """Use the link, once: sign in, after choosing a password if it is an invitation."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        sign_in_link = _open_link(session, token)
        if sign_in_link is None:
            return _dead()
        # Hashed before the writing transaction: it takes a tenth of a second on purpose.
        chosen, problem = _chosen(session, sign_in_link) if sign_in_link.kind in CHOOSES else (None, "")
        if problem:
            busy = problem == words.say("password_problems", "busy")
            return _link_page(session, sign_in_link, token, problem=problem), 503 if busy else 422
    with db.unit_of_work(sign_in_link.clinic_id) as session:
        spent = update(SignInLink).where(SignInLink.id == sign_in_link.id, SignInLink.used_at.is_(None))
        if session.execute(spent.values(used_at=clock.now()).returning(SignInLink.id)).first() is None:
            return _dead()
        staff = session.get_one(Staff, sign_in_link.staff_id)
        if chosen is not None:
            staff.password_hash = chosen
            sessions.revoke(session, staff.id)
            spend_links(session, staff.id)
        return entering.let_in(session, staff, sign_in_link.kind, _first_page(sign_in_link, staff))


def _first_page(used: SignInLink, staff: Staff) -> str:
    """Where somebody begins: who decides for the clinic, when they come for the first time, with setting it up."""
    onward = entering.safe_next(request.form.get("next"))
    first = used.kind == "invite" and onward == "/" and permissions.may(staff.role, "clinic.settings")
    return "/settings" if first else onward


def _chosen(session: Session, sign_in_link: SignInLink) -> tuple[str | None, str]:
    staff = session.get_one(Staff, sign_in_link.staff_id)
    clinic = session.get_one(Clinic, sign_in_link.clinic_id)
    return choosing.chosen(request.form, staff, clinic, second_factor=factors.has(session, staff.id))


def _dead() -> tuple[str, int]:
    return render_template("staff/link_dead.html"), 410


def _open_link(session: Session, token: str) -> SignInLink | None:
    sign_in_link = session.scalar(select(SignInLink).where(SignInLink.token_hash == keys.token_hash(token)))
    if sign_in_link is None or sign_in_link.used_at or sign_in_link.expires_at <= clock.now():
        return None
    staff, clinic = session.get_one(Staff, sign_in_link.staff_id), session.get_one(Clinic, sign_in_link.clinic_id)
    kept_out = sign_in_link.kind in CHOOSES and single_sign_on.keeps_out(single_sign_on.of_clinic(clinic), staff)
    return sign_in_link if staff.active and not kept_out else None


def _link_page(session: Session, sign_in_link: SignInLink, token: str, problem: str | None = None) -> str:
    staff = session.get_one(Staff, sign_in_link.staff_id)
    clinic = session.get_one(Clinic, sign_in_link.clinic_id)
    return render_template(
        "staff/link.html",
        token=token,
        kind=sign_in_link.kind,
        name=staff.name,
        email=staff.email,
        clinic=clinic.name,
        problem=problem,
        shortest=passwords.shortest(second_factor=factors.has(session, staff.id)),
        next=entering.safe_next(request.values.get("next")),
    )


@signin.post("/signout")
@permissions.signed_in("self", owing=True)
def leave() -> Response:
    """End this session at once."""
    staff, elsewhere = sessions.current_staff(), ""
    if staff is not None:
        elsewhere = _way_out() if sessions.current().how == "sso" else ""
        with db.unit_of_work(staff.clinic_id) as session:
            sessions.end(session, request.cookies.get(sessions.cookie_name(), ""))
            audit.record(session, staff.clinic_id, audit.Actor.staff(staff.id), "staff.signed_out", f"staff:{staff.id}")
    response: Response = redirect(url_for("signin.form"), 303)
    if elsewhere:  # a redirect of a form to another site is what our own content policy forbids
        response = make_response(render_template("staff/signed_out_there.html", elsewhere=elsewhere))
    sessions.take(response)
    cookie.clear()
    # A page that "back" would show on a shared machine goes; cookies of taste and the known device stay.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _way_out() -> str:
    """Where whoever came in by the clinic's provider is signed out of it too, "" where it has no such place."""
    terms = single_sign_on.of_clinic(sessions.clinic())
    try:
        there = sso_client.provider(terms.issuer) if terms.on else None
    except sso_client.Silent:
        return ""
    back = runtime.settings().staff_address + url_for("signin.form")
    return sso_client.way_out(there, terms.client_id, back) if there else ""


def page(**facts: object) -> str:
    """Return the page that asks who is there; `problem` is wrong | busy | wait | passkey | organization, or that with
    _silent."""
    facts |= {"demo": runtime.settings().demo, "can_passkey": passkeys.possible(), "organization": sso_door.offered()}
    return render_template("staff/signin.html", **facts)
