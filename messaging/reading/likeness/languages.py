"""Which language the words of a text are in: English, Spanish, or both mixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "es", "mixed"]


@dataclass(frozen=True)
class Lexicon:
    """Words that are nearly always of one language."""

    english: frozenset[str]
    spanish: frozenset[str]

    def guess(self, words: Sequence[str], registered: str | None) -> Language:
        """Return the language of `words`; `registered` decides only where they do not say."""
        english = sum(word in self.english for word in words)
        spanish = sum(word in self.spanish for word in words)
        if min(english, spanish) >= 2 and 4 * min(english, spanish) >= max(english, spanish):
            return "mixed"
        if english == spanish:
            return "es" if registered == "es" else "en"
        return "en" if english > spanish else "es"
