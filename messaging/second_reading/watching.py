"""Looks a clinic's readings over once a day: draws last week's sample, and tells the administrator what has drifted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import aside, audit, clock, db
from messaging.inbox import items
from messaging.inbox.staff import roster
from messaging.models import Clinic
from messaging.second_reading import counting, figures, sampling
from messaging.second_reading.models import ReadingWatch

EVERY_DAY = timedelta(days=1)
NOW, BEFORE = timedelta(days=7), timedelta(days=28)
DUE = true()
# What an item about drift is about, so that pages know it from a patient's.
ABOUT = "second_reading_drift"


def begin(session: Session, clinic: Clinic) -> None:
    """See that the clinic's readings are looked over from now on."""
    known: set[object] = session.info.setdefault("reading_watches", set())
    if clinic.id in known:
        return
    known.add(clinic.id)
    if session.scalar(select(ReadingWatch.id).where(ReadingWatch.clinic_id == clinic.id)) is None:
        try:
            with session.begin_nested():
                session.add(ReadingWatch(clinic_id=clinic.id, fence=0, attempts=0, try_after=clock.now()))
        except IntegrityError:
            return  # two workers filed a clinic's first texts at once


def look_over(session: Session, watch: ReadingWatch) -> None:
    """Draw the sample of the last whole week, and open an item for what has drifted; then wait a day."""
    clinic, now = session.get_one(Clinic, watch.clinic_id), clock.now()
    monday = sampling.last_whole(now, clinic.zone)
    if watch.drawn != sampling.named(monday):
        sampling.draw(session, clinic, monday)
        watch.drawn = sampling.named(monday)
    drift = figures.drifted(
        counting.week(session, clinic, now - NOW, now), counting.week(session, clinic, now - NOW - BEFORE, now - NOW)
    )
    for what in drift:
        _tell(session, clinic, what, sampling.named(monday))
    watch.try_after, watch.attempts, watch.last_error = now + EVERY_DAY, 0, None


def _tell(session: Session, clinic: Clinic, what: str, week: str) -> None:
    """Open an item for the administrator, one for each thing and week."""
    items.open_item(
        session,
        clinic,
        kind="delivery",
        about=f"{ABOUT}:{clinic.id}",
        dedupe=f"drift:{what}:{week}",
        summary=items.words()["summaries"][what],
        owner_id=roster.administrator(session, clinic),
    )


def drain() -> int:
    """Look over the clinics whose day has come; return how many those were."""

    def handle(session: Session, rows: Sequence[ReadingWatch]) -> None:
        for row in rows:
            look_over(session, row)

    return aside.work_off(ReadingWatch, DUE, handle, give_up=give_up)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a clinic's readings wait to be looked over."""
    return db.oldest(session, ReadingWatch, DUE, now)


def give_up(session: Session, row: ReadingWatch) -> None:
    """Try again tomorrow; the reading itself goes on."""
    row.attempts, row.try_after = 0, clock.now() + EVERY_DAY
    audit.record(
        session, row.clinic_id, audit.Actor.system("reading"), "second_reading.put_off", f"clinic:{row.clinic_id}"
    )
