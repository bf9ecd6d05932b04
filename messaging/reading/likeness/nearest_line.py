"""The invented crisis line that a text is most like: by words in common, rare ones counting most."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

LEAST = 0.2  # cosine below which no line is like it


@dataclass(frozen=True)
class Lines:
    """Lines, and by each word or pair of words which of them hold it."""

    lines: Sequence[str]
    held_by: dict[str, list[int]]
    lengths: Sequence[float]

    def nearest(self, words: Sequence[str]) -> str | None:
        """Return the line with the highest cosine to `words`, the first of several; None where none is near."""
        own = {piece: self._rarity(piece) for piece in set(_pieces(words)) if piece in self.held_by}
        shared: defaultdict[int, float] = defaultdict(float)
        for piece, rarity in sorted(own.items()):
            for place in self.held_by[piece]:
                shared[place] += rarity**2
        length = math.sqrt(sum(rarity**2 for rarity in own.values()))
        cosines = [(shared[place] / (length * self.lengths[place]), -place) for place in shared]
        cosine, place = max(cosines, default=(0.0, 0))
        return self.lines[-place] if cosine >= LEAST else None

    def _rarity(self, piece: str) -> float:
        return _rarity(len(self.held_by[piece]), len(self.lines))


def indexed(lines: Sequence[str], folded: Iterable[Sequence[str]]) -> Lines:
    """Return `lines` ready to be searched; `folded` are the words of each."""
    pieces = [sorted(set(_pieces(words))) for words in folded]
    held_by: defaultdict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(pieces):
        for piece in own:
            held_by[piece].append(place)
    rarities = {piece: _rarity(len(places), len(lines)) ** 2 for piece, places in held_by.items()}
    lengths = [math.sqrt(sum(rarities[piece] for piece in own)) or 1.0 for own in pieces]
    return Lines(lines, dict(held_by), lengths)


def _pieces(words: Sequence[str]) -> Iterable[str]:
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def _rarity(holding: int, of: int) -> float:
    return math.log((1 + of) / holding)
