"""What two versions of one thing differ in, field by field. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class Entry(str):
    """One entry of a list on the way to a field: its name."""

    __slots__ = ()


# Keys, and entries of lists by their names: ("steps", Entry("24h"), "before").
Path = tuple[str, ...]
# Stands at the end of the path of a list whose entries changed places.
ORDER = "in order"


@dataclass(frozen=True)
class Difference:
    """One field with what stood there and what stands there now; None where nothing.

    An entry of a list that is new or gone is one difference, its value the whole entry.
    """

    path: Path
    was: Any
    becomes: Any


def between(
    old: Mapping[str, Any], new: Mapping[str, Any], whole: Callable[[Path], bool] = lambda _path: False
) -> list[Difference]:
    """Return every field that differs, those of `old` first. Entries of lists are told apart by their "name".

    A table at a path of which `whole` is true is one field.
    """
    return [
        difference
        for difference in _differing((), old, new, whole)
        if not (_empty(difference.was) and _empty(difference.becomes))
    ]


def named(value: Any) -> bool:
    """Whether this is a list of tables that each have a name."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and bool(value)
        and all(isinstance(inner, Mapping) and isinstance(inner.get("name"), str) for inner in value)
    )


def _empty(value: Any) -> bool:
    """Whether nothing stands there: an empty list that gets its first entry is told by the entry."""
    return value is None or (isinstance(value, Sequence | Mapping) and not value)


def _differing(path: Path, old: Any, new: Any, whole: Callable[[Path], bool]) -> Iterator[Difference]:
    if old == new:
        return
    if not whole(path) and all(isinstance(side, Mapping) or side is None for side in (old, new)):
        before, after = old or {}, new or {}
        for key in _of_both(before, after):
            yield from _differing((*path, str(key)), before.get(key), after.get(key), whole)
    elif all(named(side) or _empty(side) for side in (old, new)):
        yield from _entries(path, old or (), new or (), whole)
    else:
        yield Difference(path, old, new)


def _entries(path: Path, old: Sequence[Any], new: Sequence[Any], whole: Callable[[Path], bool]) -> Iterator[Difference]:
    before, after = ({entry["name"]: entry for entry in listed} for listed in (old, new))
    for name in _of_both(before, after):
        at = (*path, Entry(name))
        if name in before and name in after:
            yield from _differing(at, before[name], after[name], whole)
        else:
            yield Difference(at, before.get(name), after.get(name))
    was, becomes = ([name for name in some if name in other] for some, other in ((before, after), (after, before)))
    if was != becomes:
        yield Difference((*path, ORDER), list(before), list(after))


def _of_both(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [*before, *(key for key in after if key not in before)]
