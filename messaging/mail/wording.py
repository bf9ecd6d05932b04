"""What a mail to a colleague says, by kind and language. Pure: the same facts make the same words, and none is PHI."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "es")
# All that may ever stand in a mail beside our own words: addresses of ours, and counts.
PLACES = frozenset({"link", "preferences", "waiting", "late"})


@dataclass(frozen=True)
class Words:
    """A mail in words: a subject of one line, and a body of plain text."""

    subject: str
    body: str


@cache
def _texts() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("messaging").joinpath("texts/mail.toml").read_text("utf-8"))


def kinds() -> list[str]:
    """Return every kind of mail there is."""
    return [kind for kind in _texts()["en"] if kind != "closing"]


def say(kind: str, language: str, **filled: str | int) -> Words:
    """Return the mail of a kind in `language`, or in English where we have no other.

    `filled` is some of PLACES. Raises KeyError for a place that is not filled, ValueError for one there is not.
    """
    if not filled.keys() <= PLACES:
        raise ValueError(f"no place in a mail: {sorted(filled.keys() - PLACES)}")
    texts = _texts()[language if language in LANGUAGES else "en"]
    body = f"{texts[kind]['says']}\n{texts['closing']}".format(**filled)
    return Words(texts[kind]["subject"], body)


def language_of(languages: list[str]) -> str:
    """Return the language to write to a colleague in: the first of theirs that we speak."""
    return next((language for language in languages if language in LANGUAGES), "en")
