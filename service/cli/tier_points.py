"""What the second reader would find if so many hard ordinary texts might be flagged: recall by false alarms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from messaging.reading import likeness, read_reply
from service.cli.tier_lines import Line
from service.cli.tier_report import Share, cell

LIMITS = (0.05, 0.10, 0.20)


@dataclass(frozen=True)
class Scored:
    """A text of either kind: the reader's score, and whether the rules alone flag it."""

    crisis: bool
    score: float
    by_rules: bool


@dataclass(frozen=True)
class Point:
    """At most `limit` of the hard ordinary texts reach a score: crises found at it, and with the rules beside it."""

    limit: float
    reader: Share
    with_rules: Share
    flagged: Share
    flagged_with_rules: Share

    def as_row(self) -> dict[str, Any]:
        """Return the point as data, each share with Wilson's interval."""
        shares = {name: share for name, share in vars(self).items() if isinstance(share, Share)}
        return {
            "limit": self.limit,
            **{
                name: {"flagged": share.flagged, "of": share.of, "low": share.interval[0], "high": share.interval[1]}
                for name, share in shares.items()
            },
        }


def scored(lines: Iterable[Line]) -> list[Scored]:
    """Read every crisis and every hard ordinary text; none where there is no second reader."""
    return [
        Scored(line.crisis, heard.score, read_reply.read(line.text, language).crisis)
        for line in lines
        if line.crisis or line.manner == "hard"
        for language in ["es" if line.language == "es" else "en"]
        if (heard := likeness.read(line.text, language)) is not None
    ]


def of(texts: Sequence[Scored], limits: Sequence[float] = LIMITS) -> list[Point]:
    """Return a point for each limit; none without texts of both kinds. The threshold is one for all languages."""
    hard = sorted((text.score for text in texts if not text.crisis), reverse=True)
    if not hard or len(hard) == len(texts):
        return []
    return [_point(texts, limit, hard[min(int(limit * len(hard)), len(hard) - 1)]) for limit in limits]


def _point(texts: Sequence[Scored], limit: float, above: float) -> Point:
    def share(crisis: bool, rules: bool) -> Share:
        some = [text for text in texts if text.crisis is crisis]
        return Share(sum(text.score > above or (rules and text.by_rules) for text in some), len(some))

    return Point(limit, share(True, False), share(True, True), share(False, False), share(False, True))


def lines_of(points: Sequence[Point]) -> Iterator[str]:
    """Yield the table for people."""
    if points:
        yield "\nCrises found by the second reader if of the hard ordinary texts at most so many may be flagged"
        yield f"  {'at most':<10}{'reader':>32}{'of the hard':>32}{'with the rules':>32}{'of the hard':>32}"
    for point in points:
        shares = (point.reader, point.flagged, point.with_rules, point.flagged_with_rules)
        yield f"  {point.limit:<10.0%}" + "".join(f"{cell(share):>32}" for share in shares)
