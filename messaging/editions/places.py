"""Where in the text of a TOML file a field stands, so that a mistake can be named with its line and column. Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from messaging.editions.problems import Problem

Path = tuple[str | int, ...]
_HEAD = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_BROKEN = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class NotToml(ValueError):
    """A text that is no TOML: what was expected, in which line and column (from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.problem = Problem("file", f"column {column}: this is not TOML: {message}", line)


def read(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises NotToml."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        found = _BROKEN.fullmatch(str(broken))
        lines = text.splitlines() or [""]
        end = (len(lines), len(lines[-1]) + 1)
        line, column = (int(found[2]), int(found[3])) if found and found[2] else end
        raise NotToml(found[1] if found else str(broken), line, column) from None
    except RecursionError:
        raise NotToml("tables inside tables without end", 1, 1) from None


def path_of(field: str) -> Path:
    """Return a field such as "steps[1].before" as a path: ("steps", 1, "before")."""
    return tuple(
        int(part[1:-1]) if part.startswith("[") else part for part in re.findall(r"\[\d+\]|[^.\[\]]+", field)
    )


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the line (from 1) of the field at `path`, or of the nearest table around it; None where neither stands.

    Values over several lines are skipped as little as the files we write need: a string that holds a header or an
    assignment on a line of its own may be taken for one.
    """
    best: tuple[int, int] | None = None
    wanted, counts = tuple(path), dict[Path, int]()
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        head, key = _HEAD.match(line), _KEY.match(line)
        if head is not None:
            table = _table(_parts(head[2]), counts, listed=head[1] == "[[")
            here = table
        elif key is not None:
            here = (*table, *_parts(key[1]))
        else:
            continue
        if here and wanted[: len(here)] == here and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _table(names: Path, counts: dict[Path, int], *, listed: bool) -> Path:
    """The path of a header, with the place of each list of tables that it goes through."""
    path: Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        last = place == len(names) - 1
        if listed and last:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def without_nothing(value: Any) -> Any:
    """Return a definition as TOML can hold it: a field that is None is not there."""
    if isinstance(value, Mapping):
        return {str(key): without_nothing(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [without_nothing(inner) for inner in value if inner is not None]
    return value
