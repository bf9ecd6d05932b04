"""Reads a CSV file row by row, whoever made it,
and writes the rows that were wrong to a file that can be sent again."""

import contextlib
import csv
import io
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

# One record may span this many lines; after that, a quotation mark was opened by mistake and would swallow the file.
LONGEST_RECORD = 20
# A line this long is no line of a table, and reading it whole would fill the memory.
LONGEST_LINE = 65_536
WIDE = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
# More lines than any clinic's file has: who sends so many has sent something else.
MOST_LINES = 2_000_000
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zX", b"7z\xbc\xaf", b"Rar!", b"\x28\xb5\x2f\xfd")
NOTES = ("line", "reason")


# What a spreadsheet takes for a formula (ASVS 1.2.10), and what we put before it, and take away when it comes back.
# The wide ones are those of Japanese keyboards, which a spreadsheet there takes for the narrow.
FORMULA, SHOWN_AS_IT_IS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n"), "'"


def as_text(field: str) -> str:
    """Return a field so that a spreadsheet shows it and does not work it out; a line in it ends as lines do here."""
    field = field.replace("\r\n", "\n").replace("\r", "\n")  # a bare CR is not quoted, and would begin a row
    # One that looks as if it had come from here gets a second mark, so that the first is not taken away.
    return SHOWN_AS_IT_IS + field if field.lstrip(SHOWN_AS_IT_IS).startswith(FORMULA) else field


def from_text(field: str) -> str:
    """Return a field as it was before `as_text`."""
    marked = field.startswith(SHOWN_AS_IT_IS) and field.lstrip(SHOWN_AS_IT_IS).startswith(FORMULA)
    return field[1:] if marked else field


class BadFile(Exception):
    """The file cannot be imported at all; the message says why, in words. Nothing was done."""


@dataclass(frozen=True)
class Row:
    """A record of the file: the line it begins on, its values by column,
    its fields as they were, perhaps what is wrong."""

    line: int
    values: dict[str, str]
    fields: list[str]
    problem: str | None = None


class Table:
    """A CSV file being read. `line` is the last line read, `lines` how many there are;
    iterating yields its rows once."""

    def __init__(self, file: io.TextIOBase, lines: int, required: Sequence[str]) -> None:
        self.lines = lines
        self.line = 0
        self._file = file
        self._waiting: deque[str] = deque()
        self._dialect = ","
        self.header = self._read_header()
        self.columns = [name.strip().casefold() for name in self.header]
        self._check(required)

    def __iter__(self) -> Iterator[Row]:
        while (text := self._next_line()) is not None:
            if text.strip(" \t\r\n" + self._dialect):
                yield self._row(text)

    def _read_header(self) -> list[str]:
        while (text := self._next_line()) is not None:
            if not text.strip():
                continue
            self._dialect = max(",;\t", key=text.count)
            with contextlib.suppress(csv.Error):
                return self._parse([text])
            break
        raise BadFile("the file has no line of column names at its top")

    def _check(self, required: Sequence[str]) -> None:
        present = ", ".join(printable(name) for name in self.header)
        missing = [name for name in required if name not in self.columns]
        if missing:
            raise BadFile(f"the file has no column {' and no column '.join(missing)}; found: {present}")
        twice = sorted({name for name in self.columns if name and self.columns.count(name) > 1})
        if twice:
            raise BadFile(f"two columns have the same name: {', '.join(map(printable, twice))}")

    def _row(self, text: str) -> Row:
        """The record that begins with this line; what cannot be read is one wrong row,
        and the next line begins anew."""
        begins, read = self.line, [text]
        if len(text) == LONGEST_LINE:
            return Row(begins, {}, [text[:200]], "this line is too long")
        while True:
            try:
                fields = self._parse(read)
            except csv.Error as error:
                ahead = self._next_line() if _is_open(error) and len(read) < LONGEST_RECORD else None
                if ahead is not None:
                    read.append(ahead)
                    continue
                self._give_back(read[1:])
                return Row(begins, {}, self._as_it_is(text), _in_words(error))
            return self._checked(begins, fields)

    def _checked(self, line: int, fields: list[str]) -> Row:
        problem = None
        if len(fields) > len(self.columns) and any(field.strip() for field in fields[len(self.columns) :]):
            problem = f"{len(fields)} fields, but {len(self.columns)} columns: is a quotation mark missing?"
        elif any("\udc80" <= character <= "\udcff" for field in fields for character in field):
            problem = "not written in UTF-8: save the file as CSV UTF-8"
        elif any("\0" in field for field in fields):
            problem = "a NUL character stands in this row"
        values = {name: value.strip() for name, value in zip(self.columns, fields, strict=False) if name}
        return Row(line, values, fields, problem)

    def _parse(self, lines: Sequence[str]) -> list[str]:
        fields = next(csv.reader(lines, delimiter=self._dialect, strict=True), [])
        return [from_text(field) for field in fields]

    def _as_it_is(self, text: str) -> list[str]:
        with contextlib.suppress(csv.Error):
            return next(csv.reader([text], delimiter=self._dialect, quoting=csv.QUOTE_NONE), [])
        return [text[:200]]

    def _next_line(self) -> str | None:
        text = self._waiting.popleft() if self._waiting else self._read_line()
        self.line += bool(text)
        return text or None

    def _read_line(self) -> str:
        text = self._file.readline(LONGEST_LINE)
        rest = text
        while len(rest) == LONGEST_LINE and rest[-1] not in "\r\n":
            rest = self._file.readline(LONGEST_LINE)
        return text

    def _give_back(self, lines: Sequence[str]) -> None:
        self._waiting.extendleft(reversed(lines))
        self.line -= len(lines)


class Errors:
    """The file of wrong rows: line, reason, then the row as it was. It is made when the first one is written."""

    def __init__(self, table: Table, path: Path | None) -> None:
        self._table, self._path = table, path
        self._file: io.TextIOWrapper | None = None
        self._kept = [at for at, name in enumerate(table.columns) if name not in NOTES]

    def __enter__(self) -> "Errors":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def write(self, row: Row, reason: str) -> None:
        """Write one wrong row. Bytes that were no UTF-8 come out as they were."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._open(self._path)
            self._put([*NOTES, *(self._table.header[at] for at in self._kept)])
        fields = row.fields + [""] * (len(self._table.columns) - len(row.fields))
        beyond = range(len(self._table.columns), len(fields))
        self._put([str(row.line), reason, *(fields[at] for at in (*self._kept, *beyond))])

    def _put(self, fields: Iterable[Any]) -> None:
        texts = [as_text(str(field)) for field in fields]
        csv.writer(self._file, lineterminator="\n").writerow(texts)  # type: ignore[arg-type]

    @staticmethod
    def _open(path: Path) -> io.TextIOWrapper:
        # Patients' names are in it: nobody but the operator may read it.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return open(handle, "w", encoding="utf-8", errors="surrogateescape", newline="")


@contextlib.contextmanager
def opened(path: Path, required: Sequence[str]) -> Iterator[Table]:
    """Open a CSV file with at least these columns. Raises BadFile."""
    try:
        with open(path, "rb") as raw:
            lines = _count(raw)
    except OSError as error:
        raise BadFile(f"the file cannot be read: {error.strerror}") from None
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        yield Table(file, lines, required)


def errors(table: Table, path: Path | None, source: Path) -> Errors:
    """Return the file of wrong rows for a table; with no path they are only counted. Raises BadFile."""
    if path is not None and path.resolve() == source.resolve():
        raise BadFile("the file of errors would overwrite the file itself")
    if path is not None and not os.access(path.resolve().parent, os.W_OK):
        raise BadFile("the file of errors cannot be written there")
    return Errors(table, path)


def printable(text: str) -> str:
    """Return a text from a stranger's file so that a terminal can show it."""
    return "".join(character if character.isprintable() else "?" for character in text)[:60]


def _count(raw: io.BufferedReader) -> int:
    """How many lines there are; what is no text in bytes is refused in words."""
    start = raw.read(4)
    if start.startswith(SPREADSHEETS):
        raise BadFile("this is a spreadsheet, not a CSV file: save it as CSV UTF-8")
    if start.startswith(PACKED):
        raise BadFile("this is a packed file, not a CSV file: unpack it and send what was in it")
    if start[:2] in WIDE:
        raise BadFile(f"the file is written in {WIDE[start[:2]]}: save it as CSV UTF-8")
    raw.seek(0)
    lines, last = 0, b"\n"
    while chunk := raw.read(1 << 20):
        ends = chunk.count(b"\n")
        lines += ends if ends else chunk.count(b"\r")
        last = chunk
    if lines > MOST_LINES:
        raise BadFile(f"the file has more than {MOST_LINES:,} lines: send it in parts")
    return lines + (not last.endswith((b"\n", b"\r")))


def _is_open(error: csv.Error) -> bool:
    return "unexpected end of data" in str(error)


def _in_words(error: csv.Error) -> str:
    if _is_open(error):
        return "a quotation mark is opened and never closed"
    if "field larger" in str(error):
        return "a field is too long"
    return "a quotation mark stands where none can: double it inside a quoted field"
