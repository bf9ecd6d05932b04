"""What two editions of one thing differ in, line by line, as a reader would name it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What readers are told as "nothing": a new entry's empty fields are no difference.
NOTHING: tuple[Any, ...] = (None, "", [], {})


@dataclass(frozen=True)
class Difference:
    """One field, such as "steps[24h].before", with what stood there and what stands there now; None where nothing."""

    field: str
    was: Any
    becomes: Any


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Return every field that differs, those of `old` first. Entries of lists are told apart by their "name"."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    fields = [*before, *(field for field in after if field not in before)]
    return [
        Difference(field, before.get(field), after.get(field))
        for field in fields
        if before.get(field) != after.get(field)
        and not (before.get(field) in NOTHING and after.get(field) in NOTHING)
    ]


def _leaves(value: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{field}.{key}" if field else str(key))
    elif _is_table(value):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{field}[{inner.get('name', place)}]")
        names = [inner["name"] for inner in value if "name" in inner]
        if names:
            yield f"{field} in order", names
    else:
        yield field, value


def _is_table(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(inner, Mapping) for inner in value)
    )
