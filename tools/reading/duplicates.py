"""Lines of the training text that stand in a test set too, word for word or nearly so."""

from __future__ import annotations

import math
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from messaging.reading import folding
from tools.reading import corpus_files
from tools.reading.corpus_files import Line

REPLIES = Path(__file__).parents[2] / "tests" / "messaging" / "replies"
SHORT = 4  # words: "yes thank you" is everybody's; shorter texts are no duplicates
NEAR, _LETTERS = 0.55, 5  # share of pieces of five letters in common (Jaccard)


def of_test_sets(lines: Sequence[Line], corpus: Path = corpus_files.CORPUS, replies: Path = REPLIES) -> list[Line]:
    """Return those of `lines` that are, or nearly are, a text of dev, sealed or the sets of the rules."""
    tests = _Tests([pieces for text in _tests(corpus, replies) if (pieces := _pieces(text))])
    return [line for line in lines if tests.hold(_pieces(line.text))]


class _Tests:
    """Texts by their rarest pieces: two that share enough of all share one of these, so only such are compared."""

    def __init__(self, tests: Sequence[frozenset[str]]) -> None:
        self._holding = Counter(piece for pieces in tests for piece in pieces)
        self._by_rarest: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
        for pieces in tests:
            for piece in self._rarest(pieces):
                self._by_rarest[piece].append(pieces)

    def _rarest(self, pieces: frozenset[str]) -> list[str]:
        may_differ = len(pieces) - math.ceil(NEAR * len(pieces))
        return sorted(pieces, key=lambda piece: (self._holding[piece], piece))[: may_differ + 1] if pieces else []

    def hold(self, pieces: frozenset[str]) -> bool:
        """Whether some text shares NEAR of all pieces with these."""
        least, most = NEAR * len(pieces), len(pieces) / NEAR
        return any(
            least <= len(test) <= most and _alike(pieces, test)
            for piece in self._rarest(pieces)
            for test in self._by_rarest.get(piece, ())
        )


def _alike(pieces: frozenset[str], test: frozenset[str]) -> bool:
    shared = len(pieces & test)
    return shared >= NEAR * (len(pieces) + len(test) - shared)


def twice(lines: Iterable[Line]) -> list[Line]:
    """Return those of `lines` whose folded words an earlier one has."""
    seen: set[str] = set()
    again = []
    for line in lines:
        words = folding.fold(line.text)
        if words in seen:
            again.append(line)
        seen.add(words)
    return again


def found(lines: Sequence[Line], corpus: Path = corpus_files.CORPUS) -> list[Line]:
    """Return those of `lines` that may not be learned from: of a test set, or said before."""
    return [*of_test_sets(lines, corpus), *twice(lines)]


def take_out(corpus: Path) -> dict[str, int]:
    """Rewrite the training files in `corpus` without such lines; return how many of each hand went."""
    lines = corpus_files.load("train", corpus) + corpus_files.load("everyday", corpus)
    tests, before = set(of_test_sets(lines, corpus)), set[str]()
    taken: Counter[str] = Counter()
    for path in [*sorted((corpus / "train").glob("*.txt")), *sorted((corpus / "everyday").glob("*.txt"))]:
        kept = []
        bad = {line.text for line in tests if line.hand == path.stem}
        for row in path.read_text(encoding="utf-8").splitlines():
            words = folding.fold(row)
            if not row.startswith("# ") and row.strip() and (row.strip() in bad or words in before):
                taken[path.stem] += 1
                continue
            before.add(words)
            kept.append(row)
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    return dict(taken)


def _tests(corpus: Path, replies: Path) -> Iterator[str]:
    for part in ("dev", "sealed"):
        yield from (line.text for line in corpus_files.load(part, corpus))
    for path in sorted(replies.glob("*.toml")):
        for kind in tomllib.loads(path.read_text(encoding="utf-8"))["kind"]:
            yield from kind["texts"]


def _pieces(text: str) -> frozenset[str]:
    """The pieces of a text's folded words; none of one too short to tell."""
    words = folding.fold(text)
    if words.count(" ") < SHORT - 1:
        return frozenset()
    return frozenset(words[place : place + _LETTERS] for place in range(len(words) - _LETTERS + 1))
