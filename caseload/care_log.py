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
from messaging.inbox.models import Contact
from messaging.models import Staff

# What was done; `LIVE` of these are a contact when the patient was there or answered.
LIVE = ("call", "video", "in_person")
KINDS = (*LIVE, "messages", "screen", "coordination", "registry", "plan")
LONGEST, FURTHEST_BACK = timedelta(hours=4), timedelta(days=92)


@dataclass(frozen=True)
class Work:
    """What is to be written down. `reached`: the patient was there or on the line; `call` the logged one that it is."""

    kind: str
    starts_at: datetime | None
    minutes: int | None
    reached: bool
    call: UUID | None = None


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
    source = _source(session, by, episode, work.call) if work.call else None
    return keep(session, by, episode, work.kind, (work.starts_at, ends_at), live=work.reached, source=source)


def keep(
    session: Session,
    by: Staff,
    episode: Episode,
    kind: str,
    lasts: tuple[datetime, datetime],
    *,
    live: bool,
    source: str | None,
) -> CareEntry:
    """Write work down that somebody else has checked: `lasts` from when to when, `source` what it was proposed by."""
    entry = CareEntry(
        clinic_id=episode.clinic_id,
        episode_id=episode.id,
        staff_id=by.id,
        kind=kind,
        live=live and kind in LIVE,
        starts_at=lasts[0],
        ends_at=lasts[1],
        made_at=clock.now(),
        source=source,
    )
    session.add(entry)
    session.flush()
    audit.record(session, episode.clinic_id, audit.Actor.staff(by.id), "care.logged", f"care_entry:{entry.id}")
    return entry


def _source(session: Session, by: Staff, episode: Episode, call_id: UUID) -> str:
    """What an entry of this call is known by. Raises Refused where it is written down, or is no call of theirs."""
    if call_id not in [call.id for call in proposed(session, by, episode)]:
        raise Refused("care_proposal")
    return f"contact:{call_id}"


def proposed(session: Session, by: Staff, episode: Episode) -> Sequence[Contact]:
    """Return one's own calls in an episode whose minutes one has neither taken over nor declined, the latest first."""
    calls = session.scalars(
        select(Contact)
        .where(
            Contact.patient_id == episode.patient_id,
            Contact.staff_id == by.id,
            Contact.kind == "call",
            Contact.minutes.is_not(None),
            Contact.struck_at.is_(None),
            Contact.at >= max(episode.consent_at, clock.now() - FURTHEST_BACK),
        )
        .order_by(Contact.at.desc(), Contact.id.desc())
    ).all()
    known = select(CareEntry.source).where(CareEntry.episode_id == episode.id, CareEntry.source.is_not(None))
    taken = set(session.scalars(known))
    return [call for call in calls if f"contact:{call.id}" not in taken]


def begun(call: Contact) -> datetime:
    """Return when a call began: it is logged as it ends."""
    return call.at - timedelta(minutes=call.minutes or 0)


def decline(session: Session, by: Staff, episode: Episode, call_id: UUID) -> None:
    """Say that one's call is no work of this episode: kept as struck, it is not proposed again. Raises Refused."""
    source = _source(session, by, episode, call_id)
    call = session.get_one(Contact, call_id)
    entry = keep(session, by, episode, "call", (begun(call), call.at), live=False, source=source)
    strike(session, by, entry)


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
