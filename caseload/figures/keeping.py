"""The days of each clinic counted and kept: every day once it is over, and anew while something of it still happens.

So the review of ninety days adds up some rows, however many texts there were. What is counted twice is the same as
what is counted once; a day is never added to, always counted anew.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session

from caseload.figures import care_day, emergency_day, form_day, month_end, satisfaction_day, text_day, visit_day
from caseload.figures.days import ONE, Day
from caseload.figures.models import FigureDay
from caseload.models import Episode
from config import aside, audit, clock, db, queue
from intake_links.models import Screen
from messaging.models import REAL, Clinic, Message
from reminders.models import Appointment
from reminders.rules import zones

DUE = FigureDay.settled.is_(False)
# A day is counted an hour after its end; each day for five weeks, since a contact within 28 days belongs to the day of
# the screen; then weekly until late notes have come. What is written down later still is counted when somebody asks.
AFTER, DAILY, WEEKLY, BACK = timedelta(hours=1), 35, 190, 180
EVERY_DAY, EVERY_WEEK = timedelta(days=1), timedelta(days=7)


def count(session: Session, clinic: Clinic, on: date, today: date) -> Counter[str]:
    """Return every number of one day of a clinic, as things stand now."""
    day = Day(on, ZoneInfo(clinic.zone), today)
    counts: Counter[str] = Counter()
    parts = (visit_day, form_day, text_day, care_day, emergency_day, satisfaction_day)
    for part in (*(each.count for each in parts), month_end.screening):
        counts += part(session, clinic, day)
    return counts


def today_of(clinic: Clinic) -> date:
    """Return the clinic's present day."""
    return clock.now().astimezone(ZoneInfo(clinic.zone)).date()


def kept(session: Session, clinic_id: UUID, first: date, last: date) -> dict[date, dict[str, int]]:
    """Return the counts of each day from `first` to `last` that has been counted."""
    rows = select(FigureDay.day, FigureDay.counts).where(
        FigureDay.clinic_id == clinic_id,
        FigureDay.day >= first,
        FigureDay.day <= last,
        FigureDay.counted_at.is_not(None),
    )
    return dict(session.execute(rows).all())


def newest_count(session: Session, clinic_id: UUID) -> datetime | None:
    """Return when a day of the clinic was last counted."""
    return session.scalar(select(func.max(FigureDay.counted_at)).where(FigureDay.clinic_id == clinic_id))


def waiting(session: Session, clinic_id: UUID, first: date, last: date) -> int:
    """Return how many of these days are to be counted now, for the first time or anew."""
    due = select(func.count()).where(
        FigureDay.clinic_id == clinic_id,
        FigureDay.day >= first,
        FigureDay.day <= last,
        DUE,
        FigureDay.try_after <= clock.now(),
    )
    return session.scalar(due) or 0


def count_anew(session: Session, clinic: Clinic, actor: str) -> None:
    """Have every day of the last half-year counted anew, also those before the first one that is kept."""
    now, today = clock.now(), today_of(clinic)
    _add_missing(session, clinic, today)
    again = update(FigureDay).where(FigureDay.clinic_id == clinic.id, FigureDay.day < today)
    session.execute(
        again.where(FigureDay.day >= today - BACK * ONE).values(settled=False, try_after=now, attempts=0),
        execution_options={"synchronize_session": False},
    )
    audit.record(session, clinic.id, actor, "figures.count_anew", f"clinic:{clinic.id}")
    queue.ring(session, "figures")


def drain() -> int:
    """Count the days that are due; return how many that were."""
    begun = _begin_clinics()
    return begun + aside.work_off(FigureDay, DUE, _handle, give_up=give_up)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a day waits to be counted; a clinic of which none is kept yet waits as of now."""
    if session.scalar(select(Clinic.id).where(_unknown()).limit(1)) is not None:
        return now
    return db.oldest(session, FigureDay, DUE, now)


def give_up(session: Session, row: FigureDay) -> None:
    """Try again tomorrow: the page says which days are missing, and no other day waits for this one."""
    row.attempts, row.try_after = 0, clock.now() + EVERY_DAY
    about = f"clinic:{row.clinic_id}"
    audit.record(session, row.clinic_id, audit.Actor.system("figures"), "figures.put_off", about)


def _unknown() -> ColumnElement[bool]:
    return REAL & ~exists().where(FigureDay.clinic_id == Clinic.id)


def _begin_clinics() -> int:
    """Give each clinic that has none the days that are to be counted; return how many clinics that were."""
    with db.unit_of_work(db.EVERY) as session:
        # Locked, so that of two who look at the same time the second finds the days.
        clinics = session.scalars(select(Clinic).where(_unknown()).with_for_update(skip_locked=True)).all()
        for clinic in clinics:
            _add_missing(session, clinic, today_of(clinic))
    return len(clinics)


def _handle(session: Session, rows: Sequence[FigureDay]) -> None:
    for row in rows:
        _count_row(session, row)


def _count_row(session: Session, row: FigureDay) -> None:
    clinic = session.get_one(Clinic, row.clinic_id)
    today = today_of(clinic)
    if row.day >= today:  # the clinic's zone was changed, or its clock set back
        row.try_after, row.attempts = _end(clinic, row.day) + AFTER, 0
        return
    # What was written down before somebody asked for the day anew is in it.
    row.counts = dict(db.report(session, lambda reader: count(reader, clinic, row.day, today), seen=row.try_after))
    row.counted_at, row.attempts, row.last_error = clock.now(), 0, None
    age = (today - row.day).days
    row.settled = age > WEEKLY
    row.try_after = _end(clinic, today) + AFTER if age <= DAILY else clock.now() + EVERY_WEEK
    if not session.scalar(select(exists().where(FigureDay.clinic_id == clinic.id, FigureDay.day == today))):
        _add_missing(session, clinic, today)


def _end(clinic: Clinic, day: date) -> datetime:
    return zones.local_to_utc(datetime.combine(day + ONE, time()), ZoneInfo(clinic.zone))


def _add_missing(session: Session, clinic: Clinic, today: date) -> None:
    """Add the rows that are missing from the clinic's first day (half a year ago at most) until today."""
    first = max(_first_day(session, clinic, today), today - BACK * ONE)
    since = select(FigureDay.day).where(FigureDay.clinic_id == clinic.id, FigureDay.day >= first)
    there = set(session.scalars(since))
    days = (first + number * ONE for number in range((today - first).days + 1))
    for day in days:
        if day not in there:
            after = _end(clinic, day) + AFTER
            session.add(FigureDay(clinic_id=clinic.id, day=day, counts={}, settled=False, try_after=after))
    session.flush()


def _first_day(session: Session, clinic: Clinic, today: date) -> date:
    """The day of the first thing that is counted; today where there is nothing yet."""
    begun = session.scalar(select(func.min(Episode.enrolled_on)).where(Episode.clinic_id == clinic.id))
    moments = [
        session.scalar(select(func.min(column)).where(whose == clinic.id))
        for column, whose in (
            (Appointment.starts_at, Appointment.clinic_id),
            (Screen.submitted_at, Screen.clinic_id),
        )
    ]
    written = select(Message.created_at).where(Message.clinic_id == clinic.id).order_by(Message.id).limit(1)
    moments.append(session.scalar(written))
    days = [at.astimezone(ZoneInfo(clinic.zone)).date() for at in moments if at is not None]
    return min([today, *days, *([begun] if begun else [])])
