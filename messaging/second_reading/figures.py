"""What counted readings say: how much may be missed, and whether what comes in has changed. Pure.

Sources: Wilson's interval (Wilson 1927); the population stability index with its usual bound of 0.2.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959964  # two-sided 95 %
LEAST = 100  # texts on either side, fewer of which say nothing about drift
BINS = 10
MOVED = 0.2


@dataclass(frozen=True)
class Week:
    """The readings of some days: how many texts, how many of them in either tier, and their scores by tenths."""

    texts: int
    flagged: int
    scores: Sequence[int]


def interval(found: int, read: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; `read` is at least one."""
    share, square = found / read, Z * Z
    middle = share + square / (2 * read)
    spread = Z * math.sqrt(share * (1 - share) / read + square / (4 * read * read))
    return max(0.0, (middle - spread) / (1 + square / read)), min(1.0, (middle + spread) / (1 + square / read))


def upper_bound(found: int, read: int) -> float | None:
    """Return the upper end of the interval of a share, None where nothing was read."""
    return interval(found, read)[1] if read else None


def bin_of(score: float) -> int:
    """Return the tenth in which a score stands, 0 to 9."""
    return min(BINS - 1, int(score * BINS))


def stability(now: Sequence[int], before: Sequence[int]) -> float:
    """Return the population stability index of two histograms; an empty bin counts as half a text."""
    shares = [[max(count, 0.5) / max(sum(bins), 1) for count in bins] for bins in (now, before)]
    return math.fsum((new - old) * math.log(new / old) for new, old in zip(*shares, strict=True))


def drifted(now: Week, before: Week) -> list[str]:
    """Return the keys of what has changed: flagged_doubled, flagged_halved, scores_moved. Few texts say nothing."""
    if min(now.texts, before.texts) < LEAST:
        return []
    new, old = max(now.flagged, 0.5) / now.texts, max(before.flagged, 0.5) / before.texts
    found = {
        "flagged_doubled": new >= 2 * old,
        "flagged_halved": new <= old / 2,
        "scores_moved": stability(now.scores, before.scores) > MOVED,
    }
    return [key for key, holds in found.items() if holds]
