"""When a step would go out if nothing stood in its way:
counted from the visit on the clinic's clock, and told as a reason."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from messaging.reasons import Reason
from messaging.weekdays import WEEKDAYS
from reminders.rules import offsets, zones


class Anchored(Protocol):
    """A step has exactly one of `before`, `after` and `weekday`; with `at` it is that hour of the day so found."""

    @property
    def before(self) -> offsets.Offset | None: ...
    @property
    def after(self) -> offsets.Offset | None: ...
    @property
    def weekday(self) -> str | None: ...
    @property
    def at(self) -> time | None: ...


def own_time(step: Anchored, starts_at: datetime, place: ZoneInfo) -> datetime:
    """The UTC moment of a step before any rule moves it; whole days are counted on the wall clock of the clinic."""
    start = zones.instant(starts_at)
    if step.weekday is not None:
        return _weekday_before(start, place, step.weekday, step.at or time(10))
    offset, direction = (step.before, -1) if step.before is not None else (step.after, 1)
    assert offset is not None
    days = offset.days
    if days is None or (days == 0 and step.at is None):
        return start + direction * offset.elapsed
    return _days_away(start, place, direction * days, step.at)


# Visits begin at the same few hours of a day; what is asked for again and again is worked out once. Both are given
# UTC: two aware times of one zone may be equal without being the same instant.
@lru_cache(maxsize=8192)
def _weekday_before(start: datetime, place: ZoneInfo, weekday: str, at: time) -> datetime:
    today = zones.to_local(start, place).date()
    # A visit on a Friday is announced on the Friday before it, not on its own day.
    back = (today.weekday() - WEEKDAYS.index(weekday) - 1) % 7 + 1
    return zones.local_to_utc(datetime.combine(today - timedelta(days=back), at), place)


@lru_cache(maxsize=8192)
def _days_away(start: datetime, place: ZoneInfo, days: int, at: time | None) -> datetime:
    wall = zones.to_local(start, place).replace(tzinfo=None) + timedelta(days=days)
    if at is not None:
        wall = datetime.combine(wall.date(), at)
    return zones.local_to_utc(wall, place)


def is_stretch(step: Anchored) -> bool:
    """Whether the step's distance from the visit is a stretch on the stopwatch, as in "30 minutes before"."""
    offset = step.before or step.after
    return offset is not None and offset.days is None


def asked_for(step: Anchored, own: datetime, starts_at: datetime, place: ZoneInfo) -> Reason:
    """Return how the step was asked for, as "10:00 1 day before the visit, in America/Denver"."""
    if step.weekday is not None:
        at = f"{step.at:%H:%M}"
        return Reason("planned_weekday", {"at": at, "weekday": step.weekday, "zone": place.key})
    offset, side = (step.before, "before") if step.before is not None else (step.after, "after")
    assert offset is not None
    if step.at is not None:
        hour = {"at": f"{step.at:%H:%M}", "zone": place.key}
        if offset.count == 0:
            return Reason("planned_visit_day", hour)
        return Reason("planned_hour", hour | {"length": str(offset), "side": side})
    real = abs(zones.instant(starts_at) - own)
    if real == offset.elapsed:
        return Reason("planned_length", {"length": str(offset), "side": side})
    as_it_is = offsets.in_words(real)
    return Reason("planned_wall_clock", {"length": str(offset), "side": side, "real": as_it_is})
