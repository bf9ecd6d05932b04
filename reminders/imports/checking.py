"""Looks at every row of a file before any is imported: each part is stored as it would be, and taken back."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from config import audit, clock, queue
from messaging.models import Clinic
from reminders.imports import column_mapping, completeness, csv_import, faults, parts, take_in
from reminders.imports.models import ImportPart, ImportRun

# So many reasons are kept apart, each with so many of its rows; the rest is in the file of rows that are not taken.
MOST_REASONS, ROWS_EACH, FIRST = 40, 3, 3
# A file this short is looked at while the page is asked for; longer ones wait for the lane.
AT_ONCE = 25


@dataclass
class Findings:
    """What a check found.

    `tally` as an import counts; `reasons` by fault how many rows have it, whether they are taken, and the first of them
    (line and fields); `first` the first rows that are good, by our fields; `missing` by scope what a complete file does
    not hold (completeness.Missing); `nameless` rows by which nobody can tell; `days` the first and the last of them.
    """

    tally: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)
    first: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    missing: dict[str, dict[str, Any]] = field(default_factory=dict)
    nameless: int = 0
    days: list[str] = field(default_factory=list)

    @property
    def good(self) -> int:
        """How many rows would be taken."""
        return sum(self.tally.get(name, 0) for name in csv_import.ROWS if name != "failed")

    def add(self, tally: Counter[str], wrong: Sequence[parts.Wrong]) -> None:
        """Count what a part has come to."""
        self.tally = dict(Counter(self.tally) + tally)
        for row in wrong:
            for fault in row.faults:
                self._count(fault, row)

    def _count(self, fault: str, row: parts.Wrong) -> None:
        if fault in self.reasons or len(self.reasons) < MOST_REASONS:
            reason = self.reasons.setdefault(fault, {"count": 0, "taken": row.taken, "rows": []})
            reason["count"] += 1
            reason["rows"] += [(row.line, row.fields)] if len(reason["rows"]) < ROWS_EACH else []


@dataclass(frozen=True)
class Seen:
    """A row as it would be read: by our fields, or all that is wrong with it, or what would be left out of it."""

    line: int
    values: dict[str, str]
    faults: tuple[str, ...] = ()
    note: str | None = None


def preview(
    session: Session, clinic: Clinic, run: ImportRun, columns: column_mapping.Columns, limit: int = 8
) -> list[Seen]:
    """Return the first rows as they would be read with these columns; while one is missing no row is judged."""
    part = parts.part_of(session, run, 0)
    judged = not column_mapping.missing(run.kind, columns)
    return [_seen(run.kind, row, columns, clinic, judged) for row in parts.raw(part)[:limit]] if part else []


def _seen(kind: str, row: parts.RAW, columns: column_mapping.Columns, clinic: Clinic, judged: bool) -> Seen:
    values = columns.values(row[1])
    try:
        record = parts.read(kind, row, columns, clinic) if judged or row[3] else None
    except ValueError as problem:
        return Seen(row[0], values, faults.of(problem))
    return Seen(row[0], values, note=getattr(record, "left_out", None))


def start(session: Session, run: ImportRun, columns: column_mapping.Columns) -> None:
    """Let every row be looked at with these columns; what was found with others is forgotten."""
    if run.state not in ("mapping", "checked"):
        return
    run.mapping, run.meanings = columns.stored(), json.dumps(columns.meanings)
    run.state, run.parts_checked, run.findings = "checking", 0, None
    run.try_after = clock.now()
    session.execute(update(ImportPart).where(ImportPart.run_id == run.id).values(wrong_ct=None))
    if run.rows <= AT_ONCE:
        while run.state == "checking":
            next_part(session, run)
    else:
        queue.ring(session, "imports")


def again(run: ImportRun) -> None:
    """Go back to the columns."""
    if run.state in ("checking", "checked"):
        run.state = "mapping"


def findings(run: ImportRun) -> Findings:
    """Return what was found so far."""
    return Findings(**json.loads(run.findings or "{}"))


def decide(session: Session, run: ImportRun, scope: str, typed: str) -> dict[str, Any]:
    """Return what is cancelled at the end of the import (completeness.decide). Raises completeness.Held."""
    found, clinic = findings(run), session.get_one(Clinic, run.clinic_id)
    missing = completeness.Missing(**found.missing.get(scope, {}))
    return completeness.decide(clinic, scope if scope in found.missing else "", missing, found.nameless, typed)


def next_part(session: Session, run: ImportRun) -> None:
    """Look at the next part; after the last the run is checked."""
    part, found = parts.part_of(session, run, run.parts_checked), findings(run)
    if part is not None:
        rows, clinic = parts.raw(part), session.get_one(Clinic, run.clinic_id)
        with _taken_back(session):
            tally, wrong = parts.store(session, clinic, run, rows)
        found.add(tally, wrong)
        parts.keep_wrong(part, wrong)
        _keep_first(run, found, rows, wrong)
    _go_on(session, run, found)


def give_up_part(session: Session, run: ImportRun, wrong: Sequence[parts.Wrong]) -> None:
    """Count the rows of a part that cannot be looked at among those that are not taken."""
    found = findings(run)
    found.add(Counter(failed=len(wrong)), wrong)
    _go_on(session, run, found)


def _go_on(session: Session, run: ImportRun, found: Findings) -> None:
    run.parts_checked += 1
    if run.parts_checked >= run.parts:
        _finish(session, session.get_one(Clinic, run.clinic_id), run, found)
    run.findings = json.dumps(asdict(found))


@contextmanager
def _taken_back(session: Session) -> Iterator[None]:
    nested = session.begin_nested()
    try:
        yield
        session.flush()
    finally:
        nested.rollback()


def _keep_first(run: ImportRun, found: Findings, rows: Sequence[parts.RAW], wrong: Sequence[parts.Wrong]) -> None:
    refused = {row.line for row in wrong if not row.taken}
    columns = take_in.columns_of(run)
    good = [(row[0], columns.values(row[1])) for row in rows if row[0] not in refused]
    found.first = [*found.first, *good][:FIRST]


def _finish(session: Session, clinic: Clinic, run: ImportRun, found: Findings) -> None:
    if run.kind == "appointments":
        content = _content(session, clinic, run)
        found.nameless, found.days = content.nameless, [day.isoformat() for day in content.days]
        found.missing = {
            scope: asdict(completeness.missing(session, clinic, content, scope, clock.now()))
            for scope in completeness.SCOPES
        }
    run.state, run.checked_at = "checked", clock.now()
    audit.record(session, run.clinic_id, run.by, "import.checked", f"import_run:{run.id}", **found.tally)


def _content(session: Session, clinic: Clinic, run: ImportRun) -> completeness.Content:
    content, columns = completeness.Content(), take_in.columns_of(run)
    for row in parts.every_row(session, run):
        try:
            record = parts.read(run.kind, row, columns, clinic)
        except ValueError:
            record = None
        content.add(session, clinic, columns.values(row[1]), record)
    return content
