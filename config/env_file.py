"""Reads settings from a file such as .env: NAME=value lines, as people and other tools write them.

A line is NAME=value, with or without `export` before it; empty lines and lines that begin with # say nothing. A value
may stand in single or double quotes and is then taken as it is between them; without quotes it ends before " #".
Nothing is expanded or run.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*")
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<inner>.*)(?P=quote)(?:\s+#.*)?""")


class BadFile(ValueError):
    """The file cannot be read as settings; `problems` has a sentence for each reason and repeats no value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read(path: Path) -> dict[str, str]:
    """Return the values of the file by name, the last of several; raises BadFile with every mistake."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise BadFile([f"{path} cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise BadFile([f"{path} cannot be read: it is not a text in UTF-8"]) from None
    values, wrong = {}, []
    for number, line in _lines(text):
        match = _LINE.fullmatch(line)
        if match is None:
            wrong.append(f"{path} line {number}: expected NAME=value")
        else:
            values[match["name"]] = _value(match["value"])
    if wrong:
        raise BadFile(wrong)
    return values


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _value(raw: str) -> str:
    quoted = _QUOTED.fullmatch(raw)
    if quoted is not None:
        return quoted["inner"]
    return re.split(r"(?:^|\s)#", raw, maxsplit=1)[0].rstrip()
