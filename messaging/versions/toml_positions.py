"""Where in the text of a TOML file a field stands, so that a mistake can be named with its line and column. Pure."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from messaging.versions.problems import Problem

Path = tuple[str | int, ...]
# What a clinic decides fits many times over; what is longer, deeper or wider was not written by hand.
LONGEST = 64 * 1024
DEEPEST = 8
WIDEST = 18
_HEAD = re.compile(r"(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_BROKEN = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
# Every alternative ends somewhere, also where its quotation mark is never closed: one walk, whatever the text.
_TOKEN = re.compile(
    r'''(?P<text>"""(?:\\.?|[^\\])*?(?:"""|\Z)|'{3}.*?(?:'{3}|\Z)|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)'''
    r"|(?P<word>[A-Za-z0-9_+-]+)|(?P<dot>\.)|(?P<space>[ \t]+)|(?P<other>#[^\n]*|.)",
    re.DOTALL,
)


class NotToml(ValueError):
    """A text that is no TOML: what was expected, in which line and column (from 1)."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.problem = Problem("file", f"column {column}: this is not TOML: {message}", line)


def read(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text. Raises NotToml, also for a text nobody writes and reading would not end."""
    if len(text.encode("utf-8", "replace")) > LONGEST:
        raise NotToml(f"this is more than the {LONGEST // 1024} kB that a file may hold", 1, 1)
    _refuse_what_takes_long(text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        position = _BROKEN.fullmatch(str(broken))
        lines = text.splitlines() or [""]
        end = (len(lines), len(lines[-1]) + 1)
        line, column = (int(position[2]), int(position[3])) if position and position[2] else end
        raise NotToml(position[1] if position else str(broken), line, column) from None
    except RecursionError:
        raise NotToml("tables inside tables without end", 1, 1) from None


def _refuse_what_takes_long(text: str) -> None:
    """Raise NotToml at a key of too many parts and at a number of too many digits, in one walk over the text.

    The reader needs time and memory that grow with the square of either.
    """
    parts, after_dot = 0, False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "space":
            continue
        if kind == "word" and token[0][:2].strip("+-")[:1].isdigit() and len(token[0]) > WIDEST:
            raise _at(text, token.start(), f"a number of more than {WIDEST} digits")
        named = kind in ("word", "text")
        parts = (parts + 1 if after_dot else 1) if named else parts if kind == "dot" else 0
        after_dot = kind == "dot"
        if parts > DEEPEST:
            raise _at(text, token.start(), f"a name of more than {DEEPEST} parts")


def _at(text: str, place: int, message: str) -> NotToml:
    line_begins = text.rfind("\n", 0, place) + 1
    return NotToml(message, text.count("\n", 0, place) + 1, place - line_begins + 1)


def path_of(field: str) -> Path:
    """Return a field such as "steps[1].before" as a path: ("steps", 1, "before")."""
    return tuple(int(part[1:-1]) if part.startswith("[") else part for part in re.findall(r"\[\d+\]|[^.\[\]]+", field))


def lines_of(text: str) -> dict[Path, int]:
    """Return the line (from 1) in which each table and each field of a text begins, by its path.

    Values over several lines are skipped as little as the files we write need: a string that holds a header or an
    assignment on a line of its own may be taken for one.
    """
    lines, counts = dict[Path, int](), dict[Path, int]()
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        head, key = _HEAD.match(line.strip()), _KEY.match(line.lstrip())
        if head is not None:
            table = _table(_parts(head[2]), counts, listed=head[1] == "[[")
            lines.setdefault(table, number)
        elif key is not None:
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def nearest(lines: Mapping[Path, int], path: Sequence[str | int]) -> int | None:
    """Return the line of the field at `path`, or of the nearest table around it; None where neither stands."""
    around = (tuple(path[:length]) for length in range(len(path), 0, -1))
    return next((lines[place] for place in around if place in lines), None)


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return what `nearest` says of one field; who asks for many keeps `lines_of`."""
    return nearest(lines_of(text), path)


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
