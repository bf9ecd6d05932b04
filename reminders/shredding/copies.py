"""The same words where whole messages and files are kept word for word: opened, looked through, and emptied."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, select, update
from sqlalchemy.orm import Session

from config import db, keys
from messaging.models import Message, Patient
from reminders.shredding import belonging

# A shorter record number stands in too many messages that mean something else, and counts only beside the last name.
TELLING = 4
BATCH = 200


@dataclass(frozen=True)
class Sought:
    """What tells that a message or file speaks of the patient; `events` are the carrier's ids of their texts,
    `attempts` ours of each sending, `submissions` the vendors' of their forms."""

    record: str
    first: str
    last: str
    events: frozenset[str]
    attempts: frozenset[UUID]
    submissions: frozenset[str]

    def speaks(self, words: str) -> bool:
        """Whether these words name the patient: by the record's number, or by the whole name."""
        told = words.casefold()
        named = bool(self.last) and self.last in told
        if named and self.first and self.first in told:
            return True
        if not self.record or not (named or len(self.record) >= TELLING):
            return False
        return re.search(rf"(?<![^\W_]){re.escape(self.record)}(?![^\W_])", told) is not None


def sought(session: Session, patient: Patient, rows: belonging.Rows) -> Sought:
    """Return what to look for, read before anything is emptied."""
    screens = belonging.tables()["screen"]
    return Sought(
        (patient.record or "").casefold(),
        (patient.first_name or "").casefold(),
        (patient.last_name or "").casefold(),
        frozenset(filter(None, _values(session, Message.provider_sid, Message.id, rows.get("message", ())))),
        frozenset(rows.get("attempt", ())),
        frozenset(_values(session, screens.c.event, screens.c.id, rows.get("screen", ()))),
    )


def _values(session: Session, column: Any, key: Any, ids: Collection[UUID]) -> Iterable[Any]:
    for some in belonging.chunks(ids):
        yield from session.scalars(select(column).where(key.in_(some)))


def waiting(session: Session, clinic_id: UUID, whom: Sought) -> bool:
    """Whether a copy that still has to be worked on speaks of the patient."""
    for copy in belonging.facts()["copies"]:
        table = belonging.tables()[copy["table"]]
        if "waits" in copy and any(
            row.state in copy["waits"] and _found(session, table, row, copy, whom)
            for row in _all(session, table, clinic_id)
        ):
            return True
    return False


def empty(session: Session, clinic_id: UUID, whom: Sought, key_id: UUID) -> int:
    """Empty every copy that speaks of the patient; return how many."""
    done = 0
    for copy in belonging.facts()["copies"]:
        table = belonging.tables()[copy["table"]]
        for row in _all(session, table, clinic_id):
            if _found(session, table, row, copy, whom):
                _empty(session, table, row, copy["columns"], key_id)
                done += 1
    return done


def _all(session: Session, table: Table, clinic_id: UUID) -> Iterable[Row[Any]]:
    after = UUID(int=0)
    while True:
        some = select(table).where(table.c.clinic_id == clinic_id, table.c.id > after).order_by(table.c.id).limit(BATCH)
        rows = session.execute(some).all()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1].id


def _found(session: Session, table: Table, row: Row[Any], copy: Mapping[str, Any], whom: Sought) -> bool:
    kept = [name for name in copy["columns"] if (value := getattr(row, name)) and len(value) > keys.NOTHING]
    if not kept:
        return False
    if copy["by"] == "ids":
        return row.event in whom.events or row.event in whom.submissions or row.attempt_id in whom.attempts
    return any(whom.speaks(_opened(session, table, row, name)) for name in kept)


def _empty(session: Session, table: Table, row: Row[Any], columns: Sequence[str], key_id: UUID) -> None:
    emptied: dict[str, Any] = dict.fromkeys(columns)
    for name in (name for name in columns if not table.c[name].nullable):
        whose = (row.id, row.clinic_id, key_id)
        emptied[name] = db.closed_for(session, table, name, whose, belonging.instead(table, name))
    session.execute(update(table).where(table.c.id == row.id).values(key_id=key_id, **emptied))


def _opened(session: Session, table: Table, row: Row[Any], column: str) -> str:
    try:
        plain = db.opened_for(session, table, column, (row.id, row.clinic_id, row.key_id), getattr(row, column))
    except keys.WrongKey:  # its key was thrown away with a record that was destroyed before
        return ""
    return plain.decode("utf-8", "replace")
