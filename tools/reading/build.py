"""Makes the second reader's files from the invented texts: weights, thresholds, canaries and lines to show."""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from messaging.reading.likeness import features, model
from messaging.reading.likeness.model import Model
from messaging.reading.likeness.reading import LINES
from messaging.reading.likeness.words import Vocabulary, words
from tools.reading import corpus_files, folds, thresholds, training, vocabulary
from tools.reading.corpus_files import Line

VERSION = "2026-11-30.4"
STEEPNESS = 3.0  # of the curve that makes a margin a score
CANARIES = 50
COST = 3.0  # of a mistake about a text, against the size of the weights
_LONGEST_SHOWN = 160


@dataclass(frozen=True)
class Built:
    """The bytes of the reader's files."""

    facts: bytes
    weights: bytes
    lines: bytes

    def write(self, folder: Path) -> None:
        """Write them into `folder`."""
        (folder / model.FACTS).write_bytes(model.pinned(self.facts, self.weights) + b"\n" + self.facts)
        (folder / model.WEIGHTS).write_bytes(self.weights)
        (folder / LINES).write_bytes(self.lines)


def build(corpus: Path = corpus_files.CORPUS) -> Built:
    """Return the reader made of the texts in `corpus`: the same bytes for the same texts."""
    lines = training_lines(corpus)
    common = vocabulary.common(lines)
    known = Vocabulary({word: rank for rank, word in enumerate(common)})
    examples = [_example(line, known) for line in lines]
    separator = training.fit(examples)
    step, weights = quantised(separator.weights)
    scores = [score(margin) for margin in folds.margins(lines, examples)]
    facts: dict[str, Any] = {
        "version": VERSION,
        "trained_on": provenance(corpus),
        "weights": {"scale": STEEPNESS * step, "bias": STEEPNESS * separator.bias},
        "thresholds": thresholds.of_languages(lines, scores),
        "lexicon": vocabulary.lexicon(lines, known),
        "vocabulary": {"words": " ".join(common)},
        "canary": [],
    }
    facts["canary"] = _canaries(facts, weights, lines)
    shown = [line.text for line in lines if line.crisis and len(line.text) <= _LONGEST_SHOWN]
    return Built(tomli_w.dumps(facts).encode(), weights, ("\n".join(shown) + "\n").encode())


def training_lines(corpus: Path) -> list[Line]:
    """Return what the reader learns from."""
    return corpus_files.load("train", corpus) + corpus_files.load("everyday", corpus)


def provenance(corpus: Path) -> str:
    """Return the digest of the training text: names and bytes of its files."""
    digest = hashlib.sha256()
    for part in ("everyday", "train"):
        for path in sorted((corpus / part).glob("*.txt")):
            digest.update(f"{part}/{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def quantised(weights: Sequence[float]) -> tuple[float, bytes]:
    """Return the size of a step, and the weights in whole steps of a byte each."""
    step = max(map(abs, weights)) / 127 or 1.0
    return step, array("b", [round(weight / step) for weight in weights]).tobytes()


def score(margin: float) -> float:
    """Return the score of a margin."""
    return 1 / (1 + math.exp(-STEEPNESS * margin))


def _example(line: Line, known: Vocabulary) -> training.Example:
    return training.Example(features.of(words(line.text, known)), line.crisis, COST)


def _canaries(facts: dict[str, Any], weights: bytes, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Fifty lines, half of them crises, chosen by their digest, with their scores."""
    reader = model.of(facts, weights)
    chosen = sorted(lines, key=lambda line: hashlib.sha256(line.text.encode()).digest())
    half = CANARIES // 2
    crises, ordinary = [[line.text for line in chosen if line.crisis is crisis][:half] for crisis in (True, False)]
    return [{"text": text, "score": round(_score(reader, text), 6)} for text in (*crises, *ordinary)]


def _score(reader: Model, text: str) -> float:
    return reader.score(reader.words(text))
