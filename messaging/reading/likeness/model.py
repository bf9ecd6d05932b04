"""The second reader's weights and what belongs to them, read from its two files and checked."""

from __future__ import annotations

import hashlib
import math
import os
import tomllib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from messaging.reading.likeness import features
from messaging.reading.likeness.languages import Language, Lexicon
from messaging.reading.likeness.words import Vocabulary, words

Band = Literal["crisis", "worry", "none"]
FOLDER = Path(__file__).parents[2] / "texts" / "reading"
FACTS, WEIGHTS = "likeness.toml", "likeness.weights"
TOLERANCE = 0.001  # what a canary's score may differ from the stored one
_REMEMBERED, _LONGEST_REMEMBERED = 20_000, 24  # words whose sum is kept, of so many letters: some 3 MB


@dataclass(frozen=True)
class Unfit:
    """Why there is no second reader: a reason key."""

    key: Literal["weights_missing", "weights_changed", "canaries_differ"]


@dataclass(frozen=True)
class Thresholds:
    """The scores from which a text is worry and crisis, in one language."""

    worry: float
    crisis: float

    def band(self, score: float) -> Band:
        """Return the band of a score."""
        return "crisis" if score >= self.crisis else "worry" if score >= self.worry else "none"


@dataclass(frozen=True)
class Model:
    """Weights by bucket, and how their sum is made a score.

    The sum over a text's buckets, divided by `features.length`, times `scale`, plus `bias`, is the logit.
    """

    version: str
    scale: float
    bias: float
    weights: array[int]
    thresholds: Mapping[Language, Thresholds]
    lexicon: Lexicon
    vocabulary: Vocabulary
    canaries: Sequence[tuple[str, float]] = ()
    _sums: dict[str, tuple[int, int]] = field(default_factory=dict, compare=False, repr=False)

    def words(self, text: str) -> list[str]:
        """Return the words of a text as this model counts them."""
        return words(text, self.vocabulary)

    def score(self, of: Sequence[str]) -> float:
        """Return the score of a text's words, 0 to 1."""
        pairs = features.of_pairs(of)
        sums = [self._sum(word) for word in of]
        total = sum(weight for weight, _ in sums) + sum(map(self.weights.__getitem__, pairs))
        count = sum(pieces for _, pieces in sums) + len(pairs)
        logit = self.bias + self.scale * total / features.length(count)
        return 1 / (1 + math.exp(-logit)) if logit > -500 else 0.0

    def _sum(self, word: str) -> tuple[int, int]:
        """The sum of the weights of a word's pieces, and their number."""
        known = self._sums.get(word)
        if known is None:
            pieces = features.of_word(word)
            known = sum(map(self.weights.__getitem__, pieces)), len(pieces)
            if len(self._sums) < _REMEMBERED and len(word) <= _LONGEST_REMEMBERED:
                self._sums[word] = known
        return known

    def rings(self) -> bool:
        """Whether every canary scores as it did when the weights were made."""
        return all(abs(self.score(self.words(text)) - stored) <= TOLERANCE for text, stored in self.canaries)


def current(folder: Path = FOLDER) -> Model | Unfit:
    """Return the model whose files stand in `folder` now; they are read again only when they have changed."""
    try:
        stamps = tuple(_stamp(folder / name) for name in (FACTS, WEIGHTS))
    except OSError:
        return Unfit("weights_missing")
    return _load(folder, stamps)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size, status.st_ino


@lru_cache(maxsize=2)
def _load(folder: Path, _stamps: tuple[tuple[int, int, int], ...]) -> Model | Unfit:
    try:
        pin, _, facts = (folder / FACTS).read_bytes().partition(b"\n")
        weights = (folder / WEIGHTS).read_bytes()
        if pin != pinned(facts, weights):
            return Unfit("weights_changed")
        model = of(tomllib.loads(facts.decode()), weights)
    except OSError:
        return Unfit("weights_missing")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unfit("weights_changed")
    return model if model.rings() else Unfit("canaries_differ")


def pinned(facts: bytes, weights: bytes) -> bytes:
    """Return the first line of the file of facts: the digest of all that follows it and of the weights."""
    return f'sha256 = "{hashlib.sha256(facts + weights).hexdigest()}"'.encode()


def of(facts: dict[str, Any], weights: bytes) -> Model:
    """Return the model of these facts and weights.

    Raises ValueError, KeyError, TypeError or AttributeError where they are not what they should be.
    """
    if len(weights) != features.BUCKETS:
        raise ValueError("a weight for each bucket")
    return Model(
        version=str(facts["version"]),
        scale=float(facts["weights"]["scale"]),
        bias=float(facts["weights"]["bias"]),
        weights=array("b", weights),
        thresholds={
            "en": Thresholds(**facts["thresholds"]["en"]),
            "es": Thresholds(**facts["thresholds"]["es"]),
            "mixed": Thresholds(**facts["thresholds"]["mixed"]),
        },
        lexicon=Lexicon(*(frozenset(facts["lexicon"][name].split()) for name in ("english", "spanish"))),
        vocabulary=Vocabulary({word: rank for rank, word in enumerate(facts["vocabulary"]["words"].split())}),
        canaries=[(canary["text"], canary["score"]) for canary in facts["canary"]],
    )
