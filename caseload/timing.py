"""How long a timer of work has run: only while somebody was there, to the second, nothing rounded up. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from caseload.codes import intervals
from caseload.codes.intervals import Interval

# Why a stretch of work ended: the page was not in sight, nothing was done on it, it was not heard from, or by hand.
Why = Literal["hidden", "idle", "lost", "hand"]
WHYS: tuple[Why, ...] = ("hidden", "idle", "lost", "hand")
# After so long without a key or a pointer the page pauses by itself (web/static/timer.js); it is heard from each
# `BEAT`, and was asleep where it was not for `LOST`.
IDLE, BEAT, LOST = timedelta(minutes=5), timedelta(seconds=20), timedelta(seconds=75)
# No stretch is longer than an entry may be (care_log.LONGEST). A pause can be counted up to an hour after it began, and
# a timer can be begun with the moment at which the page was opened, so long ago at most.
LONGEST, COUNTED_BACK, OPENED_BACK = timedelta(hours=4), timedelta(hours=1), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Work from `start` to `end` (both UTC), and why it ended."""

    start: datetime
    end: datetime
    why: Why


@dataclass(frozen=True, slots=True)
class Run:
    """A timer as it stands: the stretches that are over, and since when one goes on (None: it is paused).

    `seen_at` is when its page was last heard from, None where no script has told of it: then it runs until it is
    stopped by hand. `why` is why it is paused, None while it runs.
    """

    stretches: tuple[Stretch, ...] = ()
    since: datetime | None = None
    seen_at: datetime | None = None
    why: Why | None = None

    def worked(self, now: datetime) -> timedelta:
        """How long all of it is up to now."""
        over = sum((stretch.end - stretch.start for stretch in self.stretches), timedelta())
        return over + (max(now - self.since, timedelta()) if self.since is not None else timedelta())


def settled(run: Run, now: datetime) -> Run:
    """Return the timer as it is now: paused when it was last heard from, if its page has fallen asleep since."""
    if run.since is None:
        return run
    if run.seen_at is not None and now - run.seen_at > LOST:
        return paused(run, run.seen_at, "lost")
    return paused(run, run.since + LONGEST, "lost") if now - run.since >= LONGEST else run


def paused(run: Run, at: datetime, why: Why) -> Run:
    """Return the timer with the stretch that goes on ended at that moment; what took no time is no stretch."""
    if run.since is None:
        return run
    end = min(at, run.since + LONGEST)
    ended = (Stretch(run.since, end, why),) if end > run.since else ()
    return replace(run, stretches=(*run.stretches, *ended), since=None, why=why)


def resumed(run: Run, now: datetime) -> Run:
    """Return the timer going on from now."""
    if run.since is not None:
        return run
    return replace(run, since=now, seen_at=None if run.seen_at is None else now, why=None)


def countable(run: Run, now: datetime) -> Stretch | None:
    """Return the stretch after which nothing was done on the page, if the pause may still be counted: somebody may
    have been on the telephone."""
    if not run.stretches or run.stretches[-1].why != "idle":
        return None
    last = run.stretches[-1]
    resumed_by = run.since if run.since is not None else now
    short = resumed_by - last.end <= COUNTED_BACK and now - last.start < LONGEST
    return last if short else None


def with_pause(run: Run, now: datetime) -> Run:
    """Return the timer going on as if it had not paused for want of anything done; unchanged where it may not."""
    last = countable(run, now)
    if last is None:
        return run
    return replace(resumed(run, now), stretches=run.stretches[:-1], since=last.start)


def counted(stretches: Iterable[Interval], written: Iterable[Interval]) -> list[Interval]:
    """Return what of these stretches is not written down yet, each moment once, in order."""
    return intervals.without(intervals.merged(stretches), written)


def whole(stretches: Sequence[Interval]) -> timedelta:
    """Return how long stretches are together; they must not overlap."""
    return intervals.length(stretches)
