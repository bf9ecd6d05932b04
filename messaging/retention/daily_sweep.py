"""A clinic's old words, walked over every day from where the walk stood, a batch to a transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from config import aside, audit, clock, db
from messaging.models import Clinic, Message
from messaging.retention import rules, what_ages
from messaging.retention.models import Keeping

YEARS = "keep_years"
EVERY_DAY = timedelta(days=1)
# What was left because somebody still waited for an answer, or was a child, is found by a walk that begins anew.
ANEW = timedelta(days=30)
START = UUID(int=0)
# Rows are only there for clinics that keep words for a number of years.
DUE = true()


def years_of(clinic: Clinic) -> int:
    """Return for how many years the words of texts are kept, 0 for good."""
    years: int = clinic.rules.get(YEARS, 0)
    return years


def of_clinic(session: Session, clinic_id: UUID) -> Keeping | None:
    """Return how far a clinic's walk has come, None where words are kept for good."""
    return session.scalar(select(Keeping).where(Keeping.clinic_id == clinic_id))


def how_many(session: Session, clinic_id: UUID, years: int) -> int:
    """Return how many texts are older than that today and still have their words."""
    before = rules.cutoff(clock.now(), years)
    counted = select(func.count()).select_from(Message).where(what_ages.older(clinic_id, before))
    return session.scalar(counted) or 0


def decide(session: Session, clinic: Clinic, was: int) -> None:
    """Let the number that now stands in the clinic's rules hold: 0 at once, a smaller one than it `was` from tomorrow.

    The caller has locked the clinic. A batch that is at work is waited for; none begins by the former number.
    """
    years, now = years_of(clinic), clock.now()
    row = session.scalar(select(Keeping).where(Keeping.clinic_id == clinic.id).with_for_update())
    if row is not None and years == 0:
        session.delete(row)
    if years == 0 or (row is not None and not rules.shortens(was, years)):
        return
    if row is None:
        row = Keeping(clinic_id=clinic.id, fence=0, attempts=0, pointers={}, began_at=now, try_after=now)
        session.add(row)
    row.pointers, row.began_at, row.try_after = {}, now, now + rules.REVERSIBLE
    row.lease_until, row.attempts, row.fence = None, 0, row.fence + 1
    session.flush()


def advance(session: Session, row: Keeping, all_shelves: Mapping[str, what_ages.Shelf]) -> None:
    """Empty the next batch; when no shelf has one, put the walk off until tomorrow. Doing it twice changes nothing."""
    clinic, now = session.get_one(Clinic, row.clinic_id), clock.now()
    years = years_of(clinic)
    if years == 0:  # what takes no number of years back is done at once, and nothing waits for it
        session.delete(row)
        return
    terms = what_ages.Terms(rules.cutoff(now, years), now.astimezone(ZoneInfo(clinic.zone)).date(), years)
    if not any(_empty(session, clinic, row, name, shelf, terms) for name, shelf in all_shelves.items()):
        row.try_after, row.attempts, row.last_error = now + EVERY_DAY, 0, None
        if row.began_at <= now - ANEW:
            row.pointers, row.began_at = {}, now
        return
    row.try_after = now


def _empty(
    session: Session, clinic: Clinic, row: Keeping, name: str, shelf: what_ages.Shelf, terms: what_ages.Terms
) -> bool:
    """Empty a batch of one shelf; whether more of it may wait."""
    batch = shelf(session, clinic, terms, UUID(row.pointers.get(name, START.hex)))
    row.pointers = {**row.pointers, name: batch.upto.hex}
    if batch.emptied:
        about = f"clinic:{clinic.id}"
        audit.record(
            session,
            clinic.id,
            audit.Actor.system("keeping"),
            "words.emptied",
            about,
            kind=name,
            count=batch.emptied,
        )
    return batch.more


def drain(all_shelves: Mapping[str, what_ages.Shelf]) -> int:
    """Work off the clinics whose day has come; return how many batches that were."""

    def handle(session: Session, rows: Sequence[Keeping]) -> None:
        for row in rows:
            advance(session, row, all_shelves)

    return aside.work_off(Keeping, DUE, handle, give_up=give_up)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a clinic's walk waits."""
    return db.oldest(session, Keeping, DUE, now)


def give_up(session: Session, row: Keeping) -> None:
    """Try again tomorrow: what stays a day longer harms nobody. The clinic's page says so, by `last_error`."""
    row.attempts, row.try_after = 0, clock.now() + EVERY_DAY
    audit.record(session, row.clinic_id, audit.Actor.system("keeping"), "words.put_off", f"clinic:{row.clinic_id}")
