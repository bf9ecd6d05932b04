"""Whether a text speaks of alcohol or drugs, by the rules of texts/reading/substance_use.toml. Pure."""

import re
from dataclasses import dataclass
from functools import cache

from messaging.reading import folding, rulebook
from messaging.reading.phrases import Phrasebook

_LABEL = "substance_use"


@dataclass(frozen=True)
class _Rules:
    book: Phrasebook
    exceptions: Phrasebook
    as_typed: re.Pattern[str]


@cache
def _rules() -> _Rules:
    file = rulebook.read_file(_LABEL)
    typed = "|".join(map(re.escape, file["as_typed"]))
    made = _Rules(Phrasebook(), Phrasebook(), re.compile(rf"(?<!\w)(?:{typed})(?!\w)", re.IGNORECASE))
    made.book.add(_LABEL, file["phrases"], {})
    made.exceptions.add(_LABEL, file["except"], {})
    return made


def is_spoken_of(text: str) -> bool:
    """Whether a text, in English or Spanish, speaks of alcohol or drugs: rather once too often than once too rarely."""
    rules = _rules()
    words = rules.exceptions.without(folding.join_letters(folding.fold(text)))
    return bool(rules.book.labels(words) or rules.as_typed.search(text))
