"""Nobody is configured away: every act that changes who can be reached is done here, and undone if it leaves a gap."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.orm import Session

from config import clock
from messaging.inbox.routing import coverage_gaps, lost_coverage, policy_checks
from messaging.inbox.staff import roster
from messaging.models import Clinic


class MakesGap(ValueError):
    """An act after which nobody could be reached in the minutes of `gaps`, in which somebody could before."""

    def __init__(self, made: Sequence[coverage_gaps.Gap], zone: str) -> None:
        self.gaps, self.when = list(made), policy_checks.listed(made, zone)
        super().__init__(f"nobody could be reached: {self.when}")


@contextmanager
def keeping(session: Session, clinic: Clinic) -> Iterator[None]:
    """Do an act within this that changes who can be reached; raises MakesGap, with nothing of it done, where it leaves
    a minute without anybody that had somebody before.

    The clinic is locked meanwhile: of two acts that would make a gap only together, the second sees the first.
    """
    session.flush()
    locked = session.get_one(Clinic, clinic.id, with_for_update=True, populate_existing=True)
    before = roster.watch(session, locked)
    with session.begin_nested():
        yield
        session.flush()
        made = lost_coverage.lost(before, roster.watch(session, locked), clock.now())
        if made:
            raise MakesGap(made, locked.zone)
