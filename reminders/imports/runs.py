"""Files that were handed in on a page: kept sealed in parts, told apart by their columns, worked off part by part.

A part and its count are one transaction: whatever dies, the run goes on at the part it had come to, and a row that is
read twice changes nothing the second time.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from config import audit, clock, db, keys, queue
from messaging.models import Clinic
from reminders.imports import checking, completeness, csv_files, parts
from reminders.imports.models import ImportPart, ImportRun

WAITING = ("checking", "running")
DUE = ImportRun.state.in_(WAITING)
NOT_STORED = "the rows around this one could not be stored: send them again"
# So long the rows that were not taken can be fetched.
KEPT = timedelta(days=30)


def start(session: Session, run: ImportRun, *, complete: Mapping[str, Any] | None = None, by: str) -> None:
    """Let the run begin; `complete` is what is cancelled at its end (completeness.decide)."""
    if run.state not in ("mapping", "checked"):
        return
    run.state, run.complete = "running", dict(complete or {})
    run.findings = run.counts = None
    run.started_at = run.try_after = clock.now()
    session.execute(update(ImportPart).where(ImportPart.run_id == run.id).values(wrong_ct=None))
    audit.record(session, run.clinic_id, by, "import.started", f"import_run:{run.id}", rows=run.rows)
    queue.ring(session, "imports")


def stop(session: Session, run: ImportRun, *, by: str) -> None:
    """Stop a run; what it has imported stays, and the rest of the file is forgotten."""
    if run.state in (*WAITING, "mapping", "checked"):
        run.state, run.ended_at = "stopped", clock.now()
        run.findings = run.counts = None
        session.execute(update(ImportPart).where(ImportPart.run_id == run.id).values(rows_ct=None))
        audit.record(session, run.clinic_id, by, "import.stopped", f"import_run:{run.id}", done=run.parts_done)


def wrong(session: Session, run: ImportRun, limit: int | None = None) -> Iterator[parts.Wrong]:
    """Yield the rows that were not taken, or not whole, in the order of the file."""
    with_some = (
        select(ImportPart)
        .where(ImportPart.run_id == run.id, ImportPart.wrong_ct.is_not(None))
        .order_by(ImportPart.place)
        .execution_options(yield_per=1)
    )
    yielded = 0
    for part in session.scalars(with_some):
        for row in parts.kept_wrong(part):
            if limit is not None and yielded >= limit:
                return
            yielded += 1
            yield row


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
    if run.state != "running" or not run.started_at or not run.parts_done or run.parts_done >= run.parts:
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
    return db.oldest(session, ImportRun, DUE, now)


def _work(session: Session, runs: Sequence[ImportRun]) -> None:
    for run in runs:
        if run.state == "checking":
            checking.next_part(session, run)
        elif run.state == "running":
            _next_part(session, run)


def _next_part(session: Session, run: ImportRun) -> None:
    part = parts.part_of(session, run, run.parts_done)
    if part is not None:
        clinic = session.get_one(Clinic, run.clinic_id)
        tally, wrong_rows = parts.store(session, clinic, run, parts.raw(part))
        run.tally = dict(Counter(run.tally) + tally)
        part.rows = None
        parts.keep_wrong(part, wrong_rows)
    run.parts_done = min(run.parts_done + 1, run.parts)
    if run.parts_done >= run.parts:
        _finish(session, run)


def _finish(session: Session, run: ImportRun) -> None:
    """Cancel what a complete file does not hold, some at a time; then the run is done."""
    if part_left := run.complete.get("left"):
        since = run.checked_at or run.created_at
        run.complete = completeness.withdraw(session, run.clinic_id, run.complete, since, run.by)
        if len(part_left) > completeness.BATCH:
            return
    run.state, run.ended_at = "done", clock.now()
    audit.record(session, run.clinic_id, run.by, "import.done", f"import_run:{run.id}", **run.tally)


def _give_up(session: Session, run: ImportRun) -> None:
    """A part that cannot be worked on at all: its rows stand among those that were not taken, and the run goes on.

    Where not even its rows can be read the run is stopped: the page says so, and the file can be sent again.
    """
    if run.state == "running" and run.parts_done >= run.parts:  # its rows are in; what is missing stays as it is
        run.state, run.ended_at = "done", clock.now()
        return
    part = parts.part_of(session, run, run.parts_checked if run.state == "checking" else run.parts_done)
    wrong_rows: list[parts.Wrong] = []
    if part is not None:
        try:
            wrong_rows = [parts.Wrong(row[0], (NOT_STORED,), row[2]) for row in parts.raw(part)]
        except keys.WrongKey:
            stop(session, run, by="system:imports")
            return
        parts.keep_wrong(part, wrong_rows)
    if run.state == "checking":
        checking.give_up_part(session, run, wrong_rows)
    else:
        if part is not None:
            part.rows = None
        run.tally = dict(Counter(run.tally) + Counter(failed=len(wrong_rows)))
        run.parts_done += 1
    run.attempts, run.try_after = 0, clock.now()
