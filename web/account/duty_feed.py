"""A colleague's duty as a calendar that their own calendar reads: behind an address that is theirs to take back.

The address holds a token of which only a hash is kept, so it is shown once, as it is made. What it leads to says when
they are on duty, on call or away, and nothing of anybody else.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, redirect, url_for
from flask import session as cookie
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from config import audit, clock, db, keys, runtime
from messaging.inbox.models import Absence
from messaging.inbox.routing import assign, duty_plan
from messaging.models import Clinic, Staff
from messaging.wording import icalendar
from web import layout, permissions, sessions, times, words
from web.models import DutyFeed

feeds = layout.room("feeds", __name__)
BEFORE, DAYS = timedelta(days=7), 70
# That a calendar reads it is noted this often: calendars ask several times an hour.
NOTED_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Status:
    """Whether the reader has such an address, since when, when a calendar last read it; `address` is said once."""

    made: str
    read: str
    address: str


def status(session: Session, staff: Staff) -> Status | None:
    """Return how it stands with this colleague's calendar, None where they have no address for one."""
    feed = _of(session, staff.id)
    if feed is None:
        return None
    now, zone = clock.now(), sessions.clinic().zone
    made, read = (times.moment(at, now, zone, running=True) if at else "" for at in (feed.made_at, feed.read_at))
    fresh = cookie.pop("feed", None)
    whose, token = fresh or (None, "")
    path = url_for("feeds.read", token=token) if token and whose == str(staff.id) else ""
    return Status(made, read, f"{runtime.settings().staff_address}{path}" if path else "")


@feeds.post("/preferences/calendar")
@permissions.signed_in("self", fresh=True)
def make() -> AnyResponse:
    """Make an address; one made before leads nowhere any more."""
    me, token = layout.the_staff(), keys.new_token()
    with db.unit_of_work(sessions.clinic().id) as session:
        session.get_one(Staff, me.id, with_for_update=True)
        feed = _of(session, me.id)
        if feed is None:
            feed = DutyFeed(clinic_id=me.clinic_id, staff_id=me.id)
            session.add(feed)
        feed.token_hash, feed.made_at, feed.read_at = keys.token_hash(token), clock.now(), None
        _write_down(session, me, "made", layout.the_actor())
    cookie["feed"] = (str(me.id), token)
    return redirect(url_for("preferences.show", _anchor="calendar"), 303)


@feeds.post("/preferences/calendar/revoke")
@permissions.signed_in("self")
def revoke() -> AnyResponse:
    """Take the address back: it leads nowhere from now on."""
    with db.unit_of_work(sessions.clinic().id) as session:
        end(session, layout.the_staff(), layout.the_actor())
    flash(words.say("feed", "revoked"))
    return redirect(url_for("preferences.show", _anchor="calendar"), 303)


def end(session: Session, staff: Staff, actor: str) -> None:
    """Let a colleague's address lead nowhere from now on, if they have one."""
    feed = _of(session, staff.id)
    if feed is not None:
        session.delete(feed)
        _write_down(session, staff, "revoked", actor)


@feeds.get("/calendar/<token>.ics")
@permissions.public
def read(token: str) -> Response:
    """Return the duty of whoever made this address, for their calendar; nobody signs in here."""
    with db.unit_of_work(db.EVERY) as session:
        feed = session.scalar(select(DutyFeed).where(DutyFeed.token_hash == keys.token_hash(token)))
        staff = session.get(Staff, feed.staff_id) if feed else None
        if feed is None or staff is None or not staff.active or staff.locked_out:
            abort(404)
        if feed.read_at is None or clock.now() - feed.read_at > NOTED_EVERY:
            feed.read_at = clock.now()
        clinic = session.get_one(Clinic, staff.clinic_id)
        stretches = _stretches(session, clinic, staff, clock.now())
    named = {"Content-Disposition": 'inline; filename="duty.ics"'}
    return Response(written(staff.id, stretches, clock.now()), mimetype="text/calendar", headers=named)


def _stretches(session: Session, clinic: Clinic, staff: Staff, now: datetime) -> list[duty_plan.Stretch]:
    first = (now - BEFORE).astimezone(ZoneInfo(clinic.zone)).date()
    held = select(Absence).where(
        Absence.clinic_id == clinic.id,
        or_(Absence.staff_id == staff.id, Absence.cover_id == staff.id),
        Absence.ends_at > now - BEFORE,
        or_(Absence.ended_at.is_(None), Absence.begun_at.is_not(None)),
    )
    absences = session.scalars(held).all()
    spans = {
        whose: [
            (absence.starts_at, min(absence.ends_at, absence.ended_at or absence.ends_at))
            for absence in absences
            if (absence.staff_id == staff.id) == (whose == "away")
        ]
        for whose in ("away", "covers")
    }
    opening = replace(assign.Rules.of(clinic.rules).hours, zone=clinic.zone)
    return duty_plan.plan(staff.hours, staff.on_call, opening, first, DAYS, away=spans["away"], covers=spans["covers"])


def written(staff_id: UUID, stretches: list[duty_plan.Stretch], now: datetime) -> bytes:
    """Return the calendar file. The uid of a stretch stays as long as the stretch does."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Warmthread//Duty//EN", "METHOD:PUBLISH"]
    lines += [f"X-WR-CALNAME:{icalendar.escaped(words.say('feed', 'name'))}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H"]
    for stretch in stretches:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{stretch.kind}-{icalendar.moment(stretch.starts_at)}-{icalendar.moment(stretch.ends_at)}-{staff_id}",
            f"DTSTAMP:{icalendar.moment(now)}",
            f"DTSTART:{icalendar.moment(stretch.starts_at)}",
            f"DTEND:{icalendar.moment(stretch.ends_at)}",
            f"SUMMARY:{icalendar.escaped(words.say('feed_kinds', stretch.kind))}",
            f"TRANSP:{'TRANSPARENT' if stretch.kind in ('away', 'call') else 'OPAQUE'}",
            "CLASS:PRIVATE",
            "END:VEVENT",
        ]
    return icalendar.file([*lines, "END:VCALENDAR"])


def _of(session: Session, staff_id: UUID) -> DutyFeed | None:
    return session.scalar(select(DutyFeed).where(DutyFeed.staff_id == staff_id))


def _write_down(session: Session, staff: Staff, act: str, actor: str) -> None:
    audit.record(session, staff.clinic_id, actor, f"feed.{act}", f"staff:{staff.id}")
