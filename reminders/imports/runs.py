"""Files that were handed in on a page: kept sealed in parts, told apart by their columns, worked off part by part.

A part and its count are one transaction: whatever dies, the run goes on at the part it had come to, and a row that is
read twice changes nothing the second time.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from config import audit, clock, db, keys, logging, queue
from messaging.models import Clinic
from reminders.imports import column_mapping, csv_files, csv_import
from reminders.imports.models import ImportPart, ImportRun

DUE = ImportRun.state == "running"
# So long the rows that were not taken can be fetched.
KEPT = timedelta(days=30)
RAW = tuple[int, dict[str, str], list[str], str | None]


@dataclass(frozen=True)
class Wrong:
    """A row that was not taken, or `taken` without what could not be used:
    its line, why, and its fields as they were."""

    line: int
    why: str
    fields: list[str]
    taken: bool = False


@dataclass(frozen=True)
class Seen:
    """A row as it would be read: by our fields, or why it cannot be, or what would be left out of it."""

    line: int
    values: dict[str, str]
    problem: str | None
    note: str | None = None


def preview(
    session: Session, clinic: Clinic, run: ImportRun, columns: column_mapping.Columns, limit: int = 8
) -> list[Seen]:
    """Return the first rows as they would be read with these columns."""
    part = _part(session, run, 0)
    rows = []
    for line, values, _, problem in _raw(part)[:limit] if part else []:
        read = columns.values(values)
        wrong, note = (problem, None) if problem else _said_of(run.kind, read, clinic)
        rows.append(Seen(line, read, wrong, note))
    return rows


def start(session: Session, run: ImportRun, columns: column_mapping.Columns, *, by: str) -> None:
    """Let the run begin with these columns."""
    if run.state != "mapping":
        return
    run.mapping, run.state = vars(columns), "running"
    run.started_at = run.try_after = clock.now()
    audit.record(session, run.clinic_id, by, "import.started", f"import_run:{run.id}", rows=run.rows)
    queue.ring(session, "imports")


def stop(session: Session, run: ImportRun, *, by: str) -> None:
    """Stop a run; what it has imported stays, and the rest of the file is forgotten."""
    if run.state in ("mapping", "running"):
        run.state, run.ended_at = "stopped", clock.now()
        session.execute(update(ImportPart).where(ImportPart.run_id == run.id).values(rows_ct=None))
        audit.record(session, run.clinic_id, by, "import.stopped", f"import_run:{run.id}", done=run.parts_done)


def wrong(session: Session, run: ImportRun, limit: int | None = None) -> Iterator[Wrong]:
    """Yield the rows that were not taken, or not whole, in the order of the file."""
    parts = (
        select(ImportPart)
        .where(ImportPart.run_id == run.id, ImportPart.wrong_ct.is_not(None))
        .order_by(ImportPart.place)
        .execution_options(yield_per=1)
    )
    yielded = 0
    for part in session.scalars(parts):
        for kept in json.loads(part.wrong or "[]"):
            if limit is not None and yielded >= limit:
                return
            yielded += 1
            yield Wrong(*kept)


def sheet(session: Session, run: ImportRun) -> Iterator[str]:
    """Yield the lines of a file to mend and send again:
    the rows not taken, or not whole, with their reasons, as they were."""
    names = header(run)
    kept = [place for place, name in enumerate(names) if name.strip().casefold() not in csv_files.NOTES]
    yield _line([*csv_files.NOTES, *(names[place] for place in kept)])
    for row in wrong(session, run):
        fields = row.fields + [""] * (len(names) - len(row.fields))
        yield _line([str(row.line), row.why, *(fields[place] for place in kept), *fields[len(names) :]])


def _line(fields: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([csv_files.as_text(field) for field in fields])
    return out.getvalue()


def header(run: ImportRun) -> list[str]:
    """Return the file's column names, as they were."""
    names: list[str] = json.loads(run.header or "[]")
    return names


def left(run: ImportRun, now: datetime) -> timedelta | None:
    """Return how long the rest will take if it goes on as it went; None while nobody can say."""
    if not run.started_at or not run.parts_done or run.parts_done >= run.parts:
        return None
    return (now - run.started_at) / run.parts_done * (run.parts - run.parts_done)


def drain() -> int:
    """Work the lane off, a part of each run at a time, and forget what is kept no longer."""
    handled = db.work_off(ImportRun, DUE, _work, give_up=_give_up, batch=1)
    with db.unit_of_work(db.EVERY) as session:
        old = or_(ImportRun.ended_at < clock.now() - KEPT, ImportRun.created_at < clock.now() - 2 * KEPT)
        session.execute(delete(ImportPart).where(ImportPart.run_id.in_(select(ImportRun.id).where(old))))
    return handled


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a run waits for its next part."""
    free = or_(ImportRun.lease_until.is_(None), ImportRun.lease_until <= now)
    return session.scalar(select(func.min(ImportRun.try_after)).where(DUE, ImportRun.try_after <= now, free))


def _work(session: Session, runs: Sequence[ImportRun]) -> None:
    for run in runs:
        if run.state == "running":
            _next_part(session, run)


def _next_part(session: Session, run: ImportRun) -> None:
    part = _part(session, run, run.parts_done)
    if part is not None:
        clinic = session.get_one(Clinic, run.clinic_id)
        tally, wrong_rows = _import(session, clinic, run, _raw(part))
        run.tally = dict(Counter(run.tally) + tally)
        part.rows = None
        part.wrong = (
            json.dumps([(row.line, row.why, row.fields, row.taken) for row in wrong_rows]) if wrong_rows else None
        )
        run.parts_done += 1
    if run.parts_done >= run.parts:
        run.state, run.ended_at = "done", clock.now()
        audit.record(session, run.clinic_id, run.by, "import.done", f"import_run:{run.id}", **run.tally)


def _import(session: Session, clinic: Clinic, run: ImportRun, raw: Sequence[RAW]) -> tuple[Counter[str], list[Wrong]]:
    columns, kind = column_mapping.of(run.mapping), csv_import.KINDS[run.kind]
    tally: Counter[str] = Counter()
    wrong_rows: list[Wrong] = []
    read: list[tuple[RAW, Any]] = []
    for row in raw:
        try:
            read.append((row, _read(kind.read, row, columns, clinic)))
        except ValueError as problem:
            wrong_rows.append(Wrong(row[0], str(problem), row[2]))
    for (line, _, fields, _), became in _stored(session, clinic, kind, read):
        if isinstance(became, csv_import.Refused):
            wrong_rows.append(Wrong(line, became.why, fields))
            continue
        tally += csv_import.tally_of(became)
        if became.note:
            wrong_rows.append(Wrong(line, became.note, fields, taken=True))
    tally["failed"] += sum(not row.taken for row in wrong_rows)
    return tally, sorted(wrong_rows, key=lambda row: row.line)


def _read(
    read: Callable[[dict[str, str], Clinic], Any], row: RAW, columns: column_mapping.Columns, clinic: Clinic
) -> Any:
    if row[3]:
        raise ValueError(row[3])
    return read(columns.values(row[1]), clinic)


def _stored(
    session: Session, clinic: Clinic, kind: csv_import.Kind[Any], read: Sequence[tuple[RAW, Any]]
) -> list[tuple[RAW, csv_import.Taken | csv_import.Refused]]:
    """Store these rows together; if that fails, one by one, so that one bad row stops no other."""
    if not read:
        return []
    try:
        with session.begin_nested():
            became = kind.store(session, clinic, [record for _, record in read])
    except Exception as error:  # noqa: BLE001 - whatever one row brings about, the others are stored
        if len(read) == 1:
            why = f"this row could not be stored ({type(error).__name__})"
            return [(read[0][0], csv_import.Refused(why))]
        logging.logger().warning("import batch failed", count=len(read), exc_info=error)
        return [done for single in read for done in _stored(session, clinic, kind, [single])]
    return [(row, outcome) for (row, _), outcome in zip(read, became, strict=True)]


def _said_of(kind: str, values: Mapping[str, str], clinic: Clinic) -> tuple[str | None, str | None]:
    """What is wrong with a row, and what would be left out of one that is taken."""
    try:
        record = csv_import.KINDS[kind].read(dict(values), clinic)
    except ValueError as problem:
        return str(problem), None
    return None, getattr(record, "left_out", None)


def _part(session: Session, run: ImportRun, place: int) -> ImportPart | None:
    return session.scalar(select(ImportPart).where(ImportPart.run_id == run.id, ImportPart.place == place))


def _raw(part: ImportPart) -> list[RAW]:
    return [(line, values, fields, problem) for line, values, fields, problem in json.loads(part.rows or "[]")]


def _give_up(session: Session, run: ImportRun) -> None:
    """A part that cannot be worked on at all: its rows stand among those that were not taken, and the run goes on.

    Where not even its rows can be read the run is stopped: the page says so, and the file can be sent again.
    """
    part = _part(session, run, run.parts_done)
    if part is not None:
        try:
            rows = _raw(part)
        except keys.WrongKey:
            stop(session, run, by="system:imports")
            return
        why = "the rows around this one could not be stored: send them again"
        part.wrong, part.rows = json.dumps([(row[0], why, row[2]) for row in rows]), None
        run.tally = dict(Counter(run.tally) + Counter(failed=len(rows)))
    run.parts_done += 1
    run.attempts, run.try_after = 0, clock.now()
