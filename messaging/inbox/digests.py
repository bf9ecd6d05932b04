"""The morning digest: at the beginning of a colleague's hours one mail that says how much waits, and where to sign in.

Where nothing waits, or they are away, nothing is mailed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import audit, clock, db, runtime
from messaging.inbox import counting, role_inboxes, views
from messaging.inbox.models import Item, owed
from messaging.inbox.routing import assign, topics
from messaging.inbox.staff import channels, nudging
from messaging.mail import spool
from messaging.mail.models import MailAddress
from messaging.models import Clinic, Staff
from messaging.weekdays import WEEKDAYS

DUE = MailAddress.confirmed_at.is_not(None)
# Where neither they nor their clinic have hours: working days, at this time.
USUAL = {day: ["08:00", "17:00"] for day in WEEKDAYS[:5]}
WHEN_IT_FAILED = timedelta(hours=1)


def next_due(clinic: Clinic, staff: Staff, after: datetime) -> datetime:
    """Return when this colleague's next digest is due: whoever has no hours works while the clinic is open."""
    return next_morning(staff.hours or assign.Rules.of(clinic.rules).hours.week, after, clinic.zone)


def next_morning(week: Mapping[str, Sequence[str]], after: datetime, zone: str) -> datetime:
    """Return when the next day of these hours begins, after the moment given; a week as in Staff.hours. Pure."""
    place, week = ZoneInfo(zone), week or USUAL
    today = after.astimezone(place).date()
    for ahead in range(9):
        day = today + timedelta(days=ahead)
        span = week.get(WEEKDAYS[day.weekday()])
        if span:
            begins = datetime.combine(day, time.fromisoformat(span[0]), place)
            if begins > after:
                return begins
    return after + timedelta(days=7)


def send(session: Session, addresses: Sequence[MailAddress]) -> None:
    """Mail each of these colleagues how much waits for them, and wait for their next morning."""
    now = clock.now()
    for address in addresses:
        staff = session.get_one(Staff, address.staff_id)
        clinic = session.get_one(Clinic, staff.clinic_id)
        due_at, address.try_after = address.try_after, next_due(clinic, staff, now)
        if now - due_at < spool.USEFUL["digest"]:  # else this service was away itself: the next one tells
            _send(session, clinic, staff, now)


def _send(session: Session, clinic: Clinic, staff: Staff, now: datetime) -> None:
    if channels.EMAIL not in channels.ways("digest", staff.notify, nudging.standing(session, clinic, staff)):
        return
    waiting, late = counts(session, clinic, staff, now)
    if not waiting:
        return
    day = f"{now.astimezone(ZoneInfo(clinic.zone)):%Y-%m-%d}"
    link = f"{runtime.settings().staff_address}/today"
    some = {"waiting": _said(waiting), "late": _said(late)}
    spool.put(session, staff, "digest", dedupe=f"digest:{staff.id}:{day}", link=link, **some)
    audit.record(session, clinic.id, audit.Actor.system("digest"), "digest.queued", f"staff:{staff.id}")


def counts(session: Session, clinic: Clinic, staff: Staff, now: datetime) -> tuple[int, int]:
    """Return how many patients' items wait for a colleague, and how many of those are past their time.

    For the front desk also what waits in its inbox for anybody of it.
    """
    desk = (role_inboxes.UNTAKEN,) if staff.role == topics.FRONT_DESK else ()

    def late(item: Item) -> Sequence[ColumnElement[bool]]:
        return (owed(item), item.answer_by < now)

    every, overdue = (
        counting.count(clinic.id, view="mine", staff=staff, midnight=now, where=where, also=desk)
        for where in (views.everything, late)
    )
    waiting, past = session.execute(select(every, overdue)).one()
    return waiting, past


def _said(count: int) -> str:
    return f"{views.MOST}+" if count > views.MOST else str(count)


def drain() -> int:
    """Mail the digests that are due."""
    return db.work_off(MailAddress, DUE, send, give_up=put_off, batch=50)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest digest is due."""
    return db.oldest(session, MailAddress, DUE, now)


def put_off(session: Session, address: MailAddress) -> None:
    """A digest that cannot be made is tried again in an hour; the log says so."""
    address.try_after, address.attempts = clock.now() + WHEN_IT_FAILED, 0
    session.flush()
