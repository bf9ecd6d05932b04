"""What an instrument is: its questions, answers, bands and rules, refused where they contradict each other."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Texts: TypeAlias = Mapping[str, str]
"""Words by language code ("en", "es")."""

Sex: TypeAlias = Literal["female", "male"]
"""The sex recorded for sex-specific cuts; None wherever it is not known."""

SEXES = ("female", "male", "unknown")


class UnknownInstrument(KeyError):
    """No instrument has this id."""

    def __str__(self) -> str:
        return "no such instrument"


class InstrumentError(ValueError):
    """A definition contradicts itself; the message names the file and the reason."""


def require(condition: bool, reason: str) -> None:
    """Raise InstrumentError for this reason unless the condition holds."""
    if not condition:
        raise InstrumentError(reason)


def has_check_digit(code: str) -> bool:
    """Whether a numeric LOINC code ends in its mod-10 (Luhn) check digit; answer codes (LA...) carry none."""
    if re.fullmatch(r"[0-9]{1,7}-[0-9]", code) is None:
        return False
    digits = [int(digit) for digit in reversed(code.replace("-", ""))]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[0::2]) + doubled) % 10 == 0


@dataclass(frozen=True)
class Answer:
    """One answer a patient may choose: its points, its words, its LOINC answer code if it has one."""

    value: int
    text: Texts
    loinc: str | None = None

    def __post_init__(self) -> None:
        require(type(self.value) is int and self.value >= 0, f"{self.value!r} is no number of points")
        code = self.loinc
        require(code is None or bool(re.fullmatch(r"LA[0-9]+-[0-9]", code)), f"{code} is no answer code")


@dataclass(frozen=True)
class Item:
    """One question with the answers it allows, in the order they are shown; not every one counts in the total."""

    id: str
    text: Texts
    answers: tuple[Answer, ...]
    loinc: str | None = None
    scored: bool = True

    def __post_init__(self) -> None:
        require(len(self.answers) > 1, f"{self.id} has no answers to choose from")
        codes = [answer.loinc for answer in self.answers if answer.loinc is not None]
        distinct = len(set(self.values)) == len(self.values) and len(set(codes)) == len(codes)
        require(distinct, f"{self.id} gives two answers the same value or code")
        require(self.loinc is None or has_check_digit(self.loinc), f"{self.loinc} fails its check digit")

    @functools.cached_property
    def values(self) -> tuple[int, ...]:
        """The points its answers give, in the order shown."""
        return tuple(answer.value for answer in self.answers)


@dataclass(frozen=True)
class Band:
    """A range of totals, both ends included, with its stable name and the words staff read."""

    lowest: int
    highest: int
    name: str
    words: Texts


@dataclass(frozen=True)
class AlertRule:
    """An answer of `at_least` points to item number `item` (from 1) raises the alert `name`, on partial forms too."""

    name: str
    item: int
    at_least: int


@dataclass(frozen=True)
class SkipRule:
    """When item number `item` is answered `equals`, the items numbered in `items` (from 1) may stay open."""

    item: int
    equals: int
    items: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Instrument:
    """A whole instrument; `items` are those of the answer vector in its order, `unscored` are known and not asked.

    `grows_into` is the longer form it becomes when positive; `ages` are the years it is made for, both ends included.
    """

    id: str
    title: str
    version: str
    source: str
    licence: Texts
    stem: Texts
    items: tuple[Item, ...]
    cuts: Mapping[str, int]
    bands_by_sex: Mapping[str, tuple[Band, ...]]
    panel_loinc: str | None = None
    total_loinc: str | None = None
    unscored: tuple[Item, ...] = ()
    alerts: tuple[AlertRule, ...] = ()
    skips: tuple[SkipRule, ...] = ()
    prorate_up_to: int = 0
    remission_below: int | None = None
    response_percent: int | None = None
    grows_into: str | None = None
    ages: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        ids = [item.id for item in self.items + self.unscored]
        require(bool(self.items) and len(set(ids)) == len(ids), "an item stands in it twice, or it has none")
        for code in (self.panel_loinc, self.total_loinc):
            require(code is None or has_check_digit(code), f"{code} fails its check digit")
        require("en" in self.licence, "its licence sentence is missing in English")
        for text in self._texts():
            require(set(text) == set(self.languages), f"a sentence is not there in all of {self.languages}")
        self._check_bands()
        self._check_rules()

    def _texts(self) -> Iterator[Texts]:
        yield from (self.licence, self.stem or self.licence)
        for item in self.items + self.unscored:
            yield item.text
            yield from (answer.text for answer in item.answers)

    def _check_bands(self) -> None:
        for sex in SEXES:
            starts = [band.lowest for band in self.bands_by_sex[sex]] + [self.highest_total + 1]
            ends = [-1] + [band.highest for band in self.bands_by_sex[sex]]
            unbroken = all(start == end + 1 for start, end in zip(starts, ends, strict=True))
            require(unbroken and starts == sorted(set(starts)), f"its bands leave a gap or overlap ({sex})")
            require(self.cuts[sex] in starts[1:-1], f"its cut falls inside a band ({sex})")

    def _check_rules(self) -> None:
        require(0 <= self.prorate_up_to < len(self.items), "too many answers may be missing")
        require(0 < (self.remission_below or 1) <= min(self.cuts.values()), "its remission is a positive screen")
        require(0 < (self.response_percent or 50) < 100, "its response is no share of the first total")
        for rule in self.alerts:
            highest = max(self._numbered(rule.item).values)
            require(1 <= rule.at_least <= highest, f"alert {rule.name} cannot ring, or always rings")
        for skip in self.skips:
            require(skip.equals in self._numbered(skip.item).values, "a skip rule waits for no answer")
            require(all(0 in self._numbered(i).values for i in skip.items), "a skipped item has no 0")

    def _numbered(self, number: int) -> Item:
        require(type(number) is int and 1 <= number <= len(self.items), f"a rule names item {number}")
        return self.items[number - 1]

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in which every sentence a patient reads is there; English always is."""
        return tuple(self.licence)

    @property
    def highest_total(self) -> int:
        """The total of a form with the highest answer to every item."""
        return sum(max(item.values) for item in self.items if item.scored)

    def is_for(self, age: int | None) -> bool:
        """Whether it is made for somebody of this age in years; an age that is not known fits no form with ages."""
        return self.ages is None or (age is not None and self.ages[0] <= age <= self.ages[1])

    def cut(self, sex: Sex | None = None) -> int:
        """The lowest total that is a positive screen; sex-specific for AUDIT-C only."""
        return self.cuts[sex or "unknown"]

    @property
    def by_sex(self) -> bool:
        """Whether the cut or a band depends on the sex."""
        same = all(bands == self.bands_by_sex["unknown"] for bands in self.bands_by_sex.values())
        return not same or len(set(self.cuts.values())) > 1

    def bands(self, sex: Sex | None = None) -> tuple[Band, ...]:
        """The bands from the lowest total to the highest, without gap."""
        return self.bands_by_sex[sex or "unknown"]


def language_of(definition: Instrument, wanted: str | None) -> str:
    """The language to show the instrument in: the one wanted ("es", "es-MX", "es_MX") if offered, else English."""
    base = re.split(r"[-_]", wanted or "")[0].lower()
    return base if base in definition.languages else "en"


def speaks(definition: Instrument, language: str) -> bool:
    """Whether the instrument is there in this language: nobody is sent a form they would read in another one."""
    return language_of(definition, language) == language.split("-")[0].lower()
