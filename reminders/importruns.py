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
from reminders import imports, mapping, planner, tables
from reminders.models import ImportPart, ImportRun

PART = 500
DUE = ImportRun.state == "running"
# So long the rows that were not taken can be fetched.
KEPT = timedelta(days=30)
RAW = tuple[int, dict[str, str], list[str], str | None]


@dataclass(frozen=True)
class Wrong:
    """A row that was not taken: its line in the file, why, and its fields as they were."""

    line: int
    why: str
    fields: list[str]


@dataclass(frozen=True)
class Seen:
    """A row as it would be read: by our fields, or why it cannot be."""

    line: int
    values: dict[str, str]
    problem: str | None


def take_in(
    session: Session, clinic: Clinic, kind: str, source: str, table: tables.Table, *, by: str
) -> ImportRun:
    """Keep a file, sealed, with its columns guessed as they were chosen for this source before; nothing is imported yet."""
    run = ImportRun(
        id=db.new_id(), clinic_id=clinic.id, key_id=clinic.key_id, kind=kind, source=source, by=by,
        mapping=vars(mapping.guess(kind, table.header, remembered(session, clinic, kind, source))),
        header=json.dumps(table.header), created_at=clock.now(), try_after=clock.now(), rows=0, parts=0,
    )  # fmt: skip
    session.add(run)
    session.flush()
    for rows in planner.batches(table, PART):
        raw = [(row.line, row.values, row.fields, row.problem) for row in rows]
        part = ImportPart(
            id=db.new_id(), clinic_id=clinic.id, key_id=clinic.key_id, run_id=run.id, place=run.parts,
            rows=json.dumps(raw),
        )  # fmt: skip
        session.add(part)
        session.flush()
        session.expunge(part)  # what is kept is not needed again: memory stays that of one part
        run.parts, run.rows = run.parts + 1, run.rows + len(rows)
    audit.record(session, clinic.id, by, "import.taken_in", f"import_run:{run.id}", kind=kind, rows=run.rows)
    return run


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


def preview(
    session: Session, clinic: Clinic, run: ImportRun, columns: mapping.Columns, limit: int = 8
) -> list[Seen]:
    """Return the first rows as they would be read with these columns."""
    part = _part(session, run, 0)
    found = []
    for line, values, _, problem in _raw(part)[:limit] if part else []:
        read = columns.values(values)
        found.append(Seen(line, read, problem or _objection(run.kind, read, clinic)))
    return found


def start(session: Session, run: ImportRun, columns: mapping.Columns, *, by: str) -> None:
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
        audit.record(
            session, run.clinic_id, by, "import.stopped", f"import_run:{run.id}", done=run.parts_done
        )


def wrong(session: Session, run: ImportRun, limit: int | None = None) -> Iterator[Wrong]:
    """Yield the rows that were not taken, in the order of the file."""
    parts = (
        select(ImportPart)
        .where(ImportPart.run_id == run.id, ImportPart.wrong_ct.is_not(None))
        .order_by(ImportPart.place)
        .execution_options(yield_per=1)
    )
    told = 0
    for part in session.scalars(parts):
        for line, why, fields in json.loads(part.wrong or "[]"):
            if limit is not None and told >= limit:
                return
            told += 1
            yield Wrong(line, why, fields)


def sheet(session: Session, run: ImportRun) -> Iterator[str]:
    """Yield the lines of a file to mend and send again: the rows that were not taken, with their reasons, as they were."""
    names = header(run)
    kept = [place for place, name in enumerate(names) if name.strip().casefold() not in tables.NOTES]
    yield _line([*tables.NOTES, *(names[place] for place in kept)])
    for one in wrong(session, run):
        fields = one.fields + [""] * (len(names) - len(one.fields))
        yield _line([str(one.line), one.why, *(fields[place] for place in kept), *fields[len(names) :]])


def _line(fields: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(fields)
    return out.getvalue()


def header(run: ImportRun) -> list[str]:
    """Return the file's column names, as they were."""
    found: list[str] = json.loads(run.header or "[]")
    return found


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
        tally, refused = _import(session, clinic, run, _raw(part))
        run.tally = dict(Counter(run.tally) + tally)
        part.rows = None
        part.wrong = json.dumps([(one.line, one.why, one.fields) for one in refused]) if refused else None
        run.parts_done += 1
    if run.parts_done >= run.parts:
        run.state, run.ended_at = "done", clock.now()
        audit.record(session, run.clinic_id, run.by, "import.done", f"import_run:{run.id}", **run.tally)


def _import(
    session: Session, clinic: Clinic, run: ImportRun, raw: Sequence[RAW]
) -> tuple[Counter[str], list[Wrong]]:
    columns, kind = mapping.of(run.mapping), imports.KINDS[run.kind]
    tally: Counter[str] = Counter()
    refused: list[Wrong] = []
    read: list[tuple[RAW, Any]] = []
    for row in raw:
        try:
            read.append((row, _read(kind.read, row, columns, clinic)))
        except ValueError as problem:
            refused.append(Wrong(row[0], str(problem), row[2]))
    for (line, _, fields, _), change in _stored(session, clinic, kind, read):
        if isinstance(change, imports.Refused):
            refused.append(Wrong(line, change.why, fields))
        else:
            tally[change] += 1
    tally["failed"] += len(refused)
    return tally, sorted(refused, key=lambda one: one.line)


def _read(
    read: Callable[[dict[str, str], Clinic], Any], row: RAW, columns: mapping.Columns, clinic: Clinic
) -> Any:
    if row[3]:
        raise ValueError(row[3])
    return read(columns.values(row[1]), clinic)


def _stored(
    session: Session, clinic: Clinic, kind: imports.Kind[Any], read: Sequence[tuple[RAW, Any]]
) -> list[tuple[RAW, str | imports.Refused]]:
    """Store these rows together; if that fails, one by one, so that one bad row stops no other."""
    if not read:
        return []
    try:
        with session.begin_nested():
            changes = kind.store(session, clinic, [record for _, record in read])
    except Exception as error:  # noqa: BLE001 - whatever one row brings about, the others are stored
        if len(read) == 1:
            why = f"this row could not be stored ({type(error).__name__})"
            return [(read[0][0], imports.Refused(why))]
        logging.logger().warning("import batch failed", count=len(read), exc_info=error)
        return [done for one in read for done in _stored(session, clinic, kind, [one])]
    return [(row, change) for (row, _), change in zip(read, changes, strict=True)]


def _objection(kind: str, values: Mapping[str, str], clinic: Clinic) -> str | None:
    try:
        imports.KINDS[kind].read(dict(values), clinic)
    except ValueError as problem:
        return str(problem)
    return None


def _part(session: Session, run: ImportRun, place: int) -> ImportPart | None:
    return session.scalar(select(ImportPart).where(ImportPart.run_id == run.id, ImportPart.place == place))


def _raw(part: ImportPart) -> list[RAW]:
    return [
        (line, values, fields, problem) for line, values, fields, problem in json.loads(part.rows or "[]")
    ]


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
