"""From who somebody is to being signed in: a second step where they have one, a session, the cookies, a notice."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from flask import redirect, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db, devices, keys
from messaging.models import Staff
from web import sessions
from web.account import account_news, browsers, factors, recoveries

# How long the second step may take after the first.
VALID = timedelta(minutes=10)
# Where the sealed cookie keeps the provider's session until the second step is taken: a keyed hash, in hex.
PROVIDER_SESSION = "sso_session"
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")


@dataclass(frozen=True)
class Half:
    """Somebody who has taken the first step, and where they want to go."""

    staff: Staff
    how: str
    onward: str


def safe_next(path: str | None) -> str:
    """Return `path` if it is a path of this service, else "/": nobody is sent elsewhere after signing in."""
    if not path or not _LOCAL.fullmatch(path) or urlsplit(path).path.startswith(("/signin", "/signout")):
        return "/"
    return path


def let_in(session: Session, staff: Staff, how: str, onward: str) -> Response:
    """Take the first step as done, by `how` (as StaffSession says it): sign in, or lead to the second."""
    staff = session.get_one(Staff, staff.id)
    if how != "demo" and factors.has(session, staff.id):
        began = int(clock.now().timestamp())
        cookie["half"] = [str(staff.id), how, onward, began, _stamp(staff)]
        return redirect(url_for("secondstep.show"), 303)
    return welcome(session, staff, how, None, onward)


def half() -> Half | None:
    """Return who has taken the first step in this browser, None where it was too long ago or nobody did."""
    try:
        staff_id, how, onward, began, stamp = cookie.get("half", ())
    except ValueError:
        return None
    if clock.now() - datetime.fromtimestamp(began, UTC) > VALID:
        return None
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        staff = session.get(Staff, UUID(staff_id))
    # A new password, a lock, or being let go undoes the first step too.
    return Half(staff, how, onward) if staff is not None and staff.active and stamp == _stamp(staff) else None


def welcome(session: Session, staff: Staff, how: str, factor: str | None, onward: str) -> Response:
    """Begin a session of `staff` and lead on; whoever calls has found out who it is."""
    staff = session.get_one(Staff, staff.id)
    about = f"staff:{staff.id}"
    browser = browsers.name(request.user_agent.string)
    device = request.cookies.get(devices.cookie_name())
    new = devices.known(device, staff.email) is None
    facts = {"how": how, "factor": factor, "browser": browser, "new": "yes" if new else None}
    audit.record(session, staff.clinic_id, audit.Actor.staff(staff.id), "staff.signed_in", about, **facts)
    old = request.cookies.get(sessions.cookie_name())
    if old:
        sessions.end(session, old)
    recovery = recoveries.unconfirmed(session, staff.id)
    of_provider = bytes.fromhex(cookie.pop(PROVIDER_SESSION, "")) if how == "sso" else b""
    token = sessions.start(
        session, staff, how=how, factor=factor, browser=browser, provider_session=of_provider or None
    )
    if recovery is not None:
        sessions.mark(session, token, recovery.id)
    if new and how not in sessions.VOUCHED_FOR:
        account_news.tell(session, staff, "new_browser", audit.Actor.staff(staff.id))
    cookie.pop("half", None)
    if cookie.get("whose", str(staff.id)) != str(staff.id):
        cookie.clear()  # notices, form tokens and what is half filled in were for whoever sat here before
    cookie["whose"] = str(staff.id)
    response = redirect(onward, 303)
    sessions.give(response, token)
    devices.remember(response, device, staff.email)
    return response


def _stamp(staff: Staff) -> str:
    return keys.token_hash(f"{staff.password_hash}:{staff.email}:{staff.sso_state}").hex()[:16]
