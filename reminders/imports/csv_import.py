"""Imports patients and visits from CSV files: in batches, wrong rows to a file of their own, nothing half done."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db, logging
from messaging import models as messaging
from messaging.people import bulk_save, directory
from messaging.wording import text_templates
from reminders import appointments, planner, withdrawing
from reminders.imports import column_mapping, completeness, csv_files, faults, holders, records, take_in
from reminders.models import Appointment

T = TypeVar("T")
BATCH = 500
# What a tally counts: each row once, those with a note, patients by a language without texts ("language:vi").
ROWS, NOTED, UNWORDED = ("created", "updated", "unchanged", "failed"), "noted", "language:"
BadFile = csv_files.BadFile
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class ImportResult:
    """How many rows there were, and what became of them.

    `noted` of those that were taken left something out, which stands in the file of errors; `unworded` counts patients
    by the code of a language in which there are no texts; `cancelled` visits that a complete file does not hold.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    failed: int
    noted: int = 0
    unworded: Mapping[str, int] = field(default_factory=dict)
    cancelled: int = 0


@dataclass(frozen=True)
class Chosen:
    """What somebody says of a file beside what is guessed: how its columns are read where that is not as guessed, for
    what it is complete (completeness.SCOPES), and how many visits it may cancel if they are too many (its number)."""

    columns: column_mapping.Columns = field(default_factory=column_mapping.Columns)
    complete: str = ""
    vanish: str = ""


@dataclass(frozen=True)
class Taken:
    """A row that was stored: its change; what of it could not be used, in words; its language, if without texts."""

    change: str
    note: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Refused:
    """A row that cannot be stored, and all that is wrong with it, as faults.WrongRow has it."""

    faults: tuple[str, ...]


class _OnlyLooking(Exception):
    """Raised to roll a dry run back."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """A kind of file: how a row is read, how rows are stored, and whether whoever handed them in is their `actor`."""

    read: Callable[[dict[str, str], messaging.Clinic], T]
    store: Callable[..., list[Taken | Refused]]
    signed: bool = False


def tally_of(taken: Taken) -> Counter[str]:
    """Return what a tally counts of a row that was taken."""
    counted = [NOTED] if taken.note else []
    counted += [f"{UNWORDED}{taken.language}"] if taken.language else []
    return Counter([taken.change, *counted])


def unworded(tally: Mapping[str, int]) -> dict[str, int]:
    """Return how many patients speak each language in which there are no texts, by its code."""
    return {key.removeprefix(UNWORDED): count for key, count in tally.items() if key.startswith(UNWORDED)}


def import_file(
    kind: str,
    clinic_id: UUID,
    path: Path,
    *,
    dry_run: bool = False,
    progress: Progress | None = None,
    errors_path: Path | None = None,
    chosen: Chosen | None = None,
) -> ImportResult:
    """Add or update what a CSV file holds, of a kind in KINDS: patients or appointments.

    Its columns are told apart as on the page: as for the last file of the same columns, else by their names; `chosen`
    comes before both. A row that is wrong goes to `errors_path` with its line and the reason, and stops
    nothing; so does one that was taken without its number. The same file again changes nothing. `progress` gets lines
    done and lines in all. Raises BadFile before anything is done, also where too many visits would be cancelled.
    """
    return _Import(clinic_id, kind, dry_run, chosen or Chosen()).run(path, progress, errors_path)


class _Import(Generic[T]):
    """One run over one file."""

    def __init__(self, clinic_id: UUID, name: str, dry_run: bool, chosen: Chosen) -> None:
        self.clinic_id = clinic_id
        self.name, self.kind = name, KINDS[name]
        self.dry_run = dry_run
        self.chosen = chosen
        self.began_at = clock.now()
        self.tally: Counter[str] = Counter()
        with db.unit_of_work(clinic_id, read_only=True) as session:
            self.clinic = session.get_one(messaging.Clinic, clinic_id)

    def run(self, path: Path, progress: Progress | None, errors_path: Path | None) -> ImportResult:
        to_cancel = self._missing(path) if self.chosen.complete else {}
        with csv_files.opened(path, ()) as table, csv_files.errors(table, errors_path, path) as errors:
            self.columns = self._told_apart(table)
            for batch in planner.batches(table, BATCH):
                self._batch(batch, errors)
                if progress:
                    progress(min(table.line, table.lines), table.lines)
        counts = {name: self.tally[name] for name in ROWS}
        cancelled = len(to_cancel.get("left", ())) if self.dry_run else self._withdraw(to_cancel)
        return ImportResult(
            sum(counts.values()),
            **counts,
            noted=self.tally[NOTED],
            unworded=unworded(self.tally),
            cancelled=cancelled,
        )

    def _told_apart(self, table: csv_files.Table) -> column_mapping.Columns:
        with db.unit_of_work(self.clinic_id, read_only=True) as session:
            last = take_in.remembered(session, self.clinic, self.name, "", table.header)
        columns = column_mapping.overruled(self.name, table.header, last, self.chosen.columns)
        present = ", ".join(csv_files.printable(name) for name in table.header)
        absent = [name for name in columns.columns.values() if name.strip().casefold() not in table.columns]
        if absent:
            raise BadFile(f"the file has no column {', '.join(absent)}; found: {present}")
        missing = column_mapping.missing(self.name, columns)
        if missing:
            raise BadFile(f"not mapped to a column: {', '.join(missing)}; found: {present}")
        return columns

    def _missing(self, path: Path) -> dict[str, Any]:
        """What is to be cancelled since the file does not hold it, decided before anything is done."""
        content = completeness.Content()
        with (
            csv_files.opened(path, ()) as table,
            db.unit_of_work(self.clinic_id, read_only=True) as session,
        ):
            self.columns = self._told_apart(table)
            for row in table:
                content.add(session, self.clinic, self.columns.values(row.values), self._visit(row))
            found = completeness.missing(session, self.clinic, content, self.chosen.complete, clock.now())
        try:
            return completeness.decide(self.clinic, self.chosen.complete, found, content.nameless, self.chosen.vanish)
        except completeness.Held:
            raise BadFile(completeness.why_held(self.clinic, found, content.nameless)) from None

    def _visit(self, row: csv_files.Row) -> Any:
        try:
            return self._read(row)
        except ValueError:
            return None

    def _withdraw(self, to_cancel: dict[str, Any]) -> int:
        while to_cancel.get("left"):
            with db.unit_of_work(self.clinic_id) as session:
                actor = audit.OPERATOR
                to_cancel = completeness.withdraw(session, self.clinic_id, to_cancel, self.began_at, actor)
        return int(to_cancel.get("cancelled", 0))

    def _batch(self, rows: Sequence[csv_files.Row], errors: csv_files.Errors) -> None:
        """Store the rows that can be read; if one of them cannot be stored, find out which."""
        read: list[tuple[csv_files.Row, T]] = []
        for row in rows:
            try:
                read.append((row, self._read(row)))
            except ValueError as wrong:
                self._fail(row, str(wrong), errors)
        try:
            self._store(read, errors)
        except Exception as error:  # noqa: BLE001 - whatever one row brings about, the others are stored
            logging.logger().warning("import batch failed", count=len(read), exc_info=error)
            for row, record in read:
                self._store_alone(row, record, errors)

    def _read(self, row: csv_files.Row) -> T:
        if row.problem:
            raise faults.WrongRow(row.problem)
        record: T = self.kind.read(self.columns.values(row.values), self.clinic)
        return record

    def _store_alone(self, row: csv_files.Row, record: T, errors: csv_files.Errors) -> None:
        try:
            self._store([(row, record)], errors)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(row, f"this row could not be stored ({type(error).__name__})", errors)

    def _store(self, read: Sequence[tuple[csv_files.Row, T]], errors: csv_files.Errors) -> None:
        """Store these rows in one transaction, or none of them; what became of each counts only once they are."""
        if not read:
            return
        became: list[Taken | Refused] = []
        try:
            with db.unit_of_work(self.clinic_id) as session:
                clinic = session.get_one(messaging.Clinic, self.clinic_id)
                became = self.kind.store(session, clinic, [record for _, record in read])
                if self.dry_run:
                    session.flush()
                    raise _OnlyLooking
        except _OnlyLooking:
            pass
        for (row, _), outcome in zip(read, became, strict=True):
            if isinstance(outcome, Refused):
                self._fail(row, faults.line(outcome.faults), errors)
                continue
            self.tally += tally_of(outcome)
            if outcome.note:
                errors.write(row, outcome.note)

    def _fail(self, row: csv_files.Row, why: str, errors: csv_files.Errors) -> None:
        self.tally["failed"] += 1
        errors.write(row, why)


def store_patients(
    session: Session,
    clinic: messaging.Clinic,
    rows: Sequence[directory.PatientRecord],
    actor: str = audit.OPERATOR,
) -> list[Taken | Refused]:
    """Save patients as the clinic's books have them, and plan anew what that changes; what became of each."""
    became = bulk_save.save_patients(session, clinic, rows, actor=actor)
    saved = [
        (patient, "updated" if _follow(session, clinic, patient, row) and change == "unchanged" else change)
        for row, (patient, change) in zip(rows, became, strict=True)
    ]
    # A patient who moved to another zone is texted by another clock from now on.
    touched = {patient.id for patient, change in saved if change == "updated"}
    ahead = select(Appointment).where(Appointment.patient_id.in_(touched), Appointment.starts_at > clock.now())
    if touched:
        planner.plan_many(session, session.scalars(ahead).all())
    return [
        Taken(change, row.left_out, None if text_templates.has_texts(row.language) else row.language)
        for row, (_, change) in zip(rows, saved, strict=True)
    ]


def _follow(
    session: Session, clinic: messaging.Clinic, patient: messaging.Patient, row: directory.PatientRecord
) -> bool:
    # Of a merged record the one that stays says how it stands.
    return patient.record == row.record and withdrawing.follow_file(session, clinic, patient, row.state)


def store_visits(
    session: Session,
    clinic: messaging.Clinic,
    rows: Sequence[appointments.VisitRecord],
    actor: str = audit.OPERATOR,
) -> list[Taken | Refused]:
    """Save visits as the clinic's books have them and plan them; what became of each, refused where nobody has the
    record number, or where the visit's number stands for another patient's visit: that one would be lost."""
    # Those with visits have several: each is looked up once.
    by_record = bulk_save.find_by_records(session, clinic, {row.record for row in rows})
    patients = [by_record.get(row.record) for row in rows]
    refused = holders.why_not(session, clinic, patients, rows)
    good = [
        (patient, row)
        for patient, row, why in zip(patients, rows, refused, strict=True)
        if patient is not None and why is None
    ]
    saved = iter(appointments.save_many(session, clinic, good, actor=actor))
    return [
        Refused((why,)) if why else Taken(next(saved)[1], records.too_early(row))
        for row, why in zip(rows, refused, strict=True)
    ]


VISITS = Kind(records.visit, store_visits)
KINDS: dict[str, Kind[Any]] = {"patients": Kind(records.patient, store_patients), "appointments": VISITS}
