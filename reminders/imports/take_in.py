"""Takes in a file of patients or visits: sealed, part by part, before a row of it is imported."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Clinic
from reminders.imports import column_mapping, csv_files
from reminders.imports.models import ImportPart, ImportRun

PART = 500
LARGEST_PART = 500_000  # characters
# A column with more different values than these holds no states, languages or answers.
MOST_VALUES, LONGEST_VALUE = 25, 60
# So many files back is looked for one of the same columns.
LOOKED_BACK = 50


def take_in(clinic: Clinic, kind: str, source: str, table: csv_files.Table, *, by: str) -> ImportRun:
    """Keep a file, sealed, with its columns guessed
    as they were chosen for this source before; nothing is imported yet.

    Each part is a transaction of its own, so that nobody waits for a large file; while it is read, the run is
    "reading". Raises tables.BadFile, and then nothing is kept.
    """
    with db.unit_of_work(clinic.id) as session:
        guessed = column_mapping.guess(kind, table.header, remembered(session, clinic, kind, source, table.header))
        run = ImportRun(
            id=db.new_id(), clinic_id=clinic.id, key_id=clinic.key_id, kind=kind, source=source, by=by,
            mapping=guessed.stored(), meanings=json.dumps(guessed.meanings), header=json.dumps(table.header),
            created_at=clock.now(), try_after=clock.now(), rows=0, parts=0, state="reading",
        )  # fmt: skip
        session.add(run)
    counts = ValueCounts()
    try:
        for rows in _portions(table):
            counts.add(rows)
            with db.unit_of_work(clinic.id) as session:
                _keep_part(session, run, rows)
    except BaseException:
        with db.unit_of_work(clinic.id) as session:
            session.execute(delete(ImportRun).where(ImportRun.id == run.id))
        raise
    with db.unit_of_work(clinic.id) as session:
        run = session.merge(run)
        run.state, run.counts = "mapping", json.dumps(counts.few)
        audit.record(session, clinic.id, by, "import.taken_in", f"import_run:{run.id}", kind=kind, rows=run.rows)
    return run


class ValueCounts:
    """How often each value stands in each column; a column of more than MOST_VALUES different ones is left out."""

    def __init__(self) -> None:
        self._by_column: dict[str, Counter[str]] = {}

    @property
    def few(self) -> dict[str, dict[str, int]]:
        """By column, in small letters, its values with their rows."""
        return {name: dict(count) for name, count in self._by_column.items() if len(count) <= MOST_VALUES}

    def add(self, rows: Sequence[csv_files.Row]) -> None:
        """Count some rows."""
        for row in rows:
            for name, value in row.values.items():
                count = self._by_column.setdefault(name, Counter())
                if len(count) <= MOST_VALUES:
                    count[value[:LONGEST_VALUE]] += 1


def _portions(table: csv_files.Table) -> Iterator[list[csv_files.Row]]:
    """Yield the rows of a table in parts that are quickly written, however long the rows are."""
    rows: list[csv_files.Row] = []
    size = 0
    for row in table:
        rows.append(row)
        size += sum(map(len, row.fields))
        if len(rows) == PART or size > LARGEST_PART:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _keep_part(session: Session, run: ImportRun, rows: Sequence[csv_files.Row]) -> None:
    raw = [(row.line, row.values, row.fields, row.problem) for row in rows]
    db.load_keys(session, {run.key_id})
    part = ImportPart(
        id=db.new_id(), clinic_id=run.clinic_id, key_id=run.key_id, run_id=run.id, place=run.parts,
        rows=json.dumps(raw),
    )  # fmt: skip
    session.add(part)
    run.parts, run.rows = run.parts + 1, run.rows + len(rows)


def remembered(
    session: Session, clinic: Clinic, kind: str, source: str, header: Sequence[str]
) -> column_mapping.Columns | None:
    """Return the mapping that was last used for a file of the same columns, else for this source."""
    last = session.scalars(
        select(ImportRun)
        .where(ImportRun.clinic_id == clinic.id, ImportRun.kind == kind, ImportRun.started_at.is_not(None))
        .order_by(ImportRun.created_at.desc())
        .limit(LOOKED_BACK)
    ).all()
    names = _names(header)
    alike = next((run for run in last if _names(json.loads(run.header or "[]")) == names), None)
    run = alike or next((run for run in last if run.source == source), None)
    return columns_of(run) if run else None


def _names(header: Sequence[str]) -> set[str]:
    names = {name.strip().casefold() for name in header}
    return names - set(csv_files.NOTES)


def columns_of(run: ImportRun) -> column_mapping.Columns:
    """Return how the columns of a file are read."""
    return column_mapping.of(run.mapping, json.loads(run.meanings or "{}"))


def values_of(run: ImportRun, header: str) -> dict[str, int] | None:
    """Return the values of a column with their rows; None where they are too many to be looked at."""
    counts: dict[str, dict[str, int]] = json.loads(run.counts or "{}")
    return counts.get(header.strip().casefold())
