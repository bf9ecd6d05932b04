"""Common words of the training text, and those that are nearly always of one language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from messaging.reading import folding
from messaging.reading.likeness.words import Vocabulary, words
from tools.reading.corpus_files import Line

COMMONEST, FEWEST = 4_000, 3  # words, and how often each must stand there
OF_ONE_LANGUAGE = 12  # times as frequent as in the other
_SHORTEST = 2
_OF_ONE_LETTER = ("i", "a", "y", "o", "e", "q")


def common(lines: Sequence[Line]) -> list[str]:
    """Return the commonest words by number of hands and of lines, the commonest first."""
    counted: Counter[str] = Counter()
    hands: dict[str, set[str]] = {}
    for line in lines:
        for word in folding.plain(line.text).split():
            if word.isalpha() and word.isascii() and (len(word) >= _SHORTEST or word in _OF_ONE_LETTER):
                counted[word] += 1
                hands.setdefault(word, set()).add(line.hand)
    often = [word for word, count in counted.items() if count >= FEWEST and len(hands[word]) > 1]
    return sorted(often, key=lambda word: (-counted[word], word))[:COMMONEST]


def lexicon(lines: Sequence[Line], vocabulary: Vocabulary) -> dict[str, str]:
    """Return {"english": words, "spanish": words}, each a string of folded words between spaces."""
    counts = {
        language: Counter(
            word for line in lines if line.language == language for word in set(words(line.text, vocabulary))
        )
        for language in ("en", "es")
    }
    return {
        name: " ".join(
            word
            for word, count in sorted(counts[own].items())
            if count >= FEWEST and word.isalpha() and count >= OF_ONE_LANGUAGE * counts[other][word]
        )
        for name, own, other in (("english", "en", "es"), ("spanish", "es", "en"))
    }
