"""Stretches of time, each from a start up to its end, cut and put together. Pure."""

from collections.abc import Iterable, Sequence
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
