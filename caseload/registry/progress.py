"""How somebody's primary scale has moved since they were enrolled: baseline, last score, and a state in one word. Pure.

Sources: Bao 2016 (improved: below 10 or halved), the five-point rule of the AIMS Center, and the 14-day window of New
York State's Collaborative Care measures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, NamedTuple

State = Literal[
    "no_baseline",
    "not_elevated",
    "awaiting",
    "improving",
    "not_improving",
    "improved",
    "remission",
    "worse",
]
SCALES = ("phq9", "gad7")
ELEVATED, REMISSION, CLEAR_CHANGE = 10, 5, 5
BASELINE_WINDOW, SCREENING_WINDOW = timedelta(days=14), timedelta(days=30)


class Point(NamedTuple):
    """A total of the primary scale, on the day it was answered in the clinic's zone."""

    on: date
    total: int


@dataclass(frozen=True)
class Progress:
    """`baseline` is None outside its window; `from_screening` says it was answered before enrolment.

    `change` is in points (negative is better), `percent` of the baseline, None where that was 0.
    """

    baseline: Point | None
    last: Point | None
    state: State
    from_screening: bool = False

    @property
    def change(self) -> int | None:
        """Points since the baseline, None while there is nothing to compare."""
        if self.baseline is None or self.last is None or self.last == self.baseline:
            return None
        return self.last.total - self.baseline.total

    @property
    def percent(self) -> int | None:
        """The change in whole per cent of the baseline, halves away from zero."""
        if self.change is None or self.baseline is None or self.baseline.total == 0:
            return None
        share = 100 * self.change / self.baseline.total
        return int(share + (0.5 if share >= 0 else -0.5))


def of(enrolled: date, points: Sequence[Point]) -> Progress:
    """Return the progress of an episode; `points` in any order, those of days long before count for nothing."""
    ordered = sorted(points, key=lambda point: point.on)
    within = [point for point in ordered if enrolled <= point.on <= enrolled + BASELINE_WINDOW]
    before = [point for point in ordered if enrolled - SCREENING_WINDOW <= point.on < enrolled]
    baseline = within[0] if within else before[-1] if before else None
    since = [point for point in ordered if point.on >= (baseline.on if baseline else enrolled)]
    last = since[-1] if since else None
    return Progress(baseline, last, _state(baseline, last), from_screening=not within and baseline is not None)


def _state(baseline: Point | None, last: Point | None) -> State:
    if baseline is None or last is None:
        return "no_baseline"
    if last.total - baseline.total >= CLEAR_CHANGE:
        return "worse"
    if baseline.total < ELEVATED:
        return "not_elevated"
    return "awaiting" if last.on == baseline.on else _response(baseline.total, last.total)


def _response(first: int, last: int) -> State:
    if last < REMISSION:
        return "remission"
    if last < ELEVATED or 2 * last <= first:
        return "improved"
    return "improving" if first - last >= CLEAR_CHANGE else "not_improving"
