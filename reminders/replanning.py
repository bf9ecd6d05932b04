"""Plans a clinic's coming visits again after its cadence has changed:
in batches, from where it stood, after what is urgent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from config import aside, audit, clock, db, queue
from reminders import planned_rows, planner
from reminders.models import Appointment, Replanning

WAITING = Replanning.state == "waiting"
# A batch is one transaction, and on SQLite the only one that writes: short enough that an alert does not notice.
BATCH = 200


def begin(session: Session, clinic_id: UUID, edition_id: UUID | None) -> Replanning:
    """Let every coming visit of the clinic be planned again; what an earlier version had begun is overtaken."""
    now = clock.now()
    earlier = update(Replanning).where(WAITING, Replanning.clinic_id == clinic_id)
    session.execute(earlier.values(state="overtaken", ended_at=now))
    total = session.scalar(select(func.count()).where(*_coming(clinic_id, now))) or 0
    row = Replanning(
        clinic_id=clinic_id,
        edition_id=edition_id,
        state="waiting",
        total=total,
        try_after=now,
        started_at=now,
    )
    session.add(row)
    session.flush()
    queue.ring(session, "replanning")
    return row


def latest(session: Session, clinic_id: UUID) -> Replanning | None:
    """Return what was begun last at this clinic, whatever became of it."""
    begun = select(Replanning).where(Replanning.clinic_id == clinic_id)
    return session.scalar(begun.order_by(Replanning.id.desc()).limit(1))


def advance(session: Session, row: Replanning) -> None:
    """Plan the next batch of visits, and end the row when none is left. Planning a visit twice changes nothing."""
    now = clock.now()
    left = _coming(row.clinic_id, now)
    if row.cursor is not None:
        left = (*left, Appointment.id > row.cursor)
    visits = planned_rows.visits(session, *left, most=BATCH)
    if visits:
        planner.plan_many(session, visits)
        row.cursor, row.done = visits[-1].id, row.done + len(visits)
    if len(visits) < BATCH:
        _end(session, row, "done")


def drain() -> int:
    """Work the lane off, a batch to a transaction; between two of them what is urgent goes first."""
    return aside.work_off(Replanning, WAITING, _advance_all, give_up=give_up)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest replanning waits for a worker."""
    return db.oldest(session, Replanning, WAITING, now)


def give_up(session: Session, row: Replanning) -> None:
    """Say that the visits could not all be planned again; the page says so, and `cadence apply` begins anew."""
    _end(session, row, "failed")


def _advance_all(session: Session, rows: Sequence[Replanning]) -> None:
    for row in rows:
        if row.state == "waiting":
            advance(session, row)


def _end(session: Session, row: Replanning, state: str) -> None:
    row.state, row.ended_at = state, clock.now()
    whose = f"clinic:{row.clinic_id}"
    audit.record(
        session,
        row.clinic_id,
        audit.Actor.system("replanning"),
        f"cadence.replanning_{state}",
        whose,
        count=row.done,
    )


def _coming(clinic_id: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Appointment.clinic_id == clinic_id, Appointment.starts_at > now
