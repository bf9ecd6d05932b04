"""Scores the ten core questions about social needs by their published rules; answers are codes. Pure."""

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from intake_links.instruments.definition import has_check_digit, require

DOMAINS = ("housing", "food", "transport", "utilities", "safety")
Answers = Mapping[str, Sequence[str]]
"""By an item's LOINC code the keys of the answers given; an item that is not there was not answered."""
Verdict = Literal["positive", "negative", "open"]


class BadAnswer(ValueError):
    """Answers that cannot be: the argument is the LOINC code of their item."""


@dataclass(frozen=True)
class Choice:
    """One answer: `alone` rules out every other; `points` count in the total of the questions about safety."""

    key: str
    positive: bool = False
    alone: bool = False
    points: int | None = None


@dataclass(frozen=True)
class Item:
    """One question, without its words."""

    loinc: str
    domain: str
    answers: tuple[Choice, ...]
    many: bool = False


@dataclass(frozen=True)
class Core:
    """The questions in their order, and the total of the four about safety that is positive."""

    items: tuple[Item, ...]
    panel_loinc: str
    total_loinc: str
    safety_cut: int

    def wanted(self) -> list[str]:
        """What a wording must have words for: each item's code, and each answer's key once, in their order."""
        named = [key for item in self.items for key in (item.loinc, *(answer.key for answer in item.answers))]
        return list(dict.fromkeys(named))


@dataclass(frozen=True)
class Result:
    """What the answers say of each of DOMAINS; `total` of the questions about safety, None where one is missing."""

    domains: Mapping[str, Verdict]
    total: int | None

    @property
    def positive(self) -> list[str]:
        """The domains in which there is a need."""
        return [domain for domain in DOMAINS if self.domains[domain] == "positive"]


@functools.cache
def core() -> Core:
    """Return the questions. Raises InstrumentError where the file contradicts itself."""
    read = tomllib.loads((resources.files("caseload.social") / "core.toml").read_text("utf-8"))
    items = tuple(
        Item(row["loinc"], row["domain"], tuple(Choice(**answer) for answer in row["answers"]), row.get("many", False))
        for row in read["items"]
    )
    for code in (read["panel_loinc"], read["total_loinc"], *(item.loinc for item in items)):
        require(has_check_digit(code), f"{code} fails its check digit")
    require({item.domain for item in items} == set(DOMAINS), "a domain has no question")
    return Core(items, read["panel_loinc"], read["total_loinc"], read["safety_cut"])


def result(answers: Answers) -> Result:
    """Return what the answers say. A domain is positive once one answer is, negative only when all were answered.

    The questions about safety are positive from a sum of 11, which a missing answer does not take back. Raises
    BadAnswer for an item or an answer that is not there, for two answers to a question that has one, and for "none"
    beside another.
    """
    for code, given in answers.items():
        _check(code, given)
    points = [
        answer.points
        for item in core().items
        for answer in item.answers
        if answer.points is not None and answer.key in answers.get(item.loinc, ())
    ]
    asked = sum(item.domain == "safety" for item in core().items)
    domains = {domain: _verdict(domain, answers, sum(points)) for domain in DOMAINS}
    return Result(domains, sum(points) if len(points) == asked else None)


def _check(code: str, given: Sequence[str]) -> None:
    item = next((each for each in core().items if each.loinc == code), None)
    if item is None or not set(given) <= {answer.key for answer in item.answers} or len(set(given)) != len(given):
        raise BadAnswer(code)
    alone = any(answer.alone and answer.key in given for answer in item.answers)
    if len(given) > 1 and (alone or not item.many):
        raise BadAnswer(code)


def _verdict(domain: str, answers: Answers, points: int) -> Verdict:
    items = [item for item in core().items if item.domain == domain]
    found = any(
        answer.positive and answer.key in answers.get(item.loinc, ()) for item in items for answer in item.answers
    )
    if found or (domain == "safety" and points >= core().safety_cut):
        return "positive"
    return "negative" if all(answers.get(item.loinc) for item in items) else "open"
