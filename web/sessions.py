"""Signed-in browsers, kept by the server: fifteen idle minutes, twelve hours at most, ended at once by revocation."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Response, g, request
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from config import audit, clock, db, devices, keys, live, runtime
from messaging.models import Clinic, Staff
from reminders import clinic_profile
from web.models import StaffSession

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=12)
# Being seen is written down at most this often: a page that is only read should not cost a write.
SEEN_EVERY = timedelta(seconds=30)
AT_ONCE = 3
# For so long after signing in nobody is asked who they are before they change what lets them in.
FRESH = timedelta(minutes=5)
# For so long after they last proved it nobody is asked again before an export or a change of who may what.
PROVED = timedelta(minutes=10)
# The clinic's rule: of which roles a second factor is asked. And the ways in that an operator answers for.
DEMANDED, VOUCHED_FOR = clinic_profile.FACTOR, ("once", "demo")
# How long a page that only watches is believed to be signed in without asking the database again: ten seconds on its
# own, and thirty while Redis says each time that nothing was done to this person's sessions or rights.
BELIEVED, CONFIRMED = timedelta(seconds=10), timedelta(seconds=30)
WATCHERS = 10_000


@dataclass
class Watcher:
    """A signed-in browser as its polls know it. `version` is that of the topic staff:<id> when it was last believed."""

    token_hash: bytes
    staff_id: UUID
    clinic_id: UUID
    role: str
    ends_at: datetime
    asked_at: datetime
    confirmed_at: datetime
    version: str | None = None


def cookie_name() -> str:
    """Return the name of the session's cookie."""
    return devices.of_this_host("wt_session")


def start(
    session: Session,
    staff: Staff,
    *,
    how: str | None = None,
    factor: str | None = None,
    browser: str | None = None,
    provider_session: bytes | None = None,
) -> str:
    """Sign `staff` in and return the token for the cookie; of a person's sessions, the three newest live on.

    `how`, `factor`, `browser` and `provider_session` are as StaffSession has them.
    """
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
            how=how,
            factor=factor,
            browser=browser,
            provider_session=provider_session,
        )
    )
    return token


def mark(session: Session, token: str, recovery_id: UUID) -> None:
    """Let what is done in a session be marked in the audit: nobody has confirmed yet who came in."""
    session.flush()
    theirs = update(StaffSession).where(StaffSession.token_hash == keys.token_hash(token))
    session.execute(theirs.values(recovery_id=recovery_id))


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
    live.bump(session, session.get_one(Staff, staff_id).clinic_id, f"staff:{staff_id}")


def opened(session: Session, staff_id: UUID) -> list[StaffSession]:
    """Return a person's sessions that are open now, the one seen last first."""
    theirs = select(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
    now = clock.now()
    rows = [row for row in session.scalars(theirs) if now <= _ends_at(row)]
    return sorted(rows, key=lambda row: row.seen_at, reverse=True)


def end_others(session: Session, staff_id: UUID, but: UUID | None) -> int:
    """End a person's open sessions at once, all but one; return how many that were."""
    others = [row for row in opened(session, staff_id) if row.id != but]
    for row in others:
        row.ended_at = clock.now()
    return len(others)


def current() -> StaffSession:
    """Return the session of this request; only where somebody is signed in."""
    row: StaffSession = g.staff_session
    return row


def fresh() -> bool:
    """Whether whoever is signed in has proved who they are just now."""
    return clock.now() - current().created_at < FRESH


def proved() -> bool:
    """Whether whoever is signed in has proved it lately; in the demonstration there is nothing to prove it by."""
    row = current()
    return row.how == "demo" or clock.now() - (row.proved_at or row.created_at) < PROVED


def prove(session: Session) -> None:
    """Note that whoever is signed in has proved who they are just now."""
    row, now = current(), clock.now()
    session.execute(update(StaffSession).where(StaffSession.id == row.id).values(proved_at=now))
    row.proved_at = now


def owes_factor() -> bool:
    """Whether the clinic asks a second factor of this person's role, and they came in without one.

    Whoever operates the service vouches for whom they let in by a link that signs in once.
    """
    row, staff = current(), current_staff()
    if staff is None or row.factor == "reset":
        return staff is not None
    return demands_factor(staff) and row.factor is None and row.how not in VOUCHED_FOR


def demands_factor(staff: Staff) -> bool:
    """Whether this person needs a second factor: by their clinic's rule, or because the operator asks it of all."""
    return runtime.settings().second_step_for_all or staff.role in clinic().rules.get(DEMANDED, ())


def current_staff(*, seen: bool = True) -> Staff | None:
    """Return who is signed in, or None; read once per request. `seen` says that a human was active just now."""
    if "staff" not in g:
        row, g.staff, g.clinic = _read(request.cookies.get(cookie_name(), ""), seen)
        g.staff_session = row
        audit.mark(**({"recovery": str(row.recovery_id)} if row and row.recovery_id else {}))
    staff: Staff | None = g.staff
    return staff


def clinic() -> Clinic:
    """Return the clinic of who is signed in."""
    found: Clinic = g.clinic
    return found


def _read(token: str, seen: bool) -> tuple[StaffSession, Staff, Clinic] | tuple[None, None, None]:
    if not token:
        return None, None, None
    now, stale = clock.now(), False
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        whose = _open(session, keys.token_hash(token))
        if whose is None:
            return None, None, None
        row, staff, clinic = whose
        stale = seen and now - row.seen_at > SEEN_EVERY
    if stale:
        with db.unit_of_work(staff.clinic_id) as session:
            session.execute(
                update(StaffSession)
                .where(StaffSession.id == row.id, StaffSession.ended_at.is_(None))
                .values(seen_at=now)
            )
    return row, staff, clinic


def _open(session: Session, token_hash: bytes) -> tuple[StaffSession, Staff, Clinic] | None:
    whose = (
        select(StaffSession, Staff, Clinic)
        .join(Staff, Staff.id == StaffSession.staff_id)
        .join(Clinic, Clinic.id == Staff.clinic_id)
        .where(StaffSession.token_hash == token_hash)
    )
    opened = session.execute(whose).one_or_none()
    if opened is None:
        return None
    row, staff, clinic = opened
    return (row, staff, clinic) if row.ended_at is None and clock.now() <= _ends_at(row) and staff.active else None


def _ends_at(row: StaffSession) -> datetime:
    return min(row.seen_at + IDLE, row.created_at + LONGEST)


def watcher(token: str) -> Watcher | None:
    """Return whose token this is, or None; for pages that watch, never for an act: it believes for ten seconds."""
    if not token:
        return None
    token_hash, now, watchers = keys.token_hash(token), clock.now(), _watchers()
    watcher = watchers.get(token_hash)
    # Only a yes is believed: who seems to have been idle for too long may have come back in another tab.
    if watcher is not None and now <= min(
        watcher.ends_at, watcher.asked_at + CONFIRMED, watcher.confirmed_at + BELIEVED
    ):
        return watcher
    return _asked_anew(token_hash)


def still(watcher: Watcher, version: str) -> bool:
    """Whether this watcher is still signed in, now that the topic staff:<id> is at `version`."""
    if watcher.version == version:
        watcher.confirmed_at = clock.now()
        return True
    if watcher.version is not None:  # something was done to this person's sessions or rights: ask again
        again = _asked_anew(watcher.token_hash)
        if again is None or (again.staff_id, again.role) != (watcher.staff_id, watcher.role):
            return False
        watcher = again
    watcher.version = version
    return True


def _asked_anew(token_hash: bytes) -> Watcher | None:
    watchers, now = _watchers(), clock.now()
    watchers.pop(token_hash, None)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        opened = _open(session, token_hash)
    if opened is None:
        return None
    row, staff, _ = opened
    if len(watchers) >= WATCHERS:
        watchers.clear()
    watcher = Watcher(token_hash, staff.id, staff.clinic_id, staff.role, _ends_at(row), now, now)
    watchers[token_hash] = watcher
    return watcher


def _watchers() -> dict[bytes, Watcher]:
    return runtime.once("sessions.watchers", dict)


def give(response: Response | AnyResponse, token: str) -> None:
    """Set the cookie: for this host, never for scripts, gone with the browser."""
    response.set_cookie(cookie_name(), token, httponly=True, secure=runtime.settings().secure, samesite="Lax", path="/")


def take(response: Response | AnyResponse) -> None:
    """Remove the cookie."""
    response.delete_cookie(cookie_name(), httponly=True, secure=runtime.settings().secure, samesite="Lax", path="/")
