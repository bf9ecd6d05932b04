"""The list of destroyed records: kept beside every backup, and told to a restored database, which has them again.

A line is a clinic's id, the keyed hash of a patient's id, and when it was destroyed. It tells nobody who that was.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from config import audit, db, logging, runtime
from messaging.models import Clinic, Patient
from reminders.shredding import carrying_out
from reminders.shredding.models import Shredding

ENDING = ".shredded"
HEAD = "# Records destroyed for good: clinic, keyed hash, when. Keep it beside the backups, as long as these.\n"


class BadList(ValueError):
    """A file that is no such list; the text says which line."""


@dataclass(frozen=True, order=True)
class Entry:
    """A destroyed record."""

    clinic_id: UUID
    mark: bytes
    at: datetime


def read(session: Session) -> set[Entry]:
    """Return what this database knows of."""
    rows = session.scalars(select(Shredding).where(Shredding.done_at.is_not(None)))
    return {
        Entry(row.clinic_id, row.mark, row.done_at.astimezone(UTC).replace(microsecond=0))
        for row in rows
        if row.done_at
    }


def known() -> set[Entry]:
    """Return what the database says was destroyed; nothing where it has no such table yet."""
    with db.engine().connect() as connection:
        if not inspect(connection).has_table(Shredding.__tablename__):
            return set()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return read(session)


def own() -> Path:
    """Return where the list lies in the data directory, for a database that can no longer be read."""
    return runtime.settings().data_dir / f"records{ENDING}"


def keep_own() -> None:
    """Write the list into the data directory. Where that cannot be, the log says so, and each backup has it anyway."""
    try:
        own().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write(own(), known())
    except OSError as error:
        logging.logger().warning("shred list not kept", exc_info=error)


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Write a list in place of the file, all at once, for us alone."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(HEAD)
        for entry in sorted(entries):
            out.write(f"{entry.clinic_id} {entry.mark.hex()} {entry.at.isoformat(timespec='seconds')}\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(partial, file)


def parse(file: Path) -> set[Entry]:
    """Read a list. Raises BadList, and OSError where there is none."""
    entries = set()
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            try:
                clinic_id, mark, at = line.split()
                entries.add(Entry(UUID(clinic_id), bytes.fromhex(mark), datetime.fromisoformat(at).astimezone(UTC)))
            except ValueError:
                raise BadList(f"{file.name}, line {number}") from None
    return entries


def apply(session: Session, entries: Iterable[Entry]) -> int:
    """Destroy what the list names and this database still has; return how many records. Doing it twice changes nothing.

    Those it never had are kept on the list too, so that a later backup knows of them.
    """
    by_clinic: dict[UUID, dict[bytes, datetime]] = {}
    for entry in sorted(entries, reverse=True):  # of two times of one record the first counts
        by_clinic.setdefault(entry.clinic_id, {})[entry.mark] = entry.at
    actor = audit.Actor.system("restore")
    return sum(
        _apply(session, clinic, by_clinic[clinic.id], actor)
        for clinic in session.scalars(select(Clinic).where(Clinic.id.in_(list(by_clinic)))).all()
    )


def _apply(session: Session, clinic: Clinic, marks: dict[bytes, datetime], actor: str) -> int:
    count = 0
    still_there = select(Patient).where(Patient.clinic_id == clinic.id, Patient.shredded_at.is_(None))
    for patient in session.scalars(still_there).all():
        if carrying_out.mark(session, clinic, patient.id) in marks:
            count += carrying_out.shred(session, clinic, patient, actor)
    known = {row.mark: row for row in session.scalars(select(Shredding).where(Shredding.clinic_id == clinic.id))}
    for mark, at in marks.items():
        row = known.get(mark)
        if row is None:
            row = Shredding(clinic_id=clinic.id, mark=mark, asked_by=actor, asked_at=at)
            session.add(row)
        row.done_at = at
    session.flush()
    return count
