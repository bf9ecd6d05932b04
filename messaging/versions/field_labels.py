"""How a reader would name a field of a decision and what stands in it, by the words in texts/decisions.toml. Pure."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, TypeVar

from messaging.versions.differences import Entry, Path, between

Found = TypeVar("Found")
Shape = tuple[str, ...]
Values = Mapping[str, Mapping[str, str]]
_ENTRY, _ANY = "[]", "*"


@dataclass(frozen=True)
class Change:
    """One difference in words: what it is, what stood there and what stands there now."""

    what: str
    was: str
    becomes: str


@dataclass(frozen=True)
class Names:
    """The words of one kind of decision, each by the shape of the fields it is for: "steps[].before", "on_call.*".

    `fields` names a field or an entry ("Step “{}”"); one without words stands under its key, and empty words are left
    out. `values` are words for what may stand there, `forms` write it otherwise and take a table as a whole, and what
    is `usual` goes without saying in an entry that is new or gone.
    """

    fields: Mapping[Shape, str] = field(default_factory=dict)
    values: Mapping[Shape, Mapping[str, str]] = field(default_factory=dict)
    forms: Mapping[Shape, Callable[[Any], str]] = field(default_factory=dict)
    usual: Mapping[Shape, Any] = field(default_factory=dict)

    def also(
        self,
        fields: Mapping[Shape, str] | None = None,
        values: Values | None = None,
        forms: Mapping[str, Callable[[Any], str]] | None = None,
    ) -> "Names":
        """Return these words with more: what only the data knows, such as people's names."""
        shaped = _shaped(values or {})
        return Names(
            {**self.fields, **{shape: _literal(words) for shape, words in (fields or {}).items()}},
            {
                **self.values,
                **{
                    shape: {**self.values.get(shape, {}), **words_of_values}
                    for shape, words_of_values in shaped.items()
                },
            },
            {**self.forms, **_shaped(forms or {})},
            self.usual,
        )


@cache
def of(kind: str) -> Names:
    """Return the words of a kind of decision as texts/decisions.toml gives them."""
    texts = _texts().get(kind, {})
    forms = {shape: _form(form) for shape, form in texts.get("forms", {}).items()}
    return Names(
        _shaped(texts.get("fields", {})),
        _shaped(texts.get("values", {})),
        _shaped(forms),
        _shaped(texts.get("usual", {})),
    )


def changes(names: Names, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return in words every field in which two definitions differ."""
    return [
        Change(
            called(names, difference.path),
            said(names, difference.path, difference.was),
            said(names, difference.path, difference.becomes),
        )
        for difference in between(old, new, lambda path: _find(names.forms, path) is not None)
    ]


def called(names: Names, path: Path) -> str:
    """Return what a reader calls the field at `path`: "Step “24h”: hour of that day"."""
    parts = (_called(names, path[:end]) for end in range(1, len(path) + 1))
    whole = ": ".join(filter(None, parts))
    return whole[:1].upper() + whole[1:]


def said(names: Names, path: Path, value: Any) -> str:
    """Return what stands at `path` as a reader would write it."""
    if value is None or value == "" or value == [] or value == {}:
        return str(_texts()["said"]["nothing"])
    form = _find(names.forms, path)
    if form is not None:
        return form(value)
    if isinstance(value, Mapping):
        return ", ".join(_briefly(names, path, value))
    if isinstance(value, list | tuple):
        tables = any(isinstance(part, Mapping) for part in value)
        inner = (*path, Entry("")) if tables else path
        return ("; " if tables else ", ").join(said(names, inner, part) for part in value)
    key = str(value).lower() if isinstance(value, bool) else str(value)
    words = (_find(names.values, path) or {}).get(key)
    return words or (_texts()["said"][key] if isinstance(value, bool) else key)


def path_of(place: str, definition: Mapping[str, Any]) -> Path:
    """Return the field of a problem, such as "steps[1].before", as the path at which it stands in a definition.

    An entry goes by its name, else by its number from 1; a key may hold dots, as addresses do.
    """
    path: list[str] = []
    inside: Any = definition
    while place:
        if place.startswith("["):
            number, _, place = place[1:].partition("]")
            entry = inside[int(number)] if _holds(inside, number) else None
            name = isinstance(entry, Mapping) and entry.get("name")
            path.append(Entry(name or (int(number) + 1 if number.isdecimal() else number)))
            inside = entry
        else:
            key = _key(place, inside)
            path.append(key)
            place, inside = place[len(key) :], inside.get(key) if isinstance(inside, Mapping) else None
        place = place.removeprefix(".")
    return tuple(path)


def _holds(inside: Any, number: str) -> bool:
    return isinstance(inside, list | tuple) and number.isdecimal() and int(number) < len(inside)


def _key(place: str, inside: Any) -> str:
    keys = inside if isinstance(inside, Mapping) else ()
    candidates = [key for key in keys if place == key or place.startswith((f"{key}.", f"{key}["))]
    return max(candidates, key=len, default="") or place.partition(".")[0].partition("[")[0] or place


def _called(names: Names, path: Path) -> str:
    words = _find(names.fields, path)
    return path[-1].replace("_", " ") if words is None else words.format(path[-1])


def _briefly(names: Names, path: Path, table: Mapping[str, Any]) -> Iterator[str]:
    """What stands in an entry, but for what is empty or usual; its name is said already."""
    for key, value in table.items():
        at = (*path, key)
        nothing = value is None or value in ("", [], {})
        if key == "name" or nothing or value == _find(names.usual, at):
            continue
        label = _called(names, at)
        yield f"{label}: {said(names, at, value)}" if label else said(names, at, value)


def _find(table: Mapping[Shape, Found], path: Path) -> Found | None:
    """What is known of the shape of `path`: what fits the longest end of it, its own keys before "*"."""
    shape = tuple(_ENTRY if isinstance(part, Entry) else part for part in path)
    for start in range(len(shape)):
        end = shape[start:]
        if end in table:
            return table[end]
        for pattern, value in table.items():
            if len(pattern) == len(end) and _ANY in pattern and all(map(_fits, pattern, end)):
                return value
    return None


def _fits(wanted: str, part: str) -> bool:
    return wanted == part or (wanted == _ANY and part != _ENTRY)


def _shaped(table: Mapping[str, Found]) -> dict[Shape, Found]:
    """Words under shapes as they are written, "kinds.*[].before", under their parts."""
    spaced = {shape: shape.replace(_ENTRY, f".{_ENTRY}").removeprefix(".") for shape in table}
    return {tuple(spaced[shape].split(".")): value for shape, value in table.items()}


def _literal(words: str) -> str:
    """Words in which no place is filled in, whatever stands in them."""
    return words.replace("{", "{{").replace("}", "}}")


def _form(template: str) -> Callable[[Any], str]:
    return lambda value: template.format(value)


@cache
def _texts() -> dict[str, Any]:
    text = resources.files("messaging").joinpath("texts/decisions.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
