"""A colleague who works here no more: their items, what they watched and whose care they managed move on."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from caseload import episodes
from config import clock
from messaging.inbox.staff import roster, staffing
from messaging.models import Clinic, Staff
from messaging.team import tasks


@dataclass(frozen=True)
class Left:
    """What moved on: so many items and tasks, and people in care; `unmanaged` are people of whom nobody could be made
    the care manager."""

    items: int
    people: int
    unmanaged: int


def leave(session: Session, clinic: Clinic, staff: Staff, actor: str, to: Staff | None = None) -> Left:
    """Let a colleague in no more, and let `to` have all that was theirs, else who covers for them, else the team.

    Whose care somebody manages is chosen by a person: where neither may, they stay theirs by name, and are counted.
    Raises what staffing.leave raises; then nothing has moved.
    """
    moved = staffing.leave(session, clinic, staff, actor, to)
    tasks.leave_watching(session, staff, to)
    heir = to or roster.covering(session, staff.id, clock.now())
    return Left(moved, *episodes.hand_over(session, clinic, staff, heir, actor))
