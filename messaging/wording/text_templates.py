"""Makes the texts we send to people: words, variables, cost in segments, and what they may not say."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from messaging.reading import carrier_keywords

LANGUAGES = ("en", "es")
VARIABLES = frozenset(
    {"first_name", "clinic", "clinic_phone", "day", "time", "date", "place", "link", "care_team", "codes"}
)

# GSM 03.38, the default alphabet; the escaped ones cost two septets (3GPP TS 23.038).
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = frozenset("€[]{}\\^~|\f")
_GSM_SINGLE, _GSM_PART = 160, 153
_UCS2_SINGLE, _UCS2_PART = 70, 67

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}|[{}]")


class BadTemplate(ValueError):
    """A template with an unknown variable, a variable without a value, or a stray brace; the message names it."""


@dataclass(frozen=True)
class Segments:
    """What a text costs: encoding "GSM-7" or "UCS-2", parts billed, units (septets or 16-bit), costly characters."""

    encoding: str
    segments: int
    units: int
    costly: tuple[str, ...]

    @property
    def room(self) -> int:
        """How many units the billed parts hold."""
        single, part = (_UCS2_SINGLE, _UCS2_PART) if self.encoding == "UCS-2" else (_GSM_SINGLE, _GSM_PART)
        return single if self.segments <= 1 else part * self.segments


@dataclass(frozen=True)
class Problem:
    """A word a text may not carry: the rule, the word as written, where it stands ([start, end)), and why."""

    rule: str
    word: str
    start: int
    end: int
    message: str


def segments(text: str) -> Segments:
    """Count the segments of ``text`` as carriers bill them; the empty text is 0 segments, since nothing is sent.

    Two-septet characters and surrogate pairs never straddle two parts.
    """
    costly = tuple(dict.fromkeys(c for c in text if c not in _GSM_BASIC and c not in _GSM_ESCAPED))
    if costly:
        sizes = [2 if ord(c) > 0xFFFF else 1 for c in text]
        return Segments("UCS-2", _parts(sizes, _UCS2_SINGLE, _UCS2_PART), sum(sizes), costly)
    sizes = [2 if c in _GSM_ESCAPED else 1 for c in text]
    return Segments("GSM-7", _parts(sizes, _GSM_SINGLE, _GSM_PART), sum(sizes), ())


def _parts(sizes: list[int], single: int, part: int) -> int:
    if not sizes:
        return 0
    if sum(sizes) <= single:
        return 1
    parts, used = 1, 0
    for size in sizes:
        if used + size > part:
            parts, used = parts + 1, 0
        used += size
    return parts


def smart(text: str) -> str:
    """Replace typographic quotes, dashes, spaces and ellipses by characters of the GSM-7 alphabet."""
    return text.translate(_smart_table())


@cache
def _smart_table() -> dict[int, str]:
    return {ord(character): plain for character, plain in _data("smart.toml")["replace"].items()}


def render(template: str, variables: Mapping[str, str]) -> str:
    """Fill the ``{name}`` places of ``template`` with ``variables``, literally and once; raises BadTemplate.

    Nothing else is interpreted: a value that looks like a place stays as it is. Control characters in values go away,
    and what doubles the price for its looks alone (the apostrophe of D’Angelo) is written plainly.
    """

    def fill(place: re.Match[str]) -> str:
        name = place[1]
        if name is None:
            raise BadTemplate(f"stray {place[0]!r} at position {place.start()}")
        if name not in VARIABLES:
            raise BadTemplate(f"unknown variable {name!r}")
        if name not in variables:
            raise BadTemplate(f"no value for {name!r}")
        return _plain(variables[name])

    return _PLACEHOLDER.sub(fill, template)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill in what has a value and leave everything else as it is: never raises, whatever was typed."""
    pieces, at = [], 0
    for name, start, end in places(template):
        if name in VARIABLES and name in values:
            pieces += [template[at:start], _plain(values[name])]
            at = end
    return "".join([*pieces, template[at:]])


def names(template: str) -> frozenset[str]:
    """Return the variables a template uses; raises BadTemplate as render does for what is not allowed."""
    variables = frozenset(match[1] for match in _PLACEHOLDER.finditer(template) if match[1])
    render(template, dict.fromkeys(variables, ""))
    return variables


def places(template: str) -> Iterator[tuple[str | None, int, int]]:
    """Yield each place of a template by its variable's name, and each stray brace as None, with where it stands."""
    for match in _PLACEHOLDER.finditer(template):
        yield match[1], match.start(), match.end()


def _plain(value: str) -> str:
    spaced = re.sub(r"[\r\n\t\v\f\x85\u2028\u2029]+", " ", value)
    shown = "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    # Composed: an é of two characters would cost what the é of the alphabet does not.
    return smart(unicodedata.normalize("NFC", shown))


@cache
def texts(language: str) -> Mapping[str, str]:
    """Return our own template texts by key, in ``language`` ("es", "es-MX") or in English where we have no other."""
    return MappingProxyType({key: str(text) for key, text in _data(f"{spoken(language)}.toml").items()})


def unnamed(language: str) -> str:
    """Return what stands for the name of a clinic that no text may say."""
    return str(_data("unnamed.toml")["clinic"][spoken(language)])


@cache
def ordinary() -> frozenset[str]:
    """Return the words that tell nothing in a name, though a sentence with them would."""
    return frozenset(_data("unnamed.toml")["names"]["ordinary"])


def spoken(language: str) -> str:
    """Return which of our languages somebody is written to in: "es" for "es-MX", "en" where we do not have theirs."""
    primary = _primary(language)
    return primary if primary in LANGUAGES else "en"


def has_texts(language: str) -> bool:
    """Whether somebody who speaks ``language`` is written to in it."""
    return _primary(language) in LANGUAGES


def _primary(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]


def lint(template_or_text: str) -> list[Problem]:
    """Find what no text to a patient may carry, in reading order, English and Spanish alike.

    Diagnoses, instruments, scores, specialties and medication (45 CFR 164.530(c), minimum necessary), words
    that act on the carrier when sent as an answer, and public link shorteners (CTIA Messaging Principles).
    """
    folded, origins = _fold_in_place(template_or_text)
    problems = [
        _problem(name, message, template_or_text, origins, match)
        for name, message, pattern in _lint_rules()
        for match in pattern.finditer(folded)
    ]
    problems += [
        Problem(name, match[0], match.start(), match.end(), message)
        for name, message, pattern in _capital_rules()
        for match in pattern.finditer(template_or_text)
    ]
    return sorted(problems, key=lambda problem: (problem.start, problem.end, problem.rule))


def spot(text: str, pattern: re.Pattern[str], rule: str, message: str) -> list[Problem]:
    """Find ``pattern``, which is in small letters without accents, in a text however it is written."""
    folded, origins = _fold_in_place(text)
    return [_problem(rule, message, text, origins, match) for match in pattern.finditer(folded)]


def any_of(words: Iterable[str], *, not_after: str) -> re.Pattern[str]:
    """Return a pattern for `spot` that finds these words and phrases as whole ones, save after the word `not_after`."""
    return re.compile(rf"(?<!\w)(?<!\b{re.escape(not_after)} )(?:{'|'.join(map(_word, words))})")


def _problem(name: str, message: str, text: str, origins: list[int], match: re.Match[str]) -> Problem:
    start, end = origins[match.start()], origins[match.end() - 1] + 1
    return Problem(name, text[start:end], start, end, message)


def _fold_in_place(text: str) -> tuple[str, list[int]]:
    """Fold case, accents and invisible characters away; the list says which character of ``text`` each came from."""
    folded, origins = [], []
    for position, character in enumerate(text):
        for plain in unicodedata.normalize("NFKD", character.casefold()):
            if unicodedata.category(plain) not in ("Mn", "Cf"):
                folded.append(plain)
                origins.append(position)
    return "".join(folded), origins


@cache
def _lint_rules() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    rules = []
    for name, rule in _data("lint.toml").items():
        if "capitals" in rule:
            continue
        body = (
            rule["pattern"] if "pattern" in rule else "|".join(map(_word, sorted(rule["words"], key=len, reverse=True)))
        )
        for key, words in rule.items():
            if key not in ("message", "pattern", "words"):
                body = body.replace(f"<{key}>", "|".join(map(_word, _expanded(words))))
        rules.append((name, rule["message"], re.compile(rf"(?<!\w)(?:{body})")))
    return tuple(rules)


@cache
def _capital_rules() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """The rules that look for words in capitals, as typed."""
    return tuple(
        (
            name,
            rule["message"],
            re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _expanded(rule['capitals'])))})(?!\w)"),
        )
        for name, rule in _data("lint.toml").items()
        if "capitals" in rule
    )


def _expanded(words: Iterable[str]) -> Iterator[str]:
    """The words of a list; "<stop>" among them stands for what the carrier takes for a stop."""
    for word in words:
        yield from carrier_keywords.surprising(word[1:-1]) if word.startswith("<") else [word]


def _word(word: str) -> str:
    """A listed word or phrase as a pattern: "*" stands for any ending, a space for spaces or a hyphen."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))
    pattern = re.escape(plain).replace(r"\*", r"\w*").replace(r"\ ", r"[\s-]{1,3}")
    return rf"{pattern}(?!\w)"


@cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("messaging").joinpath("texts", name).read_text(encoding="utf-8"))
