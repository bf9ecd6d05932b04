"""Replies read per second on one core, against a floor that only lower-cases and splits the same texts."""

import time
import tomllib
from collections.abc import Callable
from pathlib import Path

from messaging.reading import read_reply

CORPUS = Path("tests/messaging/replies")
WANTED = 10_000
ROUNDS = 5


def measure() -> str:
    """Read every sentence of the corpus some times over, take the best round; return the line that tells."""
    texts = _texts()
    ours, floor = _rate(read_reply.read, texts), _rate(_split, texts)
    verdict = "ok" if ours >= WANTED else "TOO SLOW"
    return (
        f"reading: {ours:,.0f} replies a second on one core ({len(texts)} different ones, best of {ROUNDS}); "
        f"floor (casefold and split) {floor:,.0f}/s, ratio {ours / floor:.4f}; wanted {WANTED:,}: {verdict}"
    )


def _texts() -> list[str]:
    kinds = [
        kind
        for path in sorted(CORPUS.glob("*.toml"))
        for kind in tomllib.loads(path.read_text(encoding="utf-8"))["kind"]
    ]
    return [text for kind in kinds for text in kind["texts"]]


def _split(text: str) -> list[str]:
    return text.casefold().split()


def _rate(read: Callable[[str], object], texts: list[str]) -> float:
    read(texts[0])  # the rules are loaded at the first
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        for text in texts:
            read(text)
        best = max(best, len(texts) / (time.process_time() - began))
    return best
