"""Finds listed phrases in folded words: the small pattern language of texts/reading/*.toml, and its index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from messaging.reading import folding

_KEY = 4  # letters of a word by which phrases are indexed
GONE = "#"  # stands where a phrase was taken out; no folded word is made of it
_ANY = "_"
_EVERYDAY = frozenset(
    [
        "dont",
        "want",
        "stop",
        "this",
        "that",
        "text",
        "have",
        "here",
        "with",
        "cant",
        "wont",
        "will",
        "can",
        "be",
        "the",
        "to",
        "not",
        "no",
        "i",
        "im",
        "me",
        "my",
        "it",
        "you",
        "of",
        "in",
        "on",
        "is",
        "quie",
        "esto",
        "esta",
        "este",
        "pued",
        "para",
        "no",
        "me",
        "mi",
        "que",
        "voy",
        "ya",
        "de",
        "la",
        "el",
        "los",
        "se",
        "le",
        "en",
        "con",
        "si",
        "teng",
        "conf",
        "canc",
    ]
)
_GAP = re.compile(r"\.\.(\d?)")


@dataclass(frozen=True)
class Phrase:
    """One listed phrase: its pattern's text, and for each word it must have the first letters that word can begin with.

    A word without a free ending must be there whole. The rarest of these, ``keys``, finds the phrase; the others save
    trying the pattern where it cannot occur.
    """

    pattern: str
    keys: frozenset[str]
    others: tuple[frozenset[str], ...]


class Phrasebook:
    """Lists of phrases, each under a label, looked for in folded words all at once.

    In a phrase, a space separates words; ``a|b`` are alternatives, ``a|b+c`` one of them of two words; ``word*`` has
    any ending; ``word?`` may be missing; ``_`` is any one word; ``..`` stands for up to three words and ``..5`` for up
    to five; ``<name>`` is a list of the file's own [words]; ``^`` at the start and ``$`` at the end hold the phrase to
    the start or end of the text.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, list[tuple[str, tuple[frozenset[str], ...], str]]] = {}

    def add(self, label: str, phrases: Iterable[str], words: Mapping[str, list[str]]) -> None:
        """Add ``phrases`` under ``label``.

        Raises ValueError for a phrase that cannot be found, KeyError for an unknown list.
        """
        for written in phrases:
            phrase = read_phrase(written, words)
            for key in phrase.keys:
                self._by_key.setdefault(key, []).append((label, phrase.others, phrase.pattern))

    def patterns(self) -> set[tuple[str, re.Pattern[str]]]:
        """Return every phrase's label and pattern, as the index holds them."""
        return {(label, _compiled(pattern)) for listed in self._by_key.values() for label, _, pattern in listed}

    def labels(self, words: str, label: str | None = None) -> frozenset[str]:
        """Return the labels of which some phrase occurs in ``words`` (folded, one space between).

        Asks only for one label, where one is given.
        """
        return frozenset([own for own, _ in self._found(words, label)])

    def without(self, words: str, label: str | None = None) -> str:
        """Return ``words`` with every occurrence taken out, a bar in its place; of one label, where one is given."""
        matches = [match for _, match in self._found(words, label)]
        if not matches:
            return words
        spaced = f" {words}"
        for match in sorted(matches, key=lambda match: (-len(match[0]), match.re.pattern)):
            spaced = match.re.sub(f" {GONE}", spaced)
        return spaced[1:]

    def _found(self, words: str, label: str | None = None) -> list[tuple[str, re.Match[str]]]:
        spaced = f" {words}"
        each = words.split(" ")
        # What a phrase may be found by: its words whole, or their first letters where the ending is free.
        there = {word[:_KEY] for word in each}
        there.update(each)
        absent = there.isdisjoint
        matches = []
        for key in self._by_key.keys() & there:
            for own, others, pattern in self._by_key[key]:
                if label is not None and own != label:
                    continue
                for other in others:
                    if absent(other):
                        break
                else:
                    match = _compiled(pattern).search(spaced)
                    if match:
                        matches.append((own, match))
        return matches


def spaced_out(phrases: Iterable[str]) -> re.Pattern[str]:
    """Compile plain phrases so that they are found with a space between any two letters, or with none at all."""
    return re.compile(f"(?:^| )(?:{'|'.join(map(_letters, phrases))})")


def _letters(written: str) -> str:
    runs = re.finditer(r"(.)\1*", folding.plain(written).replace(" ", ""))
    letters = [f"{run[1]}(?: ?{run[1]})?" if len(run[0]) > 1 else run[1] for run in runs]
    return " ?".join(letters) + ("" if written.endswith("*") else "(?= |$)")


def read_phrase(written: str, words: Mapping[str, list[str]]) -> Phrase:
    """Read one phrase as it is written.

    Raises ValueError for one without a word long enough to find it by, KeyError for an unknown list.
    """
    begins, ends = written.startswith("^"), written.endswith("$")
    slots = folding.contract(written.strip("^$").lower()).split()
    body, keys = "", []
    for slot in slots:
        gap = _GAP.fullmatch(slot)
        if gap:
            body += rf"(?: [^ ]+){{0,{gap[1] or 3}}}"
            continue
        optional = slot.endswith("?")
        choices = [choice for part in slot.rstrip("?").split("|") for choice in _choices(part, words)]
        alternatives = "|".join(dict.fromkeys(_pattern(choice) for choice in choices))
        body += rf"(?: (?:{alternatives}))?" if optional else rf" (?:{alternatives})"
        if not optional:
            keys.append(frozenset(_key(choice) for choice in choices))
    best: frozenset[str] = max(keys, key=_rarity, default=frozenset())
    if not best or "" in best:
        raise ValueError(f"{written!r} has no word of its own to find it by")
    start = "^" if begins else ""
    finish = "$" if ends else "(?= |$)"
    others = tuple(key for key in keys if key is not best and "" not in key)
    return Phrase(f"{start}{body}{finish}", best, others)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled when it is first asked: of thousands of phrases a process meets the words of few."""
    return re.compile(pattern)


def _choices(part: str, words: Mapping[str, list[str]]) -> list[str]:
    if part.startswith("<") and part.endswith(">"):
        return [_fold(choice) for choice in words[part[1:-1]]]
    return [_fold(part.replace("+", " "))]


@cache
def _fold(choice: str) -> str:
    if choice == _ANY:
        return _ANY
    return folding.fold(choice) + ("*" if choice.endswith("*") else "")


def _pattern(choice: str) -> str:
    if choice == _ANY:
        return "[^ ]+"
    return re.escape(choice[:-1]) + "[^ ]*" if choice.endswith("*") else re.escape(choice)


def _key(choice: str) -> str:
    """The longest word of a choice; its first letters, or none where they are too few, if its ending is free."""
    longest = max(choice.split(" "), key=len)
    if longest == _ANY or (longest.endswith("*") and len(longest) <= _KEY):
        return ""
    return longest[:-1][:_KEY] if longest.endswith("*") else longest


def _rarity(keys: frozenset[str]) -> tuple[bool, bool, int, int]:
    """Long words are rarer than short ones, one choice is rarer than many, and some words are in every other text."""
    starts = {key[:_KEY] for key in keys}
    return "" not in keys, starts.isdisjoint(_EVERYDAY), min(map(len, keys)), -len(keys)
