"""Fits the weights: a linear separator by dual coordinate descent, in plain arithmetic that is the same everywhere.

Sums, products, quotients and square roots of 64-bit floats in a fixed order, and logarithms rounded to three places: no
parallel sum and no library, so that each machine arrives at the same bits. The method is Hsieh et al., "A dual
coordinate descent method for large-scale linear SVM" (ICML 2008), with squared hinge loss and a cost for each text.
What is rare in the training text counts more, by the cube of its inverse document frequency.
"""

from __future__ import annotations

import math
import random
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from messaging.reading.likeness import features

ROUNDS = 8
_RARITY_POWER = 3


@dataclass(frozen=True)
class Example:
    """A text as its buckets, whether it is a crisis, and what a mistake about it costs."""

    buckets: Sequence[int]
    crisis: bool
    cost: float


@dataclass(frozen=True)
class Separator:
    """A weight for each bucket and the bias; positive is crisis."""

    weights: array[float]
    bias: float

    def margin(self, buckets: Sequence[int]) -> float:
        """Return how far on the side of crisis a text lies."""
        return self.bias + sum(map(self.weights.__getitem__, buckets)) / features.length(len(buckets))


@dataclass
class _Row:
    """A text as the descent works on it: its distinct buckets with their values, and how far it has been pushed.

    Buckets are numbered as they first occur: what is used lies close together, which halves the time.
    """

    buckets: list[int]
    values: list[float]
    sign: float
    soft: float
    square: float
    alpha: float = 0.0


def fit(examples: Sequence[Example], rounds: int = ROUNDS, seed: int = 13) -> Separator:
    """Return the separator of `examples`; the same for the same examples in the same order."""
    rarity = _rarities(examples)
    number_of = {bucket: number for number, bucket in enumerate(rarity)}
    rows = [_row(example, rarity, number_of) for example in examples]
    descended, bias = _descend(rows, len(rarity), rounds, random.Random(seed))
    weights = array("d", bytes(8 * features.BUCKETS))
    for (bucket, rare), weight in zip(rarity.items(), descended, strict=True):
        weights[bucket] = weight * rare
    return Separator(weights, bias)


def _descend(rows: list[_Row], buckets: int, rounds: int, dice: random.Random) -> tuple[list[float], float]:
    weights, bias = [0.0] * buckets, 0.0
    weight_of = weights.__getitem__
    for _ in range(rounds):
        dice.shuffle(rows)
        for row in rows:
            margin = bias + sum(map(mul, map(weight_of, row.buckets), row.values))
            gradient = row.sign * margin - 1 + row.soft * row.alpha
            alpha = max(row.alpha - gradient / (row.square + row.soft), 0.0)
            step = (alpha - row.alpha) * row.sign
            if step:
                row.alpha = alpha
                bias += step
                for bucket, value in zip(row.buckets, row.values, strict=True):
                    weights[bucket] += step * value
    return weights, bias


def _rarities(examples: Sequence[Example]) -> dict[int, float]:
    """What each bucket counts: the cube of its inverse document frequency, 1 on average."""
    holding = Counter(bucket for example in examples for bucket in dict.fromkeys(example.buckets))
    cubes = {
        bucket: round(math.log((1 + len(examples)) / count), 3) ** _RARITY_POWER for bucket, count in holding.items()
    }
    mean = sum(cubes.values()) / (len(cubes) or 1)
    return {bucket: cube / mean for bucket, cube in cubes.items()}


def _row(example: Example, rarity: dict[int, float], number_of: dict[int, int]) -> _Row:
    length = features.length(len(example.buckets))
    counts = Counter(example.buckets)
    values = [count * rarity[bucket] / length for bucket, count in counts.items()]
    square = 1 + sum(value * value for value in values)
    sign = 1.0 if example.crisis else -1.0
    return _Row([number_of[bucket] for bucket in counts], values, sign, 0.5 / example.cost, square)
