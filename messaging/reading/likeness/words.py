"""The words of a text as the second reader sees them: folded, letters that stand apart joined, run-on words parted."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from messaging.reading import folding

LONGEST_WORD = 24  # letters; what is longer has none of its own
SHORTEST_RUN_ON, LONGEST_RUN_ON = 7, 300
_LETTERS_APART = re.compile(r"(?<![^ ])(?:[a-z] ){2,}[a-z](?![^ ])")
_DIGIT = re.compile(r"\d")
# After these an emoji stands for a verb ("i want to 💀"); elsewhere it is most often laughter.
_ASKS_FOR_A_VERB = frozenset(
    ["to", "wanna", "gonna", "gotta", "ima", "quiero", "quisiera", "voy", "a", "me", "must", "might", "should", "i"]
)


@dataclass(frozen=True)
class Vocabulary:
    """Common words by their rank (0 is the commonest), by which run-on words are parted."""

    ranks: Mapping[str, int]

    def part(self, word: str) -> list[str]:
        """Return the common words that `word` runs together, or `word` alone where it is one or none fit."""
        if not SHORTEST_RUN_ON <= len(word) <= LONGEST_RUN_ON or word in self.ranks:
            return [word]
        return self._cheapest(word) or [word]

    def _cheapest(self, word: str) -> list[str]:
        """The way through `word` by common words that costs least: few words, and common ones."""
        ways: list[tuple[int, list[str]] | None] = [(0, []), *[None] * len(word)]
        for end in range(1, len(word) + 1):
            for begin in range(max(0, end - LONGEST_WORD), end):
                way, rank = ways[begin], self.ranks.get(word[begin:end])
                if way is not None and rank is not None:
                    cost = way[0] + 8 + rank.bit_length() + (12 if end - begin == 1 else 0)
                    known = ways[end]
                    if known is None or cost < known[0]:
                        ways[end] = (cost, [*way[1], word[begin:end]])
        found = ways[-1]
        return found[1] if found is not None and found[0] < 7 * len(word) else []


def words(text: str, vocabulary: Vocabulary) -> list[str]:
    """Return the folded words of `text`, digits as 0; never raises, whatever the characters."""
    plain = folding.plain(_draw(folding.ends(text)))
    joined = _LETTERS_APART.sub(lambda run: run[0].replace(" ", ""), plain)
    parted = [part for word in joined.split() for part in vocabulary.part(word)]
    folded = folding.squeeze(folding.contract(" ".join(parted)))
    return _DIGIT.sub("0", folded).split()


def _draw(text: str) -> str:
    """Write emoji that stand for a word as that word."""
    if text.isascii():
        return text
    drawn = _drawn_words()
    return drawn.pattern.sub(lambda run: drawn.word(run, text), text)


@dataclass(frozen=True)
class _Drawn:
    pattern: re.Pattern[str]
    words: Mapping[str, str]

    def word(self, run: re.Match[str], text: str) -> str:
        word = self.words[run[0]]
        before = text[: run.start()].split()
        if word == "die" and not (before and folding.plain(before[-1]) in _ASKS_FOR_A_VERB):
            return " skull "
        return f" {word} "


@cache
def _drawn_words() -> _Drawn:
    source = resources.files("messaging").joinpath("texts", "reading", "characters.toml")
    words = tomllib.loads(source.read_text(encoding="utf-8"))["drawn_words"]
    return _Drawn(re.compile("|".join(map(re.escape, words))), words)
