"""Which codes may be billed at all on a day, and which of them together for one patient and month. Pure.

Sources: the Medicare physician fee schedules of the years in codes.toml, CMS-1654-F, NARHC on health centers' bundles.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from itertools import combinations
from typing import Literal

from caseload import fields
from messaging.reasons import Reason

Setting = Literal["physician", "fqhc"]


@dataclass(frozen=True, slots=True)
class Billed:
    """A code that somebody means to bill for a patient's month, and the practitioner's number (NPI)."""

    code: str
    practitioner: str


class _Codes(fields.Strict):
    codes: list[str]
    settings: Mapping[Setting, date]
    until: date | None = None
    with_base: list[str] = []


class _Apart(fields.Strict):
    these: list[str]
    those: list[str]
    same_practitioner: bool = False


class _File(fields.Strict):
    code: list[_Codes]
    never_together: list[_Apart]
    never_alone: Mapping[str, list[str]]

    def rule(self, code: str) -> _Codes | None:
        return next((rule for rule in self.code if code in rule.codes), None)


@cache
def _rules() -> _File:
    file = resources.files("caseload.codes").joinpath("codes.toml")
    return fields.read(_File, tomllib.loads(file.read_text(encoding="utf-8")))


def refusal(code: str, on: date, setting: Setting) -> Reason | None:
    """Return why a code may not be billed for a day of service in this setting; None where it may."""
    rule = _rules().rule(code)
    if rule is None:
        return Reason("unknown_code", {"code": code})
    if setting not in rule.settings:
        return Reason("not_in_setting", {"code": code})
    if on < rule.settings[setting]:
        return Reason("not_yet", {"code": code, "day": rule.settings[setting].isoformat()})
    if rule.until is not None and on > rule.until:
        return Reason("no_longer", {"code": code, "day": rule.until.isoformat()})
    return None


def conflicts(billed: Sequence[Billed]) -> list[Reason]:
    """Return why these may not stand together for one patient and month; nothing where they may."""
    return [*_never_together(billed), *_without_company(billed), *_two_practitioners(billed)]


def _never_together(billed: Sequence[Billed]) -> Iterator[Reason]:
    for first, other in combinations(sorted(billed, key=lambda each: each.code), 2):
        pair = {first.code, other.code}
        for rule in _rules().never_together:
            apart = len(pair) == 2 and len(pair & set(rule.these)) == 1 and len(pair & set(rule.those)) == 1
            if apart and (not rule.same_practitioner or first.practitioner == other.practitioner):
                yield Reason("not_together", {"code": first.code, "other": other.code})


def _without_company(billed: Sequence[Billed]) -> Iterator[Reason]:
    codes = {each.code for each in billed}
    for each in billed:
        needed = _rules().never_alone.get(each.code, [])
        if needed and codes.isdisjoint(needed):
            yield Reason("not_alone", {"code": each.code, "others": _listed(needed)})
        rule = _rules().rule(each.code)
        bases = rule.with_base if rule else []
        if bases and not any(other.code in bases and other.practitioner == each.practitioner for other in billed):
            yield Reason("base_elsewhere", {"code": each.code, "others": _listed(bases)})


def _two_practitioners(billed: Iterable[Billed]) -> Iterator[Reason]:
    by_code: dict[str, set[str]] = defaultdict(set)
    for each in billed:
        by_code[each.code].add(each.practitioner)
    for code, practitioners in sorted(by_code.items()):
        if len(practitioners) > 1:
            yield Reason("two_practitioners", {"code": code})


def _listed(codes: Sequence[str]) -> str:
    return " or ".join((", ".join(codes[:-1]), codes[-1])) if len(codes) > 1 else codes[0]
