"""Takes in a file of patients or visits: sealed, part by part, before a row of it is imported."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.models import Clinic
from reminders.imports import column_mapping, csv_files
from reminders.imports.models import ImportPart, ImportRun

PART = 500
LARGEST_PART = 500_000  # characters


def take_in(clinic: Clinic, kind: str, source: str, table: csv_files.Table, *, by: str) -> ImportRun:
    """Keep a file, sealed, with its columns guessed
    as they were chosen for this source before; nothing is imported yet.

    Each part is a transaction of its own, so that nobody waits for a large file; while it is read, the run is
    "reading". Raises tables.BadFile, and then nothing is kept.
    """
    with db.unit_of_work(clinic.id) as session:
        run = ImportRun(
            id=db.new_id(), clinic_id=clinic.id, key_id=clinic.key_id, kind=kind, source=source, by=by,
            mapping=vars(column_mapping.guess(kind, table.header, remembered(session, clinic, kind, source))),
            header=json.dumps(table.header), created_at=clock.now(), try_after=clock.now(), rows=0, parts=0,
            state="reading",
        )  # fmt: skip
        session.add(run)
    try:
        for rows in _portions(table):
            with db.unit_of_work(clinic.id) as session:
                _keep_part(session, run, rows)
    except BaseException:
        with db.unit_of_work(clinic.id) as session:
            session.execute(delete(ImportRun).where(ImportRun.id == run.id))
        raise
    with db.unit_of_work(clinic.id) as session:
        run = session.merge(run)
        run.state = "mapping"
        audit.record(session, clinic.id, by, "import.taken_in", f"import_run:{run.id}", kind=kind, rows=run.rows)
    return run


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


def remembered(session: Session, clinic: Clinic, kind: str, source: str) -> dict[str, Any] | None:
    """Return the mapping that was last used for this source."""
    return session.scalar(
        select(ImportRun.mapping)
        .where(
            ImportRun.clinic_id == clinic.id,
            ImportRun.kind == kind,
            ImportRun.source == source,
            ImportRun.started_at.is_not(None),
        )
        .order_by(ImportRun.created_at.desc())
        .limit(1)
    )
