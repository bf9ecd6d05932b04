"""Which slice of days is read when, and how long an EHR is left alone (pure).

Two passes go over the days of a clinic. The near one, yesterday to the day after tomorrow, every five minutes; the far
one, the rest of the days ahead, every two hours. How far each has come is the cursor, kept with what was read: whoever
is killed reads the slice again that was not written down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Cursor = Mapping[str, Any]
NEAR_FROM, NEAR_TO = -1, 3  # in days from today, the last not among them
EVERY = {"near": timedelta(minutes=5), "far": timedelta(hours=2)}
QUEUE_EVERY = timedelta(minutes=1)
# A slice that holds too much is halved as long as it is longer than this.
SHORTEST = timedelta(minutes=15)
# Asked this much oftener at night, by the clinic's clock, when an EHR has little else to do.
NIGHT_FROM, NIGHT_TO, BY_NIGHT = time(22), time(5), 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=15)
# Who is refused for what a person must put right is asked again no sooner.
STUCK_PAUSE = timedelta(minutes=10)
LONGEST_HOLD = timedelta(hours=1)
# A window that an EHR's own clock is asked by is this much wider on both sides.
SKEW = timedelta(minutes=2)


@dataclass(frozen=True)
class Slice:
    """From when, and until when it no longer is."""

    start: datetime
    end: datetime

    def halves(self) -> list["Slice"]:
        """Return its two halves; itself alone where it is as short as it gets."""
        if self.end - self.start <= SHORTEST:
            return [self]
        middle = self.start + (self.end - self.start) / 2
        return [Slice(self.start, middle), Slice(middle, self.end)]


def _written(slices: Sequence[Slice]) -> list[list[str]]:
    return [[each.start.isoformat(), each.end.isoformat()] for each in slices]


def left(cursor: Cursor, name: str) -> list[Slice]:
    """Return what is left of a pass."""
    read = cursor.get(name, {}).get("left", [])
    return [Slice(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in read]


def due(cursor: Cursor, name: str) -> datetime | None:
    """Return when a pass begins anew, None where it never has begun."""
    at = cursor.get(name, {}).get("due")
    return datetime.fromisoformat(at) if at else None


def begun(cursor: Cursor, now: datetime, zone: ZoneInfo, days_ahead: int) -> dict[str, Any]:
    """Return the cursor with each pass begun anew that is over and due."""
    after = dict(cursor)
    for name, days in (("near", (NEAR_FROM, NEAR_TO)), ("far", (NEAR_TO, max(days_ahead, NEAR_TO)))):
        at = due(cursor, name)
        if not left(cursor, name) and (at is None or at <= now):
            after[name] = {"left": _written(_days(now, zone, *days)), "due": (now + EVERY[name]).isoformat()}
    return after


def _days(now: datetime, zone: ZoneInfo, first: int, last: int) -> list[Slice]:
    """The days from one to another, each from midnight to midnight by the clinic's clock, also where it is set."""
    today = now.astimezone(zone).date()
    midnights = [datetime.combine(today + timedelta(days=day), time(), zone) for day in range(first, last + 1)]
    return [Slice(start, end) for start, end in pairwise(midnights)]


def turn(cursor: Cursor) -> tuple[str, Slice] | None:
    """Return whose turn it is: the pass, the near one first, and its first slice; None where nothing is left."""
    return next(((name, left(cursor, name)[0]) for name in EVERY if left(cursor, name)), None)


def read(cursor: Cursor, name: str, instead: Sequence[Slice] = ()) -> dict[str, Any]:
    """Return the cursor once the first slice of a pass was read, or is to be read as others `instead`."""
    rest = [*instead, *left(cursor, name)[1:]]
    return {**cursor, name: {**cursor[name], "left": _written(rest)}}


def is_whole(cursor: Cursor) -> bool:
    """Whether every day was read through."""
    return bool(cursor) and not any(left(cursor, name) for name in EVERY)


def at_once(cursor: Cursor) -> dict[str, Any]:
    """Return the cursor of whoever is to be read anew now, near and far."""
    return {name: value for name, value in cursor.items() if name not in EVERY}


def next_try(cursor: Cursor, now: datetime, gap: timedelta) -> datetime:
    """Return when the next slice is read: after the gap while something is left, else with the next pass."""
    if turn(cursor):
        return now + gap
    return max(now + gap, min(due(cursor, name) or now for name in EVERY))


def gap(per_minute: int, now: datetime, zone: ZoneInfo) -> timedelta:
    """Return how long an EHR is left alone between two requests."""
    local = now.astimezone(zone).time()
    is_night = local >= NIGHT_FROM or local < NIGHT_TO
    return timedelta(minutes=1) / (per_minute * (BY_NIGHT if is_night else 1))


def pause(failures: int, retry_after: int | None, *, stuck: bool) -> timedelta:
    """Return how long an EHR is left alone after this many refusals in a row; as long as it wishes, an hour at most."""
    own = min(FIRST_PAUSE * (1 << min(failures - 1, 20)), LONGEST_PAUSE)
    wished = min(timedelta(seconds=retry_after or 0), LONGEST_HOLD)
    return max(own, wished, STUCK_PAUSE if stuck else own)
