"""What planning reads and writes, many rows at once:
bare columns in, and on PostgreSQL columns out in one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.orm import Session, attributes

from config import db
from reminders.models import Appointment, Reminder


class Planned(NamedTuple):
    """What planning says of a reminder."""

    state: str
    due_at: datetime | None
    try_after: datetime
    why: list[dict[str, Any]]


class Fresh(NamedTuple):
    """A reminder to be written: what names it, and what planning says of it."""

    clinic_id: UUID
    appointment_id: UUID
    step: str
    revision: int
    planned: Planned


PLANNED = Planned._fields
FRESH = (*Fresh._fields[:-1], *PLANNED)
_UPDATE = "UPDATE reminder SET state = row.state, due_at = row.due_at, try_after = row.try_after, why = row.why FROM "
_WHERE = " WHERE reminder.id = row.id AND reminder.state IN ('planned', 'dropped', 'superseded')"
UPDATE = text(_UPDATE + db.unnested(Reminder, ("id", *PLANNED)) + _WHERE)


class Known(NamedTuple):
    """What planning asks of a reminder that is there."""

    id: UUID
    appointment_id: UUID
    step: str
    revision: int
    state: str
    due_at: datetime | None
    try_after: datetime
    why: list[dict[str, Any]]


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
    key_id: UUID | None
    kind_ct: bytes | None
    quiet_at: datetime | None

    @property
    def kind(self) -> str | None:
        """The clinic's own name for a kind of visit, opened."""
        plain = Appointment.kind.opened(self, of=Appointment)
        return None if plain is None else plain.decode("utf-8", "surrogatepass")


Visit = Columns | Appointment


def visits(session: Session, *where: ColumnElement[bool], most: int | None = None) -> list[Columns]:
    """Return visits to plan as bare columns, in the order of their ids and at most so many of them."""
    statement = select(*(getattr(Appointment, name) for name in Columns._fields)).where(*where)
    return [Columns(*row) for row in session.execute(statement.order_by(Appointment.id).limit(most))]


def known(session: Session, of: Sequence[Visit]) -> list[Known]:
    """Return what is planned for these visits as bare columns: of most of it nothing will change."""
    wanted = [getattr(Reminder, name) for name in Known._fields]
    statement = db.of_each(session, wanted, Reminder.appointment_id, [visit.id for visit in of])
    return [Known(*row) for row in session.execute(statement)]


def write(session: Session, rows: Sequence[Fresh]) -> None:
    """Insert these reminders."""
    if rows:
        flat = [(*row[:-1], *row.planned) for row in rows]
        columns = dict(zip(FRESH, zip(*flat, strict=True), strict=True))
        db.write_columns(session, Reminder, {"id": db.new_ids(len(rows)), **columns}, attempts=0, fence=0)


def move(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change reminders that are there, each given by its id and all of Planned; what the session holds follows.

    One that was queued meanwhile, with the text about another visit of its day, stays queued.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(UPDATE, db.arrays(Reminder, db.columns(rows)))
    else:
        session.execute(update(Reminder), list(rows))
    for row in rows:
        held = session.identity_map.get(session.identity_key(Reminder, row["id"]))
        for name in PLANNED if held is not None else ():
            attributes.set_committed_value(held, name, row[name])
