"""Stretches of time, each from a start up to its end, cut and put together. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

Interval = tuple[datetime, datetime]


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return them in order, those that touch or overlap as one."""
    together: list[Interval] = []
    for start, end in sorted(intervals):
        if together and start <= together[-1][1]:
            together[-1] = (together[-1][0], max(end, together[-1][1]))
        else:
            together.append((start, end))
    return together


def overlapping(together: Sequence[Interval], start: datetime, end: datetime) -> Iterator[Interval]:
    """Yield which of what `merged` returned share time with the stretch from start to end."""
    for place in range(bisect_right(together, start, key=lambda interval: interval[1]), len(together)):
        if together[place][0] >= end:
            return
        yield together[place]


def around(together: Sequence[Interval], moment: datetime) -> Interval:
    """Return which of what `merged` returned the moment lies in; it must lie in one."""
    return together[bisect_right(together, moment, key=lambda interval: interval[0]) - 1]


def without(pieces: Sequence[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """Return what is left of the pieces outside the holes."""
    left = list(pieces)
    for hole_start, hole_end in holes:
        if any(start < hole_end and hole_start < end for start, end in left):
            before = [(start, min(end, hole_start)) for start, end in left if start < hole_start]
            left = before + [(max(start, hole_end), end) for start, end in left if hole_end < end]
    return left


def length(pieces: Iterable[Interval]) -> timedelta:
    """Return how long they are together; they must not overlap."""
    return sum((end - start for start, end in pieces), timedelta())
