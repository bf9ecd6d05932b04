"""Signed-in browsers, kept by the server: fifteen idle minutes, twelve hours at most, ended at once by revocation."""

import secrets
from datetime import timedelta
from uuid import UUID

from flask import Response, g, request
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from config import clock, db, keys, runtime
from messaging.models import Clinic, Staff
from web.models import StaffSession

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=12)
# Being seen is written down at most this often: a page that is only read should not cost a write.
SEEN_EVERY = timedelta(seconds=30)
AT_ONCE = 3


def cookie_name() -> str:
    """Return the cookie's name; the prefix makes browsers refuse it from other hosts and without https."""
    return "__Host-wt_session" if runtime.settings().secure else "wt_session"


def start(session: Session, staff: Staff) -> str:
    """Sign `staff` in and return the token for the cookie; of a person's sessions, the three newest live on."""
    now, token = clock.now(), secrets.token_urlsafe(32)
    open_ones = select(StaffSession).where(StaffSession.staff_id == staff.id, StaffSession.ended_at.is_(None))
    for older in session.scalars(open_ones.order_by(StaffSession.id.desc()).offset(AT_ONCE - 1)):
        older.ended_at = now
    session.add(
        StaffSession(
            clinic_id=staff.clinic_id,
            staff_id=staff.id,
            token_hash=keys.token_hash(token),
            created_at=now,
            seen_at=now,
        )
    )
    return token


def end(session: Session, token: str) -> StaffSession | None:
    """End the session of this token; return it, or None if there was none."""
    row = session.scalar(select(StaffSession).where(StaffSession.token_hash == keys.token_hash(token)))
    if row is not None and row.ended_at is None:
        row.ended_at = clock.now()
    return row


def revoke(session: Session, staff_id: UUID) -> None:
    """End every session of a person at once."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def current_staff(*, seen: bool = True) -> Staff | None:
    """Return who is signed in, or None; read once per request. `seen` says that a human was active just now."""
    if "staff" not in g:
        g.staff, g.clinic = _read(request.cookies.get(cookie_name(), ""), seen)
    staff: Staff | None = g.staff
    return staff


def clinic() -> Clinic:
    """Return the clinic of who is signed in."""
    found: Clinic = g.clinic
    return found


def _read(token: str, seen: bool) -> tuple[Staff | None, Clinic | None]:
    if not token:
        return None, None
    now, stale = clock.now(), False
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        row = session.scalar(select(StaffSession).where(StaffSession.token_hash == keys.token_hash(token)))
        if row is None or row.ended_at or now - row.seen_at > IDLE or now - row.created_at > LONGEST:
            return None, None
        staff = session.get(Staff, row.staff_id)
        if staff is None or not staff.active:
            return None, None
        found, stale = session.get(Clinic, staff.clinic_id), seen and now - row.seen_at > SEEN_EVERY
    if stale:
        with db.unit_of_work(staff.clinic_id) as session:
            session.execute(
                update(StaffSession)
                .where(StaffSession.id == row.id, StaffSession.ended_at.is_(None))
                .values(seen_at=now)
            )
    return staff, found


def give(response: Response | AnyResponse, token: str) -> None:
    """Set the cookie: for this host, never for scripts, gone with the browser."""
    response.set_cookie(
        cookie_name(), token, httponly=True, secure=runtime.settings().secure, samesite="Lax", path="/"
    )


def take(response: Response | AnyResponse) -> None:
    """Remove the cookie."""
    response.delete_cookie(
        cookie_name(), httponly=True, secure=runtime.settings().secure, samesite="Lax", path="/"
    )
