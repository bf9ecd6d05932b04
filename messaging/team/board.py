"""The clinic's board: announcements for everybody here, until a set hour, and who has read each."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Clinic, Staff
from messaging.team.models import Announcement, AnnouncementRead

LONGEST, FURTHEST, MOST_ENDED = 300, timedelta(days=31), 10


class Refused(ValueError):
    """This cannot stand on the board: `why` is a key of the page's refusals, `field` where it was typed."""

    def __init__(self, why: str, field: str) -> None:
        super().__init__(why)
        self.why, self.field = why, field


def announce(
    session: Session, clinic: Clinic, staff: Staff, words: str, ends_at: datetime | None, once: UUID | None = None
) -> Announcement:
    """Put something on the board, which its author has read. Raises Refused."""
    now = clock.now()
    if not words.strip() or len(words.strip()) > LONGEST:
        raise Refused("board_words", "words")
    if ends_at is None or not now < ends_at <= now + FURTHEST:
        raise Refused("board_ends", "ends")
    db.load_keys(session, {clinic.key_id})
    before = session.get(Announcement, once) if once else None
    if before is not None and (before.staff_id, before.words) == (staff.id, words.strip()):
        return before  # the same form, sent twice
    row = Announcement(
        id=once if before is None else None,
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        staff_id=staff.id,
        words=words.strip(),
        at=now,
        ends_at=ends_at,
    )
    session.add(row)
    session.flush()
    _write_down(session, row, staff, "made")
    read(session, row, staff)
    return row


def take_down(session: Session, row: Announcement, staff: Staff) -> None:
    """End an announcement now; one that has ended stays as it was."""
    if row.ends_at > clock.now():
        row.ends_at, row.ended_by = clock.now(), staff.id
        _write_down(session, row, staff, "taken_down")


def find(session: Session, clinic_id: UUID, row_id: UUID) -> Announcement | None:
    """Return the clinic's own announcement."""
    row = session.get(Announcement, row_id)
    return row if row is not None and row.clinic_id == clinic_id else None


def standing(session: Session, clinic_id: UUID) -> list[Announcement]:
    """Return what stands on the board now, the latest first, with its keys loaded."""
    rows = select(Announcement).where(Announcement.clinic_id == clinic_id, Announcement.ends_at > clock.now())
    return _opened(session, list(session.scalars(rows.order_by(Announcement.at.desc(), Announcement.id.desc()))))


def unread(session: Session, staff: Staff) -> list[Announcement]:
    """Return what stands on the board and this colleague has not read, the latest first."""
    mine = select(AnnouncementRead.announcement_id).where(AnnouncementRead.staff_id == staff.id)
    rows = select(Announcement).where(
        Announcement.clinic_id == staff.clinic_id,
        Announcement.ends_at > clock.now(),
        Announcement.id.not_in(mine),
    )
    return _opened(session, list(session.scalars(rows.order_by(Announcement.at.desc(), Announcement.id.desc()))))


def ended(session: Session, clinic_id: UUID) -> list[Announcement]:
    """Return the last ones whose hour is over."""
    rows = select(Announcement).where(Announcement.clinic_id == clinic_id, Announcement.ends_at <= clock.now())
    return _opened(session, list(session.scalars(rows.order_by(Announcement.ends_at.desc()).limit(MOST_ENDED))))


def _opened(session: Session, rows: list[Announcement]) -> list[Announcement]:
    db.load_keys(session, (row.key_id for row in rows))
    return rows


def read(session: Session, row: Announcement, staff: Staff) -> None:
    """Write down that a colleague has read an announcement; twice is once."""
    mine = (AnnouncementRead.announcement_id == row.id, AnnouncementRead.staff_id == staff.id)
    if session.scalar(select(AnnouncementRead.id).where(*mine)) is not None:
        return
    try:
        with session.begin_nested():
            seen = AnnouncementRead(clinic_id=row.clinic_id, announcement_id=row.id, staff_id=staff.id, at=clock.now())
            session.add(seen)
    except IntegrityError:  # two of their windows at this very moment
        return
    _write_down(session, row, staff, "read")


def readers(session: Session, ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return by announcement who has read it, in the order of reading."""
    by_row: dict[UUID, list[UUID]] = defaultdict(list)
    rows = select(AnnouncementRead).where(AnnouncementRead.announcement_id.in_(ids))
    for seen in session.scalars(rows.order_by(AnnouncementRead.at, AnnouncementRead.id)) if ids else ():
        by_row[seen.announcement_id].append(seen.staff_id)
    return by_row


def _write_down(session: Session, row: Announcement, staff: Staff, act: str) -> None:
    audit.record(session, row.clinic_id, audit.Actor.staff(staff.id), f"announcement.{act}", f"announcement:{row.id}")
