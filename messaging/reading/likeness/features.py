"""What the second reader counts in a text: pieces of its words and pairs of its words, each hashed to a bucket."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from zlib import crc32

BUCKETS = 1 << 20
_MASK = BUCKETS - 1
_PIECE = 4  # letters
_CAUTION = 40  # buckets that a text is counted longer: a few words are little evidence
_PIECES, _WORDS, _SKIPS, _STEMS = 1, 2, 3, 4  # where each kind's hash begins, so that they do not meet


def of_word(word: str) -> list[int]:
    """Return the buckets of one word and of its pieces of four letters, its ends marked."""
    marked = f"<{word}>".encode()
    pieces = [marked[begin : begin + _PIECE] for begin in range(max(1, len(marked) - _PIECE + 1))]
    return [*_buckets(pieces, _PIECES), *_buckets([word.encode()], _WORDS)]


def of_pairs(words: Sequence[str]) -> list[int]:
    """Return the buckets of neighbours, of their first four letters, and of words with one between.

    The beginning and the end of the text count as words.
    """
    if not words:
        return []
    encoded = [b"^", *(word.encode() for word in words), b"$"]
    pairs = [first + b" " + second for first, second in pairwise(encoded)]
    skips = [first + b" " + third for first, third in zip(encoded, encoded[2:], strict=False)]
    stems = [first[:_PIECE] + b" " + second[:_PIECE] for first, second in pairwise(encoded[1:-1])]
    return [*_buckets(pairs, _WORDS), *_buckets(skips, _SKIPS), *_buckets(stems, _STEMS)]


def of(words: Sequence[str]) -> list[int]:
    """Return all buckets of a text's words, one as often as it occurs."""
    return [bucket for word in words for bucket in of_word(word)] + of_pairs(words)


def length(count: int) -> float:
    """Return what the sum over `count` buckets is divided by."""
    return math.sqrt(count + _CAUTION)


def _buckets(of: Iterable[bytes], kind: int) -> list[int]:
    return [crc32(piece, kind) & _MASK for piece in of]
