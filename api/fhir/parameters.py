"""Reads a search. What is not known is refused: a filter that is passed over would show more than was asked for.

Unless the client says that it wants it so, as FHIR R4 lets it (3.1.0.6, "Prefer: handling=lenient").
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from api import cursors, problems
from api.problems import Place, Problem
from messaging.models import Clinic
from records import searching
from records.fhir import spans
from records.fhir.spans import Span
from records.kinds import Kind
from records.searching import Wanted

MOST, USUAL = 200, 50
AFTER = "_after"
FORMATS = ("json", "application/json", "application/fhir+json")
PAGING = ("_count", AFTER, "_format")
LONGEST_LIST = 50
LENIENT = "handling=lenient"
Value = TypeVar("Value")
Given = Mapping[str, Sequence[str]]


def wanted(kind: Kind, clinic: Clinic, given: Given) -> Wanted:
    """Return what is searched for. Raises Problem for a parameter or value that the kind does not know."""
    known = kind.parameters
    plain(given, known, repeated=[name for name, sort in known.items() if sort == "date"])
    zone = ZoneInfo(clinic.zone)

    def dates(name: str) -> tuple[Span, ...]:
        return tuple(_read(name, each, lambda text: spans.read(text, zone)) for each in given.get(name, ()))

    statuses = several(given, "status")
    if any(each not in (kind.statuses or {}) for each in statuses):
        raise wrong("status")
    patient = _first(given, "patient")
    return Wanted(
        ids=several(given, "_id"),
        patient=_read("patient", patient.removeprefix("Patient/"), UUID) if patient is not None else None,
        statuses=statuses,
        changed=dates("_lastUpdated"),
        dates=dates(kind.date[0]) if kind.date else (),
        codes=tuple(each.rpartition("|")[2] for each in several(given, "code")),
        count=count(given),
        after=_after(given, kind, clinic),
    )


def is_lenient(preferences: Iterable[str]) -> bool:
    """Return whether these headers (RFC 7240) let us pass over a parameter that is not known; the first counts."""
    each = (part.split(";")[0] for header in preferences for part in header.split(","))
    named = ("".join(part.split()).lower().replace('"', "") for part in each)
    return next((name for name in named if name.startswith("handling=")), None) == LENIENT


def understood(given: Given, known: Collection[str]) -> Given:
    """Return what is given of the parameters that are known; a known name with a wrong value stays wrong."""
    return {name: values for name, values in given.items() if name in known or name in PAGING}


def plain(given: Given, known: Collection[str], repeated: Collection[str] = ()) -> None:
    """Let nothing pass that is not known, or stands there twice. Raises Problem."""
    for name, values in given.items():
        if name not in known and name not in PAGING:
            # A name that the sender made up is not repeated: it may be somebody's.
            raise _unknown(known)
        if len(values) > 1 and name not in repeated:
            raise Problem("invalid", Place(parameter=name, detail=problems.reasons()["once"]))
    if _first(given, "_format", FORMATS[0]) not in FORMATS:
        raise wrong("_format")


def several(given: Given, name: str) -> tuple[str, ...]:
    """Return the values of a parameter, any of which will do. Raises Problem for one without a value."""
    written = _first(given, name)
    if written is None:
        return ()
    values = tuple(dict.fromkeys(written.split(",")))
    if "" in values or len(values) > LONGEST_LIST:
        raise wrong(name)
    return values


def count(given: Given) -> int:
    """Return how many are wanted at most; who asks for more than we give gets what we give."""
    number = _read("_count", _first(given, "_count", str(USUAL)) or "", _number)
    return min(number, MOST)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise ValueError("no count")
    return int(text)


def wrong(name: str) -> Problem:
    """Return the refusal of one parameter."""
    return Problem("invalid", Place(parameter=name, detail=problems.reasons()["expected"]))


def _unknown(known: Collection[str]) -> Problem:
    names = ", ".join((*known, *(name for name in PAGING if name != AFTER)))
    return Problem("invalid", Place(detail=f"{problems.reasons()['parameter']} {names}"))


def after(kind: str, clinic: Clinic, ended: searching.Place) -> str:
    """Return the cursor behind a place in a search."""
    return f"{ended.given}.{cursors.write(clinic.id, _listing(kind, ended.given), ended.row_id.int)}"


def place(kind: str, clinic: Clinic, cursor: str) -> searching.Place:
    """Return the place that a cursor of ours names. Raises Problem."""
    given, _, signed = cursor.partition(".")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 4 else 0
    return searching.Place(UUID(int=cursors.read(clinic.id, _listing(kind, number), signed)), number)


def _listing(kind: str, given: int) -> str:
    return f"fhir.{kind}.{given}"


def _after(given: Given, kind: Kind, clinic: Clinic) -> searching.Place | None:
    cursor = _first(given, AFTER)
    return place(kind.type, clinic, cursor) if cursor is not None else None


def _first(given: Given, name: str, otherwise: str | None = None) -> str | None:
    return given[name][0] if name in given else otherwise


def _read(name: str, text: str, reader: Callable[[str], Value]) -> Value:
    try:
        return reader(text)
    except ValueError:
        raise wrong(name) from None
