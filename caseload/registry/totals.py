"""The totals of a scale as they are kept: how they have moved, and behind it each of them, opened when it is shown.

A caseload of a thousand looks at how each has moved and shows the totals of a hundred. Pure.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from caseload.registry import progress
from caseload.registry.progress import Point, Progress


class Scored(NamedTuple):
    """A total of the primary scale on a day in the clinic's zone; `self_harm` where its item was positive, `imported`
    where it came with a registry's file and no form of that day is here."""

    point: Point
    self_harm: bool
    imported: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """How the totals of an episode have moved until a day, and whether the last had a positive self-harm item; `lines`
    are all of them as they are kept."""

    progress: Progress
    self_harm: bool
    until: date
    lines: bytes

    @property
    def scores(self) -> list[Scored]:
        """Every total until that day, oldest first; read anew each time."""
        return [each for each in every(self.lines) if each.point.on <= self.until]


def of(enrolled_on: date, until: date, scores: Sequence[Scored]) -> Totals:
    """Return the totals of an episode that was enrolled on a day, as they stand `until` another, oldest first."""
    return _of(enrolled_on, until, scores, _lines(scores))


def _of(enrolled_on: date, until: date, scores: Sequence[Scored], lines: bytes) -> Totals:
    counted = [each for each in scores if each.point.on <= until]
    moved = progress.of(enrolled_on, [each.point for each in counted])
    return Totals(moved, bool(counted) and counted[-1].self_harm, until, lines)


def written(enrolled_on: date, ended_on: date | None, scores: Sequence[Scored]) -> bytes:
    """Return totals as they are kept: a line of how they have moved, with the newest day, and a line of all."""
    whole = of(enrolled_on, ended_on or date.max, scores)
    moved, newest = whole.progress, max((each.point.on for each in scores), default=date.min)
    ends = [[point.on.toordinal(), point.total] if point else None for point in (moved.baseline, moved.last)]
    head = [newest.toordinal(), *ends, moved.state, moved.from_screening, whole.self_harm]
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + whole.lines


def opened(kept: bytes, enrolled_on: date, ended_on: date | None, today: date) -> Totals:
    """Return totals that were `written` as they stand today, or stood when the episode ended."""
    if not kept:
        return of(enrolled_on, ended_on or today, [])
    head, _, lines = kept.partition(b"\n")
    newest, baseline, last, state, from_screening, self_harm = json.loads(head)
    until = ended_on or today
    if ended_on is None and newest > today.toordinal():  # a clock was set back, or the zone has not come to that day
        return _of(enrolled_on, until, every(lines), lines)
    return Totals(Progress(_point(baseline), _point(last), state, from_screening), self_harm, until, lines)


def every(lines: bytes) -> list[Scored]:
    """Return all totals of a line, oldest first."""
    return [
        Scored(Point(date.fromordinal(on), total), bool(harm), bool(imported))
        for on, total, harm, imported in json.loads(lines or b"[]")
    ]


def _point(kept: Any) -> Point | None:
    return Point(date.fromordinal(kept[0]), kept[1]) if kept else None


def _lines(scores: Sequence[Scored]) -> bytes:
    lines = [[each.point.on.toordinal(), each.point.total, int(each.self_harm), int(each.imported)] for each in scores]
    return json.dumps(lines, separators=(",", ":")).encode()
