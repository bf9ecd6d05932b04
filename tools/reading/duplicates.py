"""Lines of the training text that stand in a test set too, word for word or nearly so."""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from messaging.reading import folding
from tools.reading import corpus_files
from tools.reading.corpus_files import Line

REPLIES = Path(__file__).parents[2] / "tests" / "messaging" / "replies"
SHORT = 4  # words: "yes thank you" is everybody's; shorter texts are no duplicates
NEAR = 0.7  # share of three-letter pieces in common (Jaccard)


def of_test_sets(lines: Sequence[Line], corpus: Path = corpus_files.CORPUS, replies: Path = REPLIES) -> list[Line]:
    """Return those of `lines` that are, or nearly are, a text of dev, sealed or the sets of the rules."""
    tests = [pieces for text in _tests(corpus, replies) if (pieces := _pieces(text))]
    held_by: defaultdict[str, list[int]] = defaultdict(list)
    for place, pieces in enumerate(tests):
        for piece in pieces:
            held_by[piece].append(place)
    return [line for line in lines if _is_near(_pieces(line.text), tests, held_by)]


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
    """The three-letter pieces of a text's folded words; none of one too short to tell."""
    words = folding.fold(text)
    if words.count(" ") < SHORT - 1:
        return frozenset()
    return frozenset(words[place : place + 3] for place in range(len(words) - 2))


def _is_near(pieces: frozenset[str], tests: Sequence[frozenset[str]], held_by: dict[str, list[int]]) -> bool:
    """Whether some test text shares enough: it then holds one of the rarest pieces, so only those are compared."""
    must_share = len(pieces) - int(NEAR * len(pieces)) + 1
    rarest = sorted(pieces, key=lambda piece: (len(held_by.get(piece, ())), piece))[:must_share]
    places = {place for piece in rarest for place in held_by.get(piece, ())}
    return any(len(pieces & tests[place]) >= NEAR * len(pieces | tests[place]) for place in places)
