"""Reads one text by likeness to invented lines, and says what in it weighed most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from messaging.reading.likeness import model, nearest_line
from messaging.reading.likeness.languages import Language
from messaging.reading.likeness.model import FOLDER, Band, Model, Unfit

LINES = "likeness.lines.txt"
_WORD = re.compile(r"\S+")
_LONGEST_SPAN = 4  # words
_MOST_WORDS = 120  # of a text that is searched for what weighed most


@dataclass(frozen=True)
class Likeness:
    """What the second reader thinks of one text.

    ``score`` 0 to 1, no probability and not to be shown. ``band`` by the thresholds of ``language``, which is guessed
    from the words. ``version`` of the weights.
    """

    score: float
    band: Band
    language: Language
    version: str


def read(text: str, language: str | None = None) -> Likeness | None:
    """Return how much `text` is like a crisis, or None without fit weights. Never raises, whatever the characters.

    `language`, the one a patient is registered with, decides only where the words do not say.
    """
    reader = model.current()
    if isinstance(reader, Unfit):
        return None
    words = reader.words(text)
    score, guessed = reader.score(words), reader.lexicon.guess(words, language)
    return Likeness(score, reader.thresholds[guessed].band(score), guessed, reader.version)


def weighed_most(text: str) -> tuple[int, int]:
    """Return where the 1-4 words begin and end in `text` without which it scores least; (0, 0) where none raises it."""
    reader = model.current()
    if isinstance(reader, Unfit):
        return 0, 0
    return _heaviest(reader, text)


def _heaviest(reader: Model, text: str) -> tuple[int, int]:
    places = [match.span() for match in _WORD.finditer(text)][:_MOST_WORDS]
    whole = reader.score(reader.words(text))
    heaviest, span = 0.0, (0, 0)
    for size in range(1, _LONGEST_SPAN + 1):
        for first, last in zip(places, places[size - 1 :], strict=False):
            less = whole - reader.score(reader.words(f"{text[: first[0]]} {text[last[1] :]}"))
            if less > heaviest:
                heaviest, span = less, (first[0], last[1])
    return span


def nearest(text: str) -> str | None:
    """Return the invented crisis line that `text` is most like, or None where none is like it or there are none."""
    reader = model.current()
    if isinstance(reader, Unfit):
        return None
    lines = _lines(reader.version)
    return lines.nearest(reader.words(text)) if lines else None


@lru_cache(maxsize=1)
def _lines(_version: str) -> nearest_line.Lines | None:
    reader = model.current()
    try:
        lines = (FOLDER / LINES).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return None if isinstance(reader, Unfit) else nearest_line.indexed(lines, map(reader.words, lines))


def version() -> str | None:
    """Return the version of the weights, None without fit ones."""
    reader = model.current()
    return None if isinstance(reader, Unfit) else reader.version


def check() -> str | None:
    """Return why there is no second reader (weights_missing, weights_changed, canaries_differ), None when it is fit."""
    reader = model.current()
    return reader.key if isinstance(reader, Unfit) else None
