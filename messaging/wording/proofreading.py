"""Reads a text that a colleague has typed before it leaves: what it may not carry, and how it would cost less."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from importlib import resources

from messaging.wording import text_templates
from messaging.wording.text_templates import Problem

# Space that no reader sees at the ends of a text; what else counts as space, wording.smart has already replaced.
ENDS = " \t\n\r\f\v"
_GAP = re.compile(r"\{([a-z_]+)\}")
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def tidy(typed: str) -> str:
    """Return what would be sent for what was typed: cheap characters, one kind of line end, nothing at the ends."""
    return text_templates.smart(typed.replace("\r\n", "\n").replace("\r", "\n")).strip(ENDS)


def proof(text: str, withheld: Iterable[str] = ()) -> list[Problem]:
    """Find what a colleague's text may not carry, in reading order: see wording.lint, and two rules more.

    `gap`: a variable that nothing was filled into. `name`: one of the `withheld` names, where several people share
    the phone (45 CFR 164.502(b), minimum necessary). An empty list means that it may leave.
    """
    problems = [*text_templates.lint(text), *_gaps(text), *_names(text, withheld)]
    return sorted(problems, key=lambda problem: (problem.start, problem.end, problem.rule))


def _gaps(text: str) -> list[Problem]:
    return [
        Problem("gap", match[0], match.start(), match.end(), "has no value here")
        for match in _GAP.finditer(text)
        if match[1] in text_templates.VARIABLES
    ]


def strange_places(text: str, known: Collection[str], message: str) -> Iterator[Problem]:
    """Find places that nobody fills in: those that are not `known`."""
    for name, start, end in text_templates.places(text):
        if name is not None and name not in known:
            yield Problem("place", text[start:end], start, end, message)


def _names(text: str, withheld: Iterable[str]) -> list[Problem]:
    names = {_folded(part) for name in withheld for part in re.split(r"[\s-]+", name) if len(part) > 1}
    return [
        Problem("name", match[0], match.start(), match.end(), "names somebody, and several people read this phone")
        for match in _WORD.finditer(text)
        if _tells(match[0], names)
    ]


def _tells(word: str, names: set[str]) -> bool:
    """Whether a word is one of the names, or is built with one: "Teresa's", "Garcia-Lopez"."""
    parts = {_folded(part) for part in re.split(r"['’-]", word)} | {_folded(word)}
    names_in_it = parts & names
    # "will", "joy", "mark" in small letters are words of the language and not somebody's name.
    return bool(names_in_it) and (not word.islower() or bool(names_in_it - _ordinary()))


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


@cache
def _ordinary() -> frozenset[str]:
    data = resources.files("messaging").joinpath("texts", "ordinary_names.toml").read_text(encoding="utf-8")
    return frozenset(word for words in tomllib.loads(data).values() for word in words)


def plainer(text: str) -> str:
    """Return the text with letters of the cheap alphabet for those that make every part of it shorter: "á" as "a"."""
    costly = set(text_templates.segments(text).costly)
    return "".join(_plain_letter(character) if character in costly else character for character in text)


def _plain_letter(letter: str) -> str:
    bare = "".join(
        character for character in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(character)
    )
    return bare if bare and not text_templates.segments(bare).costly else letter
