"""Takes out of a text ready-made sentences of phones and networks, such as "driving" or "out of the office". Pure."""

import re
import tomllib
from functools import cache
from importlib import resources

from messaging.reading import folding, phrases

_SENTENCE_END = re.compile(r"(?<=[.!?…:)])\s+|[\r\n]+|\s+[-–—|]\s+")
_SHORTEST, _LONGEST = 11, 700  # characters of a robot's text


def rest(text: str) -> str | None:
    """Return what of `text` is no robot's ("" where all of it is), or None where no robot speaks in it."""
    if not _SHORTEST <= len(text) <= _LONGEST:
        return None
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    labels = [_book().labels(folding.fold(sentence)) for sentence in sentences]
    if not any("says" in sentence_labels for sentence_labels in labels):
        # Some answers are two sentences that only together are a phone's.
        whole = len(sentences) > 1 and "says" in _book().labels(folding.fold(text))
        return "" if whole else None
    return " ".join(
        sentence for sentence, sentence_labels in zip(sentences, labels, strict=True) if not sentence_labels
    )


@cache
def _book() -> phrases.Phrasebook:
    source = resources.files("messaging").joinpath("texts", "reading", "phones.toml")
    robots = tomllib.loads(source.read_text(encoding="utf-8"))["robots"]
    book = phrases.Phrasebook()
    for label in ("says", "adds"):
        book.add(label, robots[label], robots["words"])
    return book
