"""Pictures drawn by the server: where a score has gone, with its bands. Pure geometry; colours live in the stylesheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 288, 112
LEFT, RIGHT, TOP, BOTTOM = 32, 14, 12, 22


@dataclass(frozen=True)
class Reading:
    """One score at one moment: its points, its label on the axis, and whether a self-harm item was positive."""

    at: datetime
    total: int
    label: str
    alert: bool = False


@dataclass(frozen=True)
class Dot:
    """A point of the line; `label` is empty where it would run into its neighbour's."""

    x: float
    y: float
    total: int
    label: str
    anchor: str
    alert: bool


@dataclass(frozen=True)
class Band:
    """A band's lower edge as a line across the picture, with its points and name."""

    y: float
    lowest: int
    name: str


@dataclass(frozen=True)
class Trend:
    """A line of scores in a box of `width` by `height` units."""

    width: int
    height: int
    floor: float
    path: str
    dots: tuple[Dot, ...]
    bands: tuple[Band, ...]


def trend(readings: Sequence[Reading], bands: Sequence[tuple[int, str]], highest: int) -> Trend:
    """Draw two or more `readings`, oldest first; `bands` are (lowest points, name), `highest` the possible maximum."""
    top = min(highest, max([reading.total for reading in readings] + [1]) + max(2, highest // 8))
    first, last = readings[0].at, readings[-1].at
    whole = max((last - first).total_seconds(), 1.0)

    def x(reading: Reading) -> float:
        share = (reading.at - first).total_seconds() / whole
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(points: float) -> float:
        return round(HEIGHT - BOTTOM - points / top * (HEIGHT - TOP - BOTTOM), 1)

    dots = _dots([(x(reading), y(reading.total), reading) for reading in readings])
    path = "M" + " L".join(f"{dot.x} {dot.y}" for dot in dots)
    lines = tuple(Band(y(lowest), lowest, name) for lowest, name in bands if 0 < lowest <= top)
    return Trend(WIDTH, HEIGHT, y(0), path, dots, lines)


def _dots(placed: Sequence[tuple[float, float, Reading]]) -> tuple[Dot, ...]:
    dots: list[Dot] = []
    # From the newest back: its label must stand, an older one only where there is room for it.
    room = float(WIDTH)
    for place, (x, y, reading) in reversed(list(enumerate(placed))):
        edge = "start" if place == 0 else ("end" if place == len(placed) - 1 else "middle")
        half = 3.1 * len(reading.label)
        start, end = {"start": (x, x + 2 * half), "end": (x - 2 * half, x), "middle": (x - half, x + half)}[
            edge
        ]
        fits = end <= room
        room = start - 6 if fits else room
        dots.append(Dot(x, y, reading.total, reading.label if fits else "", edge, reading.alert))
    return tuple(reversed(dots))
