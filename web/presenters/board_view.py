"""The clinic's board as everybody sees it: what stands there, until when, and who has read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from config import clock
from messaging.models import Clinic, Staff
from messaging.team import board
from messaging.team.models import Announcement
from web import team, times, words


@dataclass(frozen=True)
class Line:
    """An announcement in words."""

    id: UUID
    words: str
    by: str
    until: str


@dataclass(frozen=True)
class Posted:
    """An announcement with its readers: names of who has read it, and of who is here and has not."""

    line: Line
    read: list[str]
    unread: list[str]
    read_by_me: bool


@dataclass(frozen=True)
class Waiting:
    """What every page says: announcements that the reader has not read, and how many tasks and notes wait for them or
    have ended as they wanted to know."""

    announced: list[Line]
    asked: int


def waiting(session: Session, clinic: Clinic, staff: Staff, asked: int) -> Waiting:
    """Return what colleagues ask of this reader, with how much is `asked` of them."""
    rows = board.unread(session, staff)
    names = team.names(session, (row.staff_id for row in rows))
    return Waiting([_line(row, names, clinic.zone) for row in rows], asked)


def known(session: Session, clinic: Clinic, staff: Staff) -> list[Line]:
    """Return what stands on the board and this colleague has read: the rest stands above every page."""
    new = {row.id for row in board.unread(session, staff)}
    rows = [row for row in board.standing(session, clinic.id) if row.id not in new]
    names = team.names(session, (row.staff_id for row in rows))
    return [_line(row, names, clinic.zone) for row in rows]


def _line(row: Announcement, names: Mapping[UUID | None, str], zone: str) -> Line:
    now = clock.now()
    by = f"{names.get(row.staff_id, '')}, {times.moment(row.at, now, zone, running=True)}"
    return Line(row.id, row.words or "", by, times.moment(row.ends_at, now, zone, running=True))


def posted(session: Session, clinic: Clinic, staff: Staff, rows: Sequence[Announcement]) -> list[Posted]:
    """Return announcements with who has read them."""
    seen = board.readers(session, [row.id for row in rows])
    colleagues = team.everyone(session, clinic.id)
    names = {staff_id: each.name for staff_id, each in colleagues.items()}
    somebody = words.say("history", "somebody")
    return [
        Posted(
            _line(row, names, clinic.zone),
            [names.get(staff_id, somebody) for staff_id in seen[row.id]],
            [each.name for each in colleagues.values() if each.active and each.id not in seen[row.id]],
            staff.id in seen[row.id],
        )
        for row in rows
    ]
