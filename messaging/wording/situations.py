"""Every text a patient may get: when it is sent, what is filled in, and what is wrong with other words for it. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from messaging.wording import proofreading, text_templates
from messaging.wording.text_templates import Problem

MANY_PARTS, MOST_PARTS = 3, 6
LONGEST = 1600
OF_VISITS = ("visits", "quiet")
# An address as people type it: with its scheme, or a name that ends as addresses do. {link} is the only one of ours.
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|(?<![\w.])[\w-]+(?:\.[\w-]+)*\."
    r"(?:com|org|net|edu|gov|info|biz|io|co|us|mx|pr|gl|ly|app|link|site|online|health|clinic)\b(?:/\S*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Situation:
    """One text: its group and name, when it is sent, the places its sender fills, what it must hold or should ask for.

    `quiet`: for people who want nothing said of a visit. `crisis`: changing it takes two people. `optional`: may be
    empty. `of_visit`: it speaks of a visit, so that a day in it is taken for the visit's.
    """

    key: str
    group: str
    name: str
    when: str
    places: tuple[str, ...]
    needs: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    quiet: bool = False
    crisis: bool = False
    optional: bool = False
    of_visit: bool = False


@cache
def every() -> Mapping[str, Situation]:
    """Return every text by its key, in the order in which they are read."""
    return {key: _situation(key, entry) for key, entry in _data()["texts"].items()}


def _situation(key: str, entry: Mapping[str, Any]) -> Situation:
    rest: dict[str, Any] = {name: tuple(entry.get(name, ())) for name in ("needs", "says", "asks")}
    rest |= {name: entry.get(name, False) for name in ("quiet", "crisis", "optional")}
    # What a text needs is also filled in.
    filled_in = [*_data()["places"].get(entry["places"], ()), *entry.get("more", ()), *rest["needs"]]
    group = _data()["groups"][entry["group"]]["name"]
    rest["of_visit"] = entry["group"] in OF_VISITS or "day" in filled_in
    return Situation(key, group, entry["name"], entry["when"], tuple(dict.fromkeys(filled_in)), **rest)


def sample(language: str) -> dict[str, str]:
    """Return what a made-up patient's texts are filled with; the clinic's name, phone and link are the caller's."""
    return dict(_data()["sample"][text_templates.spoken(language)])


def check(situation: Situation, text: str, values: Mapping[str, str]) -> list[Problem]:
    """Return what stops `text` from being sent in this situation, in reading order; `values` are a made-up patient's.

    A text without a problem can always be filled in by its sender. What is missing altogether stands at its beginning.
    """
    if not text.strip():
        return [] if situation.optional else [_missing("empty")]
    problems = [
        *text_templates.lint(text),
        *_places(text, situation.places),
        *(_found("address", match[0], match.start()) for match in _ADDRESS.finditer(text)),
        *(_missing("needs", word=name) for name in situation.needs if f"{{{name}}}" not in text),
        *(_missing("says", word=says.split("|")[0]) for says in situation.says if not _holds(text, says)),
        *_clinic_named(situation, text, values.get("clinic", "")),
        *(_near_day(situation, problem) for _, problem in near_days(text) if situation.of_visit),
    ]
    parts = text_templates.segments(text_templates.fill(text, values)).segments
    if parts > MOST_PARTS or len(text) > LONGEST:
        problems.append(_missing("long", parts=parts))
    return sorted(problems, key=lambda problem: (problem.start, problem.end, problem.rule))


def notes(situation: Situation, text: str, values: Mapping[str, str]) -> list[Problem]:
    """Return what is worth a second look and stops nothing: many parts, an answer that is not asked for."""
    parts = text_templates.segments(text_templates.fill(text, values)).segments
    several = [_missing("several", parts=parts)] if MANY_PARTS < parts <= MOST_PARTS else []
    unasked = [words for words in situation.asks if not any(_holds(text, word) for word in words.split("|"))]
    return several + [_missing("asks", word=words.replace("|", " / ")) for words in unasked]


def _places(text: str, known: tuple[str, ...]) -> Iterator[Problem]:
    yield from proofreading.strange_places(text, known, _said("place", known=", ".join(known) or "none"))
    for name, start, end in text_templates.places(text):
        if name is None:
            yield _found("brace", text[start:end], start)


def _clinic_named(situation: Situation, text: str, clinic: str) -> Iterator[Problem]:
    if situation.quiet and clinic:
        for match in re.finditer(re.escape(clinic), text, re.IGNORECASE):
            yield _found("names_clinic", match[0], match.start())


@lru_cache(maxsize=1024)
def near_days(text: str) -> tuple[tuple[str, Problem], ...]:
    """Find the words that name a day as seen from another ("today", "esta noche"), each with the day it means."""
    return tuple(
        (day, problem)
        for day, pattern in _near_days().items()
        for problem in text_templates.spot(text, pattern, "", "")
    )


def right_on(key: str, text: str, day: str) -> bool:
    """Whether a text about a visit names no day by such a word, or only `day`, which {day} would be filled with."""
    situation = every().get(key)
    if situation is None or not situation.of_visit:
        return True
    return all(day in _data()["near_days"][meant] for meant, _ in near_days(text))


def _near_day(situation: Situation, problem: Problem) -> Problem:
    return _found("near_day" if "day" in situation.places else "near_day_unsaid", problem.word, problem.start)


@cache
def _near_days() -> Mapping[str, re.Pattern[str]]:
    # "La mañana" is the morning.
    return {day: text_templates.any_of(words, not_after="la") for day, words in _data()["near_days"].items()}


def _holds(text: str, says: str) -> bool:
    """Whether a text holds one of these words by itself: 988 within a phone number does not count, nor "y" for Y."""
    number = says.isdigit()
    body = "|".join(re.escape(word) for word in says.split("|"))
    pattern = rf"(?<![\w(+.-])(?:{body})(?![\w)]|[-. ]?\d{{3}})" if number else rf"(?<!\w)(?:{body})(?!\w)"
    return bool(re.search(pattern, text, re.NOFLAG if len(says) == 1 else re.IGNORECASE))


def _found(rule: str, word: str, start: int) -> Problem:
    return Problem(rule, word, start, start + len(word), _said(rule))


def _missing(rule: str, **filled_in: object) -> Problem:
    return Problem(rule, "", 0, 0, _said(rule, **filled_in))


def _said(rule: str, **filled_in: object) -> str:
    words = str(_data()["problems"][rule])
    return words.format(**filled_in) if filled_in else words


@cache
def _data() -> dict[str, Any]:
    file = resources.files("messaging").joinpath("texts", "situations.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
