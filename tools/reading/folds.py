"""Out-of-fold scores: each text is scored by weights that saw no line of its hand."""

from __future__ import annotations

from collections.abc import Sequence

from tools.reading import training
from tools.reading.corpus_files import Line

FOLDS = 4


def margins(lines: Sequence[Line], examples: Sequence[training.Example], folds: int = FOLDS) -> list[float]:
    """Return the margin of each line by the separator of the folds that its hand is not in, in the order of `lines`."""
    fold_of = {hand: place % folds for place, hand in enumerate(sorted({line.hand for line in lines}))}
    out = [0.0] * len(lines)
    for fold in range(folds):
        rest = [example for line, example in zip(lines, examples, strict=True) if fold_of[line.hand] != fold]
        separator = training.fit(rest)
        for place, line in enumerate(lines):
            if fold_of[line.hand] == fold:
                out[place] = separator.margin(examples[place].buckets)
    return out
