"""A colleague's timer of work in an episode: one at a time, ending as a proposal that they confirm or decline."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from caseload import care_log, timing
from caseload.codes.intervals import Interval
from caseload.episodes import Refused
from caseload.models import CareEntry, CareTimer, Episode
from config import audit, clock
from messaging.models import Staff

LIVE = ("running", "paused")


def live_of(session: Session, staff: Staff) -> CareTimer | None:
    """Return the timer that a colleague has running or paused, as it was left."""
    return session.scalar(select(CareTimer).where(CareTimer.staff_id == staff.id, CareTimer.state.in_(LIVE)))


def run_of(timer: CareTimer) -> timing.Run:
    """Return how a timer stands now, without writing that down."""
    kept = (
        timing.Stretch(datetime.fromisoformat(start), datetime.fromisoformat(end), why)
        for start, end, why in timer.stretches
    )
    return timing.settled(
        timing.Run(tuple(kept), timer.since, timer.seen_at, cast(timing.Why | None, timer.why)), clock.now()
    )


def start(session: Session, by: Staff, episode: Episode, opened_at: datetime | None = None) -> CareTimer:
    """Begin to time work in an episode; a timer that runs for somebody else ends as a proposal. Raises Refused.

    `opened_at` is when the page was opened on which somebody has worked since, ten minutes ago at most.
    """
    now = clock.now()
    if episode.phase == "discharged":
        raise Refused("care_discharged")
    other = _held(session, by)
    if other is not None and other.episode_id == episode.id:
        _keep(other, timing.resumed(run_of(other), now))
        return other
    if other is not None:
        _end(session, other)
    since = max(opened_at or now, now - timing.OPENED_BACK)
    timer = CareTimer(
        clinic_id=episode.clinic_id,
        episode_id=episode.id,
        staff_id=by.id,
        state="running",
        began_at=now,
        since=min(since, now),
        stretches=[],
    )
    try:
        with session.begin_nested():
            session.add(timer)
    except IntegrityError:  # begun in another window at this very moment
        raise Refused("care_timer_runs") from None
    _audit(session, timer, "started")
    return timer


def seen(session: Session, by: Staff) -> CareTimer | None:
    """Write down that the page of one's timer is in sight and used; one that had fallen asleep is paused."""
    timer = _held(session, by)
    if timer is not None:
        run = run_of(timer)
        _keep(timer, replace(run, seen_at=clock.now()) if run.since is not None else run)
    return timer


def pause(session: Session, by: Staff, why: timing.Why, ago: timedelta = timedelta()) -> CareTimer | None:
    """Pause one's timer as of so long ago: that is when something was last done."""
    timer = _held(session, by)
    if timer is not None:
        at = clock.now() - min(max(ago, timedelta()), timing.IDLE + timing.LOST)
        _keep(timer, timing.paused(run_of(timer), at, why))
    return timer


def resume(session: Session, by: Staff, *, count_pause: bool = False) -> CareTimer | None:
    """Let one's timer go on; `count_pause` counts the pause for want of anything done on the page too."""
    timer, now = _held(session, by), clock.now()
    if timer is not None:
        run = run_of(timer)
        if count_pause and timing.countable(run, now) is not None:
            _audit(session, timer, "pause_counted")
        _keep(timer, timing.with_pause(run, now) if count_pause else timing.resumed(run, now))
    return timer


def stop(session: Session, by: Staff) -> CareTimer | None:
    """End one's timer: what it has counted is proposed; nothing at all is nothing to propose."""
    timer = _held(session, by)
    if timer is not None:
        _end(session, timer)
    return timer


def _held(session: Session, by: Staff) -> CareTimer | None:
    mine = select(CareTimer).where(CareTimer.staff_id == by.id, CareTimer.state.in_(LIVE))
    return session.scalar(mine.with_for_update())


def _end(session: Session, timer: CareTimer) -> None:
    run = timing.paused(run_of(timer), clock.now(), "hand")
    _keep(timer, run)
    timer.state = "proposed" if run.stretches else "declined"
    session.flush()
    _audit(session, timer, "stopped")


def _keep(timer: CareTimer, run: timing.Run) -> None:
    timer.stretches = [[each.start.isoformat(), each.end.isoformat(), each.why] for each in run.stretches]
    timer.since, timer.seen_at, timer.why = run.since, run.seen_at, run.why
    timer.state = "paused" if run.since is None else "running"


def proposed(session: Session, by: Staff) -> Sequence[CareTimer]:
    """Return one's timers that wait to be confirmed, the oldest first."""
    mine = select(CareTimer).where(CareTimer.staff_id == by.id, CareTimer.state == "proposed")
    return session.scalars(mine.order_by(CareTimer.began_at, CareTimer.id)).all()


def left(session: Session, timer: CareTimer) -> list[Interval]:
    """Return what of a proposal its colleague has not written down by other work meanwhile."""
    stretches = [(each.start, each.end) for each in run_of(timer).stretches]
    return timing.counted(stretches, _written(session, timer.staff_id, stretches))


def _written(session: Session, staff_id: UUID, stretches: Sequence[Interval]) -> list[Interval]:
    """What somebody has written down of their work in the time that these stretches span."""
    if not stretches:
        return []
    rows = select(CareEntry.starts_at, CareEntry.ends_at).where(
        CareEntry.staff_id == staff_id,
        CareEntry.struck_at.is_(None),
        CareEntry.starts_at < max(end for _, end in stretches),
        CareEntry.ends_at > min(start for start, _ in stretches),
    )
    return [(starts_at, ends_at) for starts_at, ends_at in session.execute(rows)]


def confirm(
    session: Session, by: Staff, timer: CareTimer, kind: str, stretches: Sequence[Interval], *, reached: bool
) -> list[CareEntry]:
    """Write a proposal down as it is or as it was corrected, an entry for each stretch. Raises Refused.

    What is written down already, for whichever patient, is left out: no minute counts twice.
    """
    _must_be_proposed(session, by, timer)
    _check(kind, stretches)
    pieces = timing.counted(stretches, _written(session, by.id, stretches))
    if not pieces:
        raise Refused("care_timer_nothing", "stretches")
    episode = session.get_one(Episode, timer.episode_id)
    entries = [
        # Spoken with once, however often the page was out of sight meanwhile.
        care_log.keep(
            session, by, episode, kind, piece, live=reached and place == 0, source=f"timer:{timer.id}:{place}"
        )
        for place, piece in enumerate(pieces)
    ]
    timer.state = "kept"
    _audit(session, timer, "confirmed")
    return entries


def _check(kind: str, stretches: Sequence[Interval]) -> None:
    now = clock.now()
    if kind not in care_log.KINDS:
        raise Refused("care_kind", "kind")
    if any(start >= end or end - start > timing.LONGEST for start, end in stretches):
        raise Refused("care_timer_stretch", "stretches")
    if any(end > now for _, end in stretches):
        raise Refused("care_not_yet", "stretches")
    if any(start < now - care_log.FURTHEST_BACK for start, _ in stretches):
        raise Refused("care_starts_at", "stretches")


def decline(session: Session, by: Staff, timer: CareTimer) -> None:
    """Say that what was timed is no work of this episode; it is not proposed again. Raises Refused."""
    _must_be_proposed(session, by, timer)
    timer.state = "declined"
    _audit(session, timer, "declined")


def _must_be_proposed(session: Session, by: Staff, timer: CareTimer) -> None:
    session.refresh(timer, with_for_update=True)
    if timer.staff_id != by.id or timer.state != "proposed":
        raise Refused("care_timer_over")


def _audit(session: Session, timer: CareTimer, act: str) -> None:
    actor = audit.Actor.staff(timer.staff_id)
    audit.record(session, timer.clinic_id, actor, f"care.timer_{act}", f"care_timer:{timer.id}")
