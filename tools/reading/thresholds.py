"""From which score a text is worry or crisis: what so many of a language's out-of-fold ordinary texts exceed."""

from __future__ import annotations

from collections.abc import Sequence

from tools.reading.corpus_files import LANGUAGES, Line

# The share of hard ordinary texts that may exceed a threshold.
SHARES = {"worry": 0.12, "crisis": 0.02}
FEWEST = 100  # ordinary texts of a language; with fewer, all languages decide together


def of_languages(lines: Sequence[Line], scores: Sequence[float]) -> dict[str, dict[str, float]]:
    """Return {language: {"worry": score, "crisis": score}}."""
    return {
        language: {band: _exceeded_by(share, _scores(lines, scores, language)) for band, share in SHARES.items()}
        for language in LANGUAGES
    }


def _scores(lines: Sequence[Line], scores: Sequence[float], language: str) -> list[float]:
    of = [(line, score) for line, score in zip(lines, scores, strict=True) if line.manner == "hard"]
    own = [score for line, score in of if line.language == language]
    return own if len(own) >= FEWEST else [score for _, score in of]


def _exceeded_by(share: float, scores: Sequence[float]) -> float:
    """The least score, to four places, that no more than `share` of `scores` reach; 0 of none."""
    ordered = sorted(scores, reverse=True)
    if not ordered:
        return 0.0
    return min(round(ordered[int(share * len(ordered))] + 0.0001, 4), 0.9999)
