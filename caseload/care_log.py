"""What was done in an episode and how long it took: written down once, never changed, struck where it was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.episodes import Refused
from caseload.models import CareEntry, Episode
from config import audit, clock
from messaging.models import Staff

# What was done; `LIVE` of these are a contact when the patient was there or answered.
LIVE = ("call", "video", "in_person")
KINDS = (*LIVE, "messages", "screen", "coordination", "registry", "plan")
LONGEST, FURTHEST_BACK = timedelta(hours=4), timedelta(days=92)


@dataclass(frozen=True)
class Work:
    """What is to be written down. `reached`: the patient was there or on the line."""

    kind: str
    starts_at: datetime | None
    minutes: int | None
    reached: bool


def log(session: Session, by: Staff, episode: Episode, work: Work) -> CareEntry:
    """Write down work that was done. Raises Refused, with nothing written."""
    now = clock.now()
    if work.kind not in KINDS:
        raise Refused("care_kind", "kind")
    if work.minutes is None or not 1 <= work.minutes <= LONGEST.total_seconds() // 60:
        raise Refused("care_minutes", "minutes")
    if work.starts_at is None or not now - FURTHEST_BACK <= work.starts_at:
        raise Refused("care_starts_at", "starts_at")
    ends_at = work.starts_at + timedelta(minutes=work.minutes)
    if ends_at > now + timedelta(minutes=1):
        raise Refused("care_not_yet", "starts_at")
    if _overlaps(session, by, work.starts_at, ends_at):
        raise Refused("care_overlap", "starts_at")
    entry = CareEntry(
        clinic_id=episode.clinic_id,
        episode_id=episode.id,
        staff_id=by.id,
        kind=work.kind,
        live=work.reached and work.kind in LIVE,
        starts_at=work.starts_at,
        ends_at=ends_at,
        made_at=now,
    )
    session.add(entry)
    session.flush()
    audit.record(session, episode.clinic_id, audit.Actor.staff(by.id), "care.logged", f"care_entry:{entry.id}")
    return entry


def _overlaps(session: Session, by: Staff, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether somebody has written down other work of theirs at the same time: nobody does two things at once."""
    other = select(CareEntry.id).where(
        CareEntry.clinic_id == by.clinic_id,
        CareEntry.staff_id == by.id,
        CareEntry.struck_at.is_(None),
        CareEntry.starts_at < ends_at,
        CareEntry.ends_at > starts_at,
    )
    return session.scalar(other.limit(1)) is not None


def strike(session: Session, by: Staff, entry: CareEntry) -> None:
    """Strike an entry of one's own: it stays readable as struck. Raises Refused."""
    if entry.staff_id != by.id:
        raise Refused("care_not_yours")
    if entry.struck_at is None:
        entry.struck_at, entry.struck_by = clock.now(), by.id
        audit.record(session, entry.clinic_id, audit.Actor.staff(by.id), "care.struck", f"care_entry:{entry.id}")


def of_episodes(session: Session, episode_ids: Sequence[UUID], limit: int = 200) -> Sequence[CareEntry]:
    """Return what was done in these episodes, the latest first, struck lines too."""
    rows = select(CareEntry).where(CareEntry.episode_id.in_(episode_ids))
    return session.scalars(rows.order_by(CareEntry.starts_at.desc(), CareEntry.id.desc()).limit(limit)).all()
