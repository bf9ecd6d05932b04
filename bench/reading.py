"""Replies read per second on one core by the rules and by both readers, against a floor that only lower-cases and
splits the same texts; and the memory that the second reader takes."""

import subprocess
import sys
import time
import tomllib
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from messaging.reading import likeness, read_reply

CORPUS = Path("tests/messaging/replies")
WANTED, WANTED_OF_BOTH = 10_000, 5_000
WANTED_MEGABYTES = 20.0
ROUNDS = 5


def measure() -> str:
    """Read every sentence of the corpus some times over, take the best round; return the line that tells."""
    texts = _texts()
    ours, floor = _rate(read_reply.read, texts), _rate(_split, texts)
    both, megabytes = _rate(_by_both, texts), _memory()
    verdict = "ok" if ours >= WANTED and both >= WANTED_OF_BOTH else "TOO SLOW"
    verdict += "" if megabytes <= WANTED_MEGABYTES else ", TOO LARGE"
    return (
        f"reading: {ours:,.0f} replies a second on one core ({len(texts)} different ones, best of {ROUNDS}); "
        f"floor (casefold and split) {floor:,.0f}/s, ratio {ours / floor:.4f}; wanted {WANTED:,}; "
        f"with the second reader {both:,.0f}/s, wanted {WANTED_OF_BOTH:,}; "
        f"its memory {megabytes:.1f} MB, wanted at most {WANTED_MEGABYTES:.0f}: {verdict}"
    )


def _texts() -> list[str]:
    kinds = [
        kind
        for path in sorted(CORPUS.glob("*.toml"))
        for kind in tomllib.loads(path.read_text(encoding="utf-8"))["kind"]
    ]
    return [text for kind in kinds for text in kind["texts"]]


def _by_both(text: str) -> None:
    read_reply.read(text)
    likeness.read(text)


def _memory() -> float:
    """What the second reader holds in a process of its own, in megabytes."""
    told = subprocess.run(
        [sys.executable, "-c", "from bench import reading; print(reading.held())"],
        capture_output=True,
        check=True,
        text=True,
    )
    return float(told.stdout)


def held() -> float:
    """Return the megabytes that are held once every text was read and a line was asked for."""
    texts = _texts()
    tracemalloc.start()
    for text in texts:
        likeness.read(text)
    likeness.nearest(texts[0])
    return tracemalloc.get_traced_memory()[0] / 1e6


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
