"""What planning reads and writes, many rows at once: bare columns in, and on PostgreSQL columns out in one statement."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, TextClause, insert, select, text, update
from sqlalchemy.orm import Session, attributes

from config import db
from reminders.models import Appointment, Reminder

# COPY is refused to a role that sees only its own clinic's rows; columns in one statement are nearly as fast.
INSERT = text(
    """
    INSERT INTO reminder (id, clinic_id, appointment_id, step, revision, state, due_at, try_after, why, attempts, fence)
    SELECT id, clinic_id, appointment_id, step, revision, state, due_at, try_after, why, 0, 0
    FROM unnest(CAST(:id AS uuid[]), CAST(:clinic_id AS uuid[]), CAST(:appointment_id AS uuid[]), CAST(:step AS text[]),
                CAST(:revision AS int[]), CAST(:state AS text[]), CAST(:due_at AS timestamptz[]),
                CAST(:try_after AS timestamptz[]), CAST(:why AS json[]))
         AS row (id, clinic_id, appointment_id, step, revision, state, due_at, try_after, why)
    """
)
UPDATE = text(
    """
    UPDATE reminder SET state = row.state, due_at = row.due_at, try_after = row.try_after, why = row.why
    FROM unnest(CAST(:id AS uuid[]), CAST(:state AS text[]), CAST(:due_at AS timestamptz[]),
                CAST(:try_after AS timestamptz[]), CAST(:why AS json[]))
         AS row (id, state, due_at, try_after, why)
    WHERE reminder.id = row.id AND reminder.state IN ('planned', 'dropped', 'superseded')
    """
)
PLANNED = ("state", "due_at", "try_after", "why")
COLUMNS = ("id", "clinic_id", "appointment_id", "step", "revision", *PLANNED)


class Known(NamedTuple):
    """What planning asks of a reminder that is there."""

    id: UUID
    appointment_id: UUID
    step: str
    revision: int
    state: str
    due_at: datetime | None
    try_after: datetime
    why: list[str]


class Columns(NamedTuple):
    """What planning asks of a visit."""

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    revision: int
    state: str
    starts_at: datetime
    zone: str
    booked_at: datetime
    place: str | None
    kind: str | None


Visit = Columns | Appointment


def visits(session: Session, *where: ColumnElement[bool], most: int | None = None) -> list[Columns]:
    """Return visits to plan as bare columns, in the order of their ids and at most so many of them."""
    found = select(*(getattr(Appointment, name) for name in Columns._fields)).where(*where)
    return [Columns(*row) for row in session.execute(found.order_by(Appointment.id).limit(most))]


def known(session: Session, of: Sequence[Visit]) -> list[Known]:
    """Return what is planned for these visits as bare columns: of most of it nothing will change."""
    found = select(*(getattr(Reminder, name) for name in Known._fields))
    theirs = db.among(session, Reminder.appointment_id, [visit.id for visit in of])
    return [Known(*row) for row in session.execute(found.where(theirs))]


def write(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert reminders given by their columns, each with every one of COLUMNS but its id."""
    if not rows:
        return
    rows = [{"id": new} | row for new, row in zip(db.new_ids(len(rows)), rows, strict=True)]
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _in_columns(connection, INSERT, COLUMNS, rows)
    else:
        session.execute(insert(Reminder), rows)


def move(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change reminders that are there, each given by its id and every one of PLANNED; what the session holds follows.

    One that was queued meanwhile, with the text about another visit of its day, stays queued.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        _in_columns(connection, UPDATE, ("id", *PLANNED), rows)
    else:
        session.execute(update(Reminder), list(rows))
    for row in rows:
        held = session.identity_map.get(session.identity_key(Reminder, row["id"]))
        for name in PLANNED if held is not None else ():
            attributes.set_committed_value(held, name, row[name])


def _in_columns(
    connection: Connection, statement: TextClause, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    # Written here, as the driver would take longer over the arrays than the server over the rows.
    columns = {name: map(WRITTEN.get(name, _quoted), [row[name] for row in rows]) for name in names}
    connection.execute(statement, {name: f"{{{','.join(values)}}}" for name, values in columns.items()})


def _hex(value: UUID) -> str:
    return value.hex


def _moment(value: datetime | None) -> str:
    return "NULL" if value is None else value.isoformat()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _sentences(value: Sequence[str]) -> str:
    return _json(tuple(value))


@lru_cache(maxsize=4096)
def _json(value: tuple[str, ...]) -> str:
    return _quoted(json.dumps(value))


# How a value of a column stands in an array as PostgreSQL reads it; what is not here is a text.
WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "id": _hex,
    "clinic_id": _hex,
    "appointment_id": _hex,
    "revision": str,
    "due_at": _moment,
    "try_after": _moment,
    "why": _sentences,
}
