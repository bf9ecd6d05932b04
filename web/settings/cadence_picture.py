"""A picture of what a cadence sends around one visit: time runs to the visit, and the nearer it is the wider. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from web import times

WIDTH, HEIGHT = 480, 92
LEFT, RIGHT, LINE = 16.0, 462.0, 46.0
APART = 24.0
# Wider than this nights become hatching, and days are no longer named one by one.
NIGHTS_UP_TO, DAYS_UP_TO = timedelta(days=10), timedelta(days=8)
DAY = timedelta(days=1)
Place = Callable[[datetime], float]


@dataclass(frozen=True)
class Mark:
    """A text that leaves: its number in the list below, whether quiet hours moved it. `y` lifts close neighbours."""

    x: float
    y: float
    number: int
    moved: bool


@dataclass(frozen=True)
class Timeline:
    """The marks, the nights as (x, width), midnights as (x, words), where it was booked and where the visit is."""

    width: int
    height: int
    line: float
    marks: tuple[Mark, ...]
    nights: tuple[tuple[float, float], ...]
    days: tuple[tuple[float, str], ...]
    booked: float | None
    visit: float


def draw(
    texts: Sequence[tuple[datetime, bool]],
    visit: datetime,
    booked: datetime,
    zone: ZoneInfo,
    quiet: tuple[float, float],
) -> Timeline:
    """Draw texts, each (aware moment, whether it was moved), around a visit.

    `quiet` are the hours of the local day at which nights begin and end, such as (20.0, 8.0).
    """
    moments = [at for at, _ in texts]
    first = min([*moments, visit - DAY])
    last = max([*moments, visit])
    first -= (visit - first) * 0.06
    before, after = _root(visit - first), _root(last - visit)
    unit = (RIGHT - LEFT) / (before + after * 1.06)

    def x(at: datetime) -> float:
        span = at - visit
        way = _root(abs(span)) * unit * (1 if span > timedelta() else -1)
        return round(LEFT + before * unit + way, 1)

    return Timeline(
        WIDTH,
        HEIGHT,
        LINE,
        _marks([(x(at), moved) for at, moved in texts]),
        _nights(first, last, zone, quiet, x) if last - first <= NIGHTS_UP_TO else (),
        _days(first, last, zone, x),
        x(booked) if booked > first else None,
        x(visit),
    )


def _root(span: timedelta) -> float:
    return math.sqrt(max(0.0, span.total_seconds()))


def _marks(placed: Sequence[tuple[float, bool]]) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for number, (x, moved) in enumerate(placed, 1):
        close = bool(marks) and abs(x - marks[-1].x) < APART and marks[-1].y == LINE
        marks.append(Mark(x, LINE - APART if close else LINE, number, moved))
    return tuple(marks)


def _midnights(first: datetime, last: datetime, zone: ZoneInfo) -> list[datetime]:
    day = first.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    midnights = []
    while day <= last:
        midnights.append(day)
        day = (day.replace(tzinfo=None) + DAY).replace(tzinfo=zone)
    return midnights


def _nights(
    first: datetime, last: datetime, zone: ZoneInfo, quiet: tuple[float, float], x: Place
) -> tuple[tuple[float, float], ...]:
    nights = []
    for day in _midnights(first - DAY, last, zone):
        begins = max(first, _hour(day, quiet[0], zone))
        ends = min(last, _hour(day, 24 + quiet[1], zone))
        if begins < ends:
            left = x(begins)
            nights.append((left, round(x(ends) - left, 1)))
    return tuple(nights)


def _hour(day: datetime, hour: float, zone: ZoneInfo) -> datetime:
    return (day.replace(tzinfo=None) + timedelta(hours=hour)).replace(tzinfo=zone)


def _days(first: datetime, last: datetime, zone: ZoneInfo, x: Place) -> tuple[tuple[float, str], ...]:
    days: list[tuple[float, str]] = []
    named = last - first <= DAYS_UP_TO
    for day in _midnights(first, last, zone):
        if day < first:
            continue
        at = x(day)
        label = f"{day:%a}" if named else times.date_of(day, day)
        if not days or at - days[-1][0] > 40:
            days.append((at, label))
    return tuple(days)
