"""Folds what people type into plain lower-case words, so that one rule reads every spelling of it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

LONGEST = 4_800  # characters; three times what a carrier brings in one text
_HEAD = 3_200
_MARKS = frozenset({"Mn", "Me", "Mc", "Cf", "Sk"})
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]+")
_LETTER_RUN = re.compile(r"([^\W\d_])\1+")
_LETTERS_APART = re.compile(r"(?<![^ ])(?:[a-z] ){2,}[a-z](?![^ ])")
_MASKED = re.compile(r"(?<=[a-z])\*+(?=[a-z])")


@dataclass(frozen=True)
class _Characters:
    lookalikes: dict[int, str]
    pictures: dict[int, str]
    apostrophes: re.Pattern[str]
    leet: dict[int, str]
    disguised: re.Pattern[str]
    contractions: dict[str, str]
    contracted: re.Pattern[str]
    openers: frozenset[str]


@cache
def _characters() -> _Characters:
    source = resources.files("messaging").joinpath("texts", "reading", "characters.toml")
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    signs = "".join(data["leet"])
    in_class = re.escape(signs)
    return _Characters(
        lookalikes={ord(sign): letter for sign, letter in data["lookalikes"].items()},
        pictures={ord(picture): f" {word} " for picture, word in data["pictures"].items()},
        apostrophes=re.compile(rf"(?<=\w)[{re.escape(data['apostrophes']['all'])}](?=\w)"),
        leet={ord(sign): letter for sign, letter in data["leet"].items()},
        disguised=re.compile(rf"(?<![^\s])(?:[$@5][a-z]|[a-z]+[{in_class}]+[a-z])[a-z{in_class}]*"),
        contractions=data["contractions"],
        contracted=re.compile(rf"\b(?:{'|'.join(map(re.escape, data['contractions']))})\b"),
        openers=frozenset(written.split(" ")[0] for written in data["contractions"]),
    )


def ends(text: str) -> str:
    """Return ``text``, or the beginning and the end of one longer than ``LONGEST``, so that no text is slow to read."""
    return text if len(text) <= LONGEST else f"{text[:_HEAD]} {text[_HEAD - LONGEST + 1 :]}"


def fold(text: str) -> str:
    """Return the words of ``text``, folded and separated by one space; never raises, whatever the characters.

    Case, accents, width, invisible characters, look-alikes of other scripts, punctuation and emoji without meaning go
    away; "su1c1de" and "s*icide" are undone; a letter repeated is written once ("kiiill" and "kill" are both "kil").
    The same folding is applied to the phrases of the rules, so both sides always meet.
    """
    return squeeze(plain(text))


def plain(text: str) -> str:
    """Return the words of ``text`` as ``fold`` does, keeping letters as often as they were typed."""
    characters = _characters()
    lowered = (text if text.isprintable() else _UNPRINTABLE.sub(" ", text)).casefold()
    if not lowered.isascii():
        lowered = _to_latin(lowered.translate(characters.pictures), characters)
    if lowered.replace(" ", "").isalpha():  # most texts: nothing is left to undo
        return _contract_some(lowered.split())
    lowered = characters.apostrophes.sub("", lowered)
    lowered = _MASKED.sub("", lowered)
    lowered = characters.disguised.sub(lambda word: word[0].translate(characters.leet), lowered)
    return _contract_some(_WORD.findall(lowered))


def _contract_some(words: list[str]) -> str:
    joined = " ".join(words)
    return joined if _characters().openers.isdisjoint(words) else contract(joined)


def contract(words: str) -> str:
    """Write "do not" as "dont", and other forms of one expression alike; reads lower-case words."""
    characters = _characters()
    return characters.contracted.sub(lambda match: characters.contractions[match[0]], words)


def squeeze(words: str) -> str:
    """Write each run of one letter once; digits keep their number (911 stays 911)."""
    return _LETTER_RUN.sub(r"\1", words)


def join_letters(words: str) -> str:
    """Write letters that stand apart as the word they spell ("s t o p"); reads folded words."""
    return _LETTERS_APART.sub(lambda run: squeeze(run[0].replace(" ", "")), words)


def _to_latin(text: str, characters: _Characters) -> str:
    spread = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(c for c in spread if unicodedata.category(c) not in _MARKS)
    return ends(kept.translate(characters.lookalikes))  # one sign may spread into eighteen letters


class Spelling:
    """Mends one wrong, missing, added or swapped letter in words that matter, by the letters left without it."""

    def __init__(self, right: list[str], leave: list[str]) -> None:
        folded = [fold(word) for word in right]
        self._known = {*folded, *map(fold, leave)}
        self._by_less = {less: word for word in reversed(folded) for less in (word, *_one_less(word))}
        self._shortest = min(map(len, folded))
        self._longest = max(map(len, folded))

    def mend(self, words: str) -> str:
        """Return ``words`` with every word near a listed one replaced by it."""
        if len(words) < self._shortest - 1:
            return words
        shortest, longest, known = self._shortest - 1, self._longest + 1, self._known
        return " ".join(
            [
                word if not shortest <= len(word) <= longest or word in known else self._mend_one(word)
                for word in words.split(" ")
            ]
        )

    def _mend_one(self, word: str) -> str:
        by_less = self._by_less
        if word in by_less:
            return by_less[word]
        for less in _one_less(word):
            if less in by_less:
                return by_less[less]
        return word


def _one_less(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]
