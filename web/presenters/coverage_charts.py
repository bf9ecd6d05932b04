"""Two pictures, drawn by the server: a week of who can be reached, and how soon items were seen. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta

from messaging.weekdays import SHORT_NAMES
from web import times

HOUR, ROW, LEFT, TOP = 28, 30, 44, 22
WIDTH, HEIGHT = 288, 128
PLOT = (48.0, 8.0, 282.0, 104.0)  # left, top, right, bottom
TIMES_OVER = 3


@dataclass(frozen=True)
class Stretch:
    """Minutes of a day in a row in which the same people can be reached; nobody is a gap."""

    x: float
    y: float
    width: float
    start: int
    end: int
    names: tuple[str, ...]

    @property
    def said(self) -> str:
        """From when until when, "8:00 AM–5:30 PM"."""
        return "–".join(times.clock_time(time(minute // 60 % 24, minute % 60)) for minute in (self.start, self.end))

    @property
    def label(self) -> str:
        """The names, as many as fit."""
        if not self.names:
            return "nobody" if self.width > 60 else "✕"
        room = int(self.width // 7) - 2
        joined = ", ".join(self.names)
        if len(joined) <= room:
            return joined
        first = self.names[0].split(" ")[0]
        short = f"{first} +{len(self.names) - 1}" if len(self.names) > 1 else first
        return short if len(short) <= room else str(len(self.names)) if room > 0 else ""


@dataclass(frozen=True)
class Week:
    """A week in a box of `width` by `height` units; `hours` are the marks along the top."""

    width: int
    height: int
    days: tuple[tuple[str, float, tuple[Stretch, ...]], ...]
    hours: tuple[tuple[float, str], ...]
    whole: bool


def week(week: Sequence[Sequence[tuple[int, int, tuple[str, ...]]]]) -> Week:
    """Draw seven days of stretches: from which minute until which, and the names."""
    days = []
    for place, day in enumerate(week):
        y = float(TOP + place * ROW)
        stretches = tuple(
            Stretch(LEFT + start * HOUR / 60, y, (end - start) * HOUR / 60, start, end, names)
            for start, end, names in day
        )
        days.append((SHORT_NAMES[place], y, stretches))
    marks = tuple((float(LEFT + hour * HOUR), times.clock_time(time(hour))) for hour in range(0, 24, 4))
    whole = all(names for day in week for _start, _end, names in day)
    return Week(LEFT + 24 * HOUR, TOP + 7 * ROW, tuple(days), marks, whole)


@dataclass(frozen=True)
class Curve:
    """The share seen by each minute as a path, the deadline as a line; `marks` are (x, words) along the bottom."""

    width: int
    height: int
    path: str
    deadline: float
    floor: float
    ceiling: float
    middle: float
    left: float
    right: float
    marks: tuple[tuple[float, str], ...]


def _steps(minutes: Sequence[float], span: float) -> Iterator[tuple[int, int]]:
    """Yield where the curve rises and how many were seen by then: one step for each place that the eye tells apart,
    however many items were seen there."""
    left, _, right, _ = PLOT
    in_order, before = sorted(minutes), 0
    for at in range(int(left), int(right) + 1):
        by = bisect_right(in_order, min((at - left + 0.5) / (right - left), 1) * span)
        if by > before:
            yield at, by
        before = by


def seen(minutes: Sequence[float], count: int, limit: int) -> Curve:
    """Draw the cumulative share of `count` items seen by each minute, until three times `limit`.

    `minutes` are how long each took that was seen at all; `count` also counts those that nobody has seen in time.
    """
    left, top, right, bottom = PLOT
    span = float(limit * TIMES_OVER)

    def x(minute: float) -> float:
        return round(left + min(minute, span) / span * (right - left), 1)

    def y(share: float) -> float:
        return round(bottom - share * (bottom - top), 1)

    path = f"M{left} {bottom}" + "".join(f"H{at}V{y(by / max(count, 1))}" for at, by in _steps(minutes, span))
    path += f"H{right}"
    marks = ((left, "0"), *((x(minute), times.length(timedelta(minutes=minute))) for minute in (limit, span)))
    return Curve(WIDTH, HEIGHT, path, x(limit), bottom, top, y(0.5), left, right, marks)
