"""Pictures drawn by the server: where a score has gone, with its bands and goals.

Pure geometry; colours live in the stylesheet.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 320, 168
LEFT, RIGHT, TOP, BOTTOM = 24, 80, 14, 24
# What a line of small print needs, in units of the picture.
LINE, LETTER, GAP = 12.0, 6.4, 6.0
SHADES = 4
# How far down the first row of signs stands; each further one is a line lower, and moves the scores down with it.
SIGNS = 10


@dataclass(frozen=True)
class Reading:
    """One score at one moment: its points, its label on the axis, and whether a self-harm item was positive; `told`
    where somebody has told the total and no form is behind it."""

    at: datetime
    total: int
    label: str
    alert: bool = False
    told: bool = False


@dataclass(frozen=True)
class Event:
    """Something of another kind that stands above the line at its moment: its sign, and what it says. Those of one
    `lane` stand in a row, the lowest lane on top."""

    at: datetime
    sign: str
    words: str
    lane: int = 0


@dataclass(frozen=True)
class Sign:
    """An event in its place."""

    x: float
    y: float
    sign: str
    words: str


@dataclass(frozen=True)
class Dot:
    """A point of the line; `label` is empty where it would run into its neighbour's."""

    x: float
    y: float
    total: int
    label: str
    anchor: str
    alert: bool
    told: bool = False


@dataclass(frozen=True)
class Band:
    """A band as a strip from `y` down over `height`; `number` is its lowest total, empty where it has no room."""

    y: float
    height: float
    lowest: int
    number: str
    name: str


@dataclass(frozen=True)
class Goal:
    """A line to look at across the picture, `kind` start | response | remission, its words written at `label_y`."""

    kind: str
    y: float
    words: str
    label_y: float


@dataclass(frozen=True)
class Trend:
    """A line of scores in a box of `width` by `height` units, drawn between `left` and `right`."""

    width: int
    height: int
    left: int
    right: int
    floor: float
    path: str
    dots: tuple[Dot, ...]
    bands: tuple[Band, ...]
    goals: tuple[Goal, ...]
    signs: tuple[Sign, ...] = ()


def trend(
    readings: Sequence[Reading],
    bands: Sequence[tuple[int, str]],
    highest: int,
    goals: Sequence[tuple[str, float, str]] = (),
    events: Sequence[Event] = (),
) -> Trend:
    """Draw one or more `readings`, oldest first, and `events` above them.

    `bands` are (lowest points, name) from the lowest up, `highest` the possible maximum, `goals` (kind, points, words).
    """
    tallest = max([reading.total for reading in readings] + [1])
    top = min(highest, tallest + max(2, highest // 8))
    moments = [*(reading.at for reading in readings), *(event.at for event in events)]
    first, whole = min(moments), (max(moments) - min(moments)).total_seconds()
    rows = sorted({event.lane for event in events})
    down = LINE * max(0, len(rows) - 1)

    def x(each: Reading | Event) -> float:
        # All at one moment stand in the middle: there is no line to draw.
        share = (each.at - first).total_seconds() / whole if whole > 0 else 0.5
        return round(LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16), 1)

    def y(points: float) -> float:
        return round(down + HEIGHT - BOTTOM - points / top * (HEIGHT - TOP - BOTTOM), 1)

    dots = _dots([(x(reading), y(reading.total), reading) for reading in readings])
    path = "M" + " L".join(f"{dot.x} {dot.y}" for dot in dots)
    edges = [*(lowest for lowest, _ in bands if lowest < top), top]
    strips = _bands([(y(lowest), y(edges[i + 1]), lowest, bands[i][1]) for i, lowest in enumerate(edges[:-1])])
    lines = _goals([(kind, y(points), label) for kind, points, label in goals if 0 <= points <= top], y(0))
    signs = tuple(Sign(x(each), SIGNS + LINE * rows.index(each.lane), each.sign, each.words) for each in events)
    return Trend(WIDTH, int(HEIGHT + down), LEFT, WIDTH - RIGHT, y(0), path, dots, strips, lines, signs)


def _dots(placed: Sequence[tuple[float, float, Reading]]) -> tuple[Dot, ...]:
    dots: list[Dot] = []
    # The first and the newest label must stand; of the others, from the newest back, those there is room for.
    first = _span(placed[0][0], placed[0][2].label, "start" if len(placed) > 1 else "middle")
    room = float(WIDTH)
    for place, (x, y, reading) in reversed(list(enumerate(placed))):
        edge = "start" if place == 0 < len(placed) - 1 else "middle"
        start, end = _span(x, reading.label, edge)
        newest = place == len(placed) - 1
        fits = newest or (end <= room and (place == 0 or start >= first[1] + GAP))
        room = start - GAP if fits else room
        dots.append(Dot(x, y, reading.total, reading.label if fits else "", edge, reading.alert, reading.told))
    return tuple(reversed(dots))


def _span(x: float, label: str, edge: str) -> tuple[float, float]:
    width = LETTER * len(label)
    return (x, x + width) if edge == "start" else (x - width / 2, x + width / 2)


def _bands(strips: Sequence[tuple[float, float, int, str]]) -> tuple[Band, ...]:
    placed: list[Band] = []
    lowest_free = math.inf
    for bottom, top, lowest, name in strips:
        fits = bottom <= lowest_free
        lowest_free = bottom - LINE if fits else lowest_free
        placed.append(Band(top, round(bottom - top, 1), lowest, str(lowest) if fits else "", name))
    return tuple(placed)


def _goals(lines: Sequence[tuple[str, float, str]], lowest: float) -> tuple[Goal, ...]:
    """Write the words of each line beside it, moved apart where they would run into each other."""
    ordered = sorted(lines, key=lambda line: line[1])
    places: list[float] = []
    for _, y, _ in ordered:
        places.append(max(y, places[-1] + LINE) if places else y)
    # What has been pushed below the floor goes up again, and pushes those above it.
    for at in range(len(places) - 1, -1, -1):
        places[at] = min(places[at], lowest)
        lowest = places[at] - LINE
    return tuple(Goal(kind, y, label, round(place, 1)) for (kind, y, label), place in zip(ordered, places, strict=True))


def shade(points: int | None, highest: int) -> int:
    """Return how dark a cell of the strip is, 0 (nothing) to 3 (the highest answer); -1 where nothing was answered."""
    if points is None:
        return -1
    return min(SHADES - 1, -(-points * (SHADES - 1) // max(1, highest)))
