"""What is wrong in a cadence file, and in which line."""

import re

from messaging.versions.problems import Problem

__all__ = ["BadCadence", "Location", "Problem", "field_of", "line_of"]

Location = tuple[int | str, ...]


class BadCadence(ValueError):
    """A cadence that cannot be used; `problems` holds all that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def field_of(location: Location) -> str:
    """A location such as ("steps", 1, "before") as people write it: "steps[1].before"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part[:40]}" for part in location).lstrip(".")


def line_of(location: Location, text: str) -> int | None:
    """The line of a field in a file laid out as the default is; None where the file writes it in another way.

    A field that is not there has the line of its table's header.
    """
    lines = text.splitlines()
    header = 0
    entry = next((place for place, part in enumerate(location) if isinstance(part, int)), None)
    if location[:1] in (("steps",), ("kinds",)) and entry:
        path = r"\s*\.\s*".join(rf"[\"']?{_escaped(part)}[\"']?" for part in location[:entry])
        headers = [number for number, line in enumerate(lines, 1) if re.match(rf"\s*\[\[\s*{path}\s*\]\]", line)]
        index = location[entry]
        if not isinstance(index, int) or index >= len(headers):
            return None
        header, location = headers[index], location[entry + 1 :]
    elif location and (table := _first(rf"\[\s*{_escaped(location[0])}\s*\]", lines)):
        header, location = table, location[1:]
    if not location:
        return header or None
    end = _first(r"\[", lines, header) or len(lines) + 1
    return _first(rf"{_escaped(location[0])}\s*=", lines[: end - 1], header) or header or None


def _escaped(part: int | str) -> str:
    return re.escape(str(part))


def _first(pattern: str, lines: list[str], after: int = 0) -> int | None:
    """The number of the first line below line `after` that begins with the pattern."""
    numbers = (number for number, line in enumerate(lines, 1) if number > after and re.match(rf"\s*{pattern}", line))
    return next(numbers, None)
