"""The rows of one part of a file: read, stored, and those that were not taken with the reason why."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import logging
from messaging.models import Clinic
from reminders.imports import column_mapping, csv_import, faults, take_in
from reminders.imports.models import ImportPart, ImportRun

RAW = tuple[int, dict[str, str], list[str], str | None]


@dataclass(frozen=True)
class Wrong:
    """A row that was not taken, or `taken` without what could not be used:
    its line, all that is wrong with it, and its fields as they were."""

    line: int
    faults: tuple[str, ...]
    fields: list[str]
    taken: bool = False

    @property
    def why(self) -> str:
        """All that is wrong with it, in one line."""
        return faults.line(self.faults)


def part_of(session: Session, run: ImportRun, place: int) -> ImportPart | None:
    """Return a part by its place."""
    return session.scalar(select(ImportPart).where(ImportPart.run_id == run.id, ImportPart.place == place))


def raw(part: ImportPart) -> list[RAW]:
    """Return the rows of a part: line, values by header, fields as they were, what is wrong with it."""
    return [(line, values, fields, problem) for line, values, fields, problem in json.loads(part.rows or "[]")]


def every_row(session: Session, run: ImportRun) -> Iterator[RAW]:
    """Yield all rows that are still kept."""
    for place in range(run.parts):
        part = part_of(session, run, place)
        yield from raw(part) if part is not None else ()


def keep_wrong(part: ImportPart, wrong: Sequence[Wrong]) -> None:
    """Keep the rows that were not taken, sealed."""
    part.wrong = json.dumps([astuple(row) for row in wrong]) if wrong else None


def kept_wrong(part: ImportPart) -> Iterator[Wrong]:
    """Yield the rows of a part that were not taken."""
    for line, said, fields, taken in json.loads(part.wrong or "[]"):
        # Before every fault was kept, the first was, as one sentence.
        yield Wrong(line, (said,) if isinstance(said, str) else tuple(said), fields, taken)


def store(session: Session, clinic: Clinic, run: ImportRun, rows: Sequence[RAW]) -> tuple[Counter[str], list[Wrong]]:
    """Import these rows; return how many became what, and those that were not taken or not whole."""
    columns, kind = take_in.columns_of(run), csv_import.KINDS[run.kind]
    tally: Counter[str] = Counter()
    wrong_rows: list[Wrong] = []
    records: list[tuple[RAW, Any]] = []
    for row in rows:
        try:
            records.append((row, read(run.kind, row, columns, clinic)))
        except ValueError as problem:
            wrong_rows.append(Wrong(row[0], faults.of(problem), row[2]))
    keep = partial(kind.store, actor=run.by) if kind.signed else kind.store
    for (line, _, fields, _), became in _stored(session, clinic, keep, records):
        if isinstance(became, csv_import.Refused):
            wrong_rows.append(Wrong(line, became.faults, fields))
            continue
        tally += csv_import.tally_of(became)
        if became.note:
            wrong_rows.append(Wrong(line, (became.note,), fields, taken=True))
    tally["failed"] += sum(not row.taken for row in wrong_rows)
    return tally, sorted(wrong_rows, key=lambda row: row.line)


def read(kind: str, row: RAW, columns: column_mapping.Columns, clinic: Clinic) -> Any:
    """Return a row as the record of its kind. Raises WrongRow with all reasons why it is none."""
    if row[3]:
        raise faults.WrongRow(row[3])
    return csv_import.KINDS[kind].read(columns.values(row[1]), clinic)


def _stored(
    session: Session,
    clinic: Clinic,
    keep: Callable[..., list[csv_import.Taken | csv_import.Refused]],
    read_rows: Sequence[tuple[RAW, Any]],
) -> list[tuple[RAW, csv_import.Taken | csv_import.Refused]]:
    """Store these rows together; if that fails, one by one, so that one bad row stops no other."""
    if not read_rows:
        return []
    try:
        with session.begin_nested():
            became = keep(session, clinic, [record for _, record in read_rows])
    except Exception as error:  # noqa: BLE001 - whatever one row brings about, the others are stored
        if len(read_rows) == 1:
            why = f"this row could not be stored ({type(error).__name__})"
            return [(read_rows[0][0], csv_import.Refused((why,)))]
        logging.logger().warning("import batch failed", count=len(read_rows), exc_info=error)
        return [done for single in read_rows for done in _stored(session, clinic, keep, [single])]
    return [(row, outcome) for (row, _), outcome in zip(read_rows, became, strict=True)]
