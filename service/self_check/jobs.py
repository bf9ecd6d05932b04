"""The self-check's lane. Beside what is slow, since the address outside may be; when a text left is read afterwards."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from config import clock, db, queue
from service.self_check import checking, handing_in, pinging
from service.self_check.models import SelfCheck

ANY = SelfCheck.fence >= 0


def drain() -> int:
    """Begin what is due, look for what is on its way, and tell outside of what came through."""
    _mistrust_the_future()
    came: list[str] = []
    begun: list[checking.Begun] = []
    handled = db.work_off(SelfCheck, ANY, partial(_step, came, begun), give_up=_give_up, batch=1)
    for check in begun:
        handing_in.hand_in(check)
    if "seen" in came:
        pinging.ping()
    return handled


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a check is due; one that was dated by a clock which stood ahead is due now."""
    if session.scalar(select(SelfCheck.id).where(_ahead(now)).limit(1)) is not None:
        return now
    return db.oldest(session, SelfCheck, ANY, now)


def _ahead(now: datetime) -> ColumnElement[bool]:
    return SelfCheck.try_after > now + checking.EVERY + checking.WITHIN


def _mistrust_the_future() -> None:
    """Begin anew what a clock has dated that was set back since: else the switch outside rings for nothing."""
    now = clock.now()
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(SelfCheck).where(_ahead(now)).values(state="resting", try_after=now, lease_until=None))


def _step(came: list[str], begun: list[checking.Begun], session: Session, checks: Sequence[SelfCheck]) -> None:
    for check in checks:
        if checking.is_due(check):
            begun.append(checking.begin(session, check))
        else:
            came.append(checking.look(session, check))


def _give_up(_session: Session, check: SelfCheck) -> None:
    """Begin anew after a while; that none came through meanwhile is what is said of it."""
    check.state, check.attempts, check.try_after = "resting", 0, clock.now() + checking.EVERY


LANES = (queue.Lane("self_check", "bulk", drain, oldest),)
