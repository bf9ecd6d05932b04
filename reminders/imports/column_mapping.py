"""Which column of somebody's file means what: guessed from its headers, chosen by a human,
applied to each row. Pure."""

import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from reminders.imports import dates

KINDS = ("patients", "appointments")
NEEDED = {
    "patients": ("record", "first_name", "last_name", "phone"),
    "appointments": ("visit", "patient", "starts_at"),
}
# What a whole file may have in common, so that it needs no column.
CONSTANTS = {
    "patients": ("language", "zone", "panel"),
    "appointments": ("zone", "place", "clinician", "kind"),
}
DATED, MOMENTS = ("birth_date", "starts_at", "booked_at"), ("starts_at", "booked_at")
# As the file writes its days: 2026-03-10 or 3/10/2026, or 10/3/2026.
ORDERS = ("month_first", "day_first")


@dataclass(frozen=True)
class Columns:
    """By each of our fields the header it is read from, or the value that all rows share; and how days are written."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    order: str = "month_first"

    def values(self, by_header: Mapping[str, str]) -> dict[str, str]:
        """Return a row's values by our fields; `by_header` has them by header, in small letters."""
        read = {name: by_header.get(header.strip().casefold(), "") for name, header in self.columns.items()}
        read |= {name: value for name, value in self.constants.items() if not read.get(name)}
        return {name: self._dated(name, value) if name in DATED else value for name, value in read.items()}

    def _dated(self, name: str, value: str) -> str:
        value = value.strip()
        value = dates.month_first(value) if self.order == "day_first" else value
        return dates.iso(value) if name in MOMENTS else value


def state(written: str) -> str | None:
    """Return our state of a visit by the word for it in somebody else's books,
    "" for nothing, None if it is not known."""
    plain = _plain(written)
    return _states().get(plain) if plain else ""


def of(stored: Mapping[str, Any]) -> Columns:
    """Return the mapping kept as `stored` (JSON)."""
    return Columns(stored.get("columns", {}), stored.get("constants", {}), stored.get("order", "month_first"))


def fields(kind: str) -> tuple[str, ...]:
    """Return our fields of this kind of file, the needed ones first."""
    names = tuple(_synonyms()[kind])
    return NEEDED[kind] + tuple(name for name in names if name not in NEEDED[kind])


def guess(kind: str, headers: Sequence[str], remembered: Mapping[str, Any] | None = None) -> Columns:
    """Return a mapping to begin with: what was chosen last time where those columns are there again, else by name."""
    there = {header.strip().casefold(): header for header in headers if header.strip()}
    last = of(remembered or {})
    chosen = {
        name: there[header.strip().casefold()]
        for name, header in last.columns.items()
        if header.strip().casefold() in there
    }
    taken = set(chosen.values())
    for name in fields(kind):
        if name in chosen:
            continue
        column = _named(_synonyms()[kind][name], [header for header in there.values() if header not in taken])
        if column:
            chosen[name] = column
            taken.add(column)
    return Columns(chosen, dict(last.constants), last.order)


def missing(kind: str, mapping: Columns) -> list[str]:
    """Return the needed fields for which there is neither a column nor a value."""
    return [name for name in NEEDED[kind] if not mapping.columns.get(name) and not mapping.constants.get(name)]


def _named(synonyms: Sequence[str], headers: Sequence[str]) -> str | None:
    by_name = {_plain(header): header for header in reversed(headers)}
    return next((by_name[synonym] for synonym in synonyms if synonym in by_name), None)


def _plain(header: str) -> str:
    spread = unicodedata.normalize("NFKD", header.casefold())
    return "".join(char for char in spread if char.isalnum())


@cache
def _synonyms() -> dict[str, dict[str, list[str]]]:
    return _text("columns.toml")


@cache
def _states() -> dict[str, str]:
    return {word: state for state, words in _text("states.toml").items() for word in words}


def _text(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parents[1] / "texts" / name).read_text(encoding="utf-8"))
