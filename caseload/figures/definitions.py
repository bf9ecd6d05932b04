"""What each measure of the 90-day review is, read from measures.toml. Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

WORDS = ("keys", "excluded", "sections", "unknown")


@dataclass(frozen=True, slots=True)
class Part:
    """A row of a measure: names of counts that are added up, with a minus before those taken off. `of` empty: a number
    and no share; `each`: how many of the counted make one of the shown; `people`: whether it counts people or acts;
    `mean`: `n` is a sum of marks and `of` how many there are; `of_each`: how many counted make one of `of`; `rate`: how
    often it happened in a hundred of `of`, and no share of them."""

    key: str
    n: tuple[str, ...]
    of: tuple[str, ...] = ()
    each: int = 1
    people: bool = True
    mean: bool = False
    of_each: int = 1
    rate: bool = False


@dataclass(frozen=True, slots=True)
class By:
    """A row for each name that begins with `prefix`: the key comes next, and then what is counted. `mean`: `n` is a sum
    of marks and `of` how many there are, and their mean is shown."""

    prefix: str
    n: str
    of: tuple[str, ...] = ()
    mean: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure as measures.toml explains it; `excluded` are rows without a share. `guard` is the measure that hides
    this one's numbers too where its own are hidden, since they would follow; `unnamed` that small numbers are hidden on
    the clinic's own page as well, as the people it counts were promised that nobody reads them by name; `missing` says
    what to do where its first row is of nothing."""

    key: str
    section: str
    title: str
    defined: str
    caution: str
    better: str
    main: str
    parts: bool
    total: str
    steps: bool
    monthly: bool
    registry: bool
    guard: str
    unnamed: bool
    missing: str
    rows: tuple[Part, ...]
    by: By | None
    excluded: tuple[Part, ...]


@cache
def measures() -> Mapping[str, Measure]:
    """Return every measure by its key, in the order of the review."""
    return {key: _measure(key, table) for key, table in _file().items() if key not in WORDS}


def words(table: str) -> Mapping[str, str]:
    """Return the words of keys | excluded | sections | unknown."""
    return dict(_file()[table])


def said(table: str, key: str) -> str:
    """Return the words for a key; a code or a language that has none is said as it is."""
    return words(table).get(key, key)


@cache
def _file() -> dict[str, Any]:
    text = resources.files("caseload.figures").joinpath("measures.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _measure(key: str, table: Mapping[str, Any]) -> Measure:
    by = table.get("by")
    return Measure(
        key=key,
        section=table["section"],
        title=table["title"],
        defined=table["defined"],
        caution=table.get("caution", ""),
        better=table.get("better", ""),
        main=table.get("main", ""),
        parts=table.get("parts", False),
        total=table.get("total", ""),
        steps=table.get("steps", False),
        monthly=table.get("monthly", False),
        registry=table.get("registry", False),
        guard=table.get("guard", ""),
        unnamed=table.get("unnamed", False),
        missing=table.get("missing", ""),
        rows=_parts(table.get("rows", ())),
        by=By(by["prefix"], by["n"], tuple(by.get("of", ())), by.get("mean", False)) if by else None,
        excluded=_parts(table.get("excluded", ())),
    )


def _parts(rows: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    return tuple(
        Part(
            row["key"],
            tuple(row["n"]),
            tuple(row.get("of", ())),
            each=row.get("each", 1),
            people=row.get("people", True),
            of_each=row.get("of_each", 1),
            rate=row.get("rate", False),
        )
        for row in rows
    )
