"""Fits the weights: a linear separator by dual coordinate descent, in plain arithmetic that is the same everywhere.

Only sums, products, quotients and square roots of 64-bit floats in a fixed order: no exponential, no parallel sum and
no library, so that each machine arrives at the same bits. The method is Hsieh et al., "A dual coordinate descent method
for large-scale linear SVM" (ICML 2008), with squared hinge loss and a cost for each text.
"""

from __future__ import annotations

import math
import random
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from messaging.reading.likeness import features

ROUNDS = 12


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
        return self.bias + sum(map(self.weights.__getitem__, buckets)) / math.sqrt(len(buckets) or 1)


def fit(examples: Sequence[Example], rounds: int = ROUNDS, seed: int = 13) -> Separator:
    """Return the separator of `examples`; the same for the same examples in the same order."""
    weights, bias = array("d", bytes(8 * features.BUCKETS)), 0.0
    alphas = [0.0] * len(examples)
    roots = [math.sqrt(len(example.buckets) or 1) for example in examples]
    squares = [_square(example) for example in examples]
    order, shuffle = list(range(len(examples))), random.Random(seed).shuffle
    for _ in range(rounds):
        shuffle(order)
        for place in order:
            example, root = examples[place], roots[place]
            sign, soft = (1.0 if example.crisis else -1.0), 0.5 / example.cost
            margin = bias + sum(map(weights.__getitem__, example.buckets)) / root
            gradient = sign * margin - 1 + soft * alphas[place]
            alpha = max(alphas[place] - gradient / (squares[place] + soft), 0.0)
            step = (alpha - alphas[place]) * sign
            if step:
                alphas[place] = alpha
                bias += step
                step /= root
                for bucket in example.buckets:
                    weights[bucket] += step
    return Separator(weights, bias)


def _square(example: Example) -> float:
    """The squared length of a text's vector, its bias among it."""
    counts = Counter(example.buckets).values()
    return 1 + sum(count * count for count in counts) / (len(example.buckets) or 1)
