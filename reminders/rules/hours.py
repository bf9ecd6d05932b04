"""When a clinic may text, or works: hours of the day on the wall clock of a place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from reminders.rules import zones

Window = tuple[time, time]
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
# Where nothing else is decided; the quiet hours of the usual cadence are the rest of the day.
USUAL: Window = (time(8), time(20))


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Open from `start` up to, not including, `end` of each local day; `start` comes before `end`.

    The default 08:00-20:00 lies inside the federal 8-21 (47 CFR 64.1200(c)(1)) and the 8-20 of Florida, Maryland,
    Mississippi, New Jersey and Oklahoma; those bind solicitations, which reminders are not, and are kept all the
    same. `other` holds different hours, or None for closed, for a weekday (Monday is 0) or for one date; a date wins
    over its weekday.
    """

    start: time = USUAL[0]
    end: time = USUAL[1]
    other: Mapping[int | date, Window | None] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for opens, closes in [(self.start, self.end), *filter(None, self.other.values())]:
            if opens >= closes:
                raise ValueError(f"hours must open before they close: {opens:%H:%M}-{closes:%H:%M}")
        if all(self.window_of(weekday) is None for weekday in range(7)):
            raise ValueError("hours must be open on at least one weekday")

    def is_open(self, at: datetime, place: ZoneInfo) -> bool:
        """Whether the clock of `place` stands inside the hours at the instant `at`;
        both passes of a repeated hour count."""
        local = zones.to_local(at, place)
        window = self.window_on(local.date())
        return window is not None and window[0] <= local.time() < window[1]

    def next_open(self, at: datetime, place: ZoneInfo) -> datetime:
        """`at` itself if it is open, else the first open instant after it, in UTC."""
        at = zones.instant(at)
        return at if self.is_open(at, place) else _opening_after(self, at, place)

    def previous_open(self, at: datetime, place: ZoneInfo) -> datetime:
        """`at` itself if it is open, else the last open minute before it, in UTC
        (19:59 for hours that end at 20:00)."""
        at = zones.instant(at)
        return at if self.is_open(at, place) else _closing_before(self, at, place)

    def window_on(self, day: date) -> Window | None:
        """The hours of one local date, None when it is closed."""
        if not self.other:
            return self.start, self.end
        return self.other[day] if day in self.other else self.window_of(day.weekday())

    def window_of(self, weekday: int) -> Window | None:
        """The usual hours of a weekday (Monday is 0), None when it is closed."""
        return self.other.get(weekday, (self.start, self.end))

    def within(self, other: "OpenHours") -> "OpenHours":
        """The hours that are open in both; raises ValueError where that leaves none on any weekday."""
        week = [_shared(self.window_of(day), other.window_of(day)) for day in range(7)]
        usual = next((window for window in week if window), None)
        if usual is None:
            raise ValueError("these hours have no minute in common")
        differing: dict[int | date, Window | None] = {day: window for day, window in enumerate(week) if window != usual}
        dates = {day for hours in (self, other) for day in hours.other if isinstance(day, date)}
        differing |= {day: _shared(self.window_on(day), other.window_on(day)) for day in dates}
        return OpenHours(*usual, differing)

    @property
    def reach(self) -> int:
        """How many days may have to be looked at until one is open."""
        # Each closed date can at worst push the one open weekday a week further.
        return 7 * (len(self.other) + 2) + 2

    def openings(self, day: date, place: ZoneInfo) -> Iterator[datetime]:
        """Where an open stretch may begin on this date or the next: at the opening time, and where the clocks jump."""
        for each in (day, day + DAY):
            window = self.window_on(each)
            if window:
                yield from _both_passes(datetime.combine(each, window[0]), place)
        yield from _changes(day, place)

    def closings(self, day: date, place: ZoneInfo) -> Iterator[datetime]:
        """The last minute of every open stretch that may end on this date or the one before."""
        for each in (day, day - DAY):
            window = self.window_on(each)
            if window:
                yield from _both_passes(datetime.combine(each, window[1]) - MINUTE, place)
        yield from (change - MINUTE for change in _changes(day, place))


def _shared(window: Window | None, other: Window | None) -> Window | None:
    if window is None or other is None:
        return None
    start, end = max(window[0], other[0]), min(window[1], other[1])
    return (start, end) if start < end else None


# Visits share their hours: whoever plans a hundred thousand of them asks for the same moments again and again.
@lru_cache(maxsize=8192)
def _opening_after(open_hours: OpenHours, at: datetime, place: ZoneInfo) -> datetime:
    today = zones.to_local(at, place).date()
    for distance in range(open_hours.reach):
        edges = open_hours.openings(today + distance * DAY, place)
        later = [edge for edge in edges if edge > at and open_hours.is_open(edge, place)]
        if later:
            return min(later)
    raise ValueError("these hours do not open again")


@lru_cache(maxsize=8192)
def _closing_before(open_hours: OpenHours, at: datetime, place: ZoneInfo) -> datetime:
    today = zones.to_local(at, place).date()
    for distance in range(open_hours.reach):
        edges = open_hours.closings(today - distance * DAY, place)
        earlier = [edge for edge in edges if edge < at and open_hours.is_open(edge, place)]
        if earlier:
            return max(earlier)
    raise ValueError("these hours were not open before")


@lru_cache(maxsize=4096)
def _both_passes(wall: datetime, place: ZoneInfo) -> tuple[datetime, datetime]:
    return zones.local_to_utc(wall, place), zones.local_to_utc(wall, place, second=True)


@lru_cache(maxsize=4096)
def _changes(day: date, place: ZoneInfo) -> tuple[datetime, ...]:
    midnight = datetime.combine(day, time())
    early, late = (zones.local_to_utc(midnight + distance * DAY, place) for distance in (-1, 2))
    change = zones.change_between(early, late, place)
    return (change,) if change else ()
