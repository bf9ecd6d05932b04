"""What the second reader counts in a text: pieces of its words and runs of its words, each hashed to a bucket."""

from collections.abc import Sequence
from itertools import pairwise
from zlib import crc32

BUCKETS = 1 << 17
_MASK = BUCKETS - 1
_PIECES, _RUNS, _SKIPS = 1, 2, 3  # where each kind's hash begins, so that they do not meet


def of_word(word: str) -> list[int]:
    """Return the buckets of the pieces of 2-5 letters of one word, its ends marked."""
    marked = f"<{word}>".encode()
    length = len(marked)
    return [
        crc32(marked[begin : begin + size], _PIECES) & _MASK
        for size in (2, 3, 4, 5)
        for begin in range(length - size + 1)
    ]


def of_runs(words: Sequence[str]) -> list[int]:
    """Return the buckets of runs of 1-3 words, and of pairs with one word between; both ends of the text are words."""
    if not words:
        return []
    ended = ["^", *words, "$"]
    pairs = [f"{first} {second}" for first, second in pairwise(ended)]
    triples = [f"{pair} {third}" for pair, third in zip(pairs, ended[2:], strict=False)]
    skips = [f"{first} {third}" for first, third in zip(ended, ended[2:], strict=False)]
    runs = [crc32(run.encode(), _RUNS) & _MASK for run in (*words, *pairs, *triples)]
    return runs + [crc32(skip.encode(), _SKIPS) & _MASK for skip in skips]


def of(words: Sequence[str]) -> list[int]:
    """Return all buckets of a text's words, one as often as it occurs."""
    return [bucket for word in words for bucket in of_word(word)] + of_runs(words)
