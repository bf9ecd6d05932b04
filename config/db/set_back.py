"""Rows of work that a clock which stood ahead has dated: once it is set right, they wait no longer than they should.

A row's id says by which clock it was written; one that was written before, and only put off meanwhile, is known by a
pause that is longer than any.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from config import clock
from config.db.base import first_id
from config.db.engine import EVERY, unit_of_work

# Clocks of several hosts differ by less. Where they do not, nothing is lost: what was to happen at once happens now.
DIFFERENCE = timedelta(seconds=5)
BATCH = 500


def written_ahead(model: type[Any], now: datetime) -> ColumnElement[bool]:
    """Return the condition for rows of `model` (a Work) that wait and were written by a clock ahead of `now`."""
    condition: ColumnElement[bool] = (model.id > first_id(now + DIFFERENCE)) & (model.try_after > now)
    return condition


def waits_from(now: datetime, row: Any) -> datetime:
    """Return when a row written ahead is due: as long from now as it was to wait from when it was written."""
    at: datetime = row.try_after
    return now + max(at - written_at(row.id), timedelta(0))


def written_at(row_id: UUID) -> datetime:
    """Return when a row was written, by the clock of whoever wrote it."""
    return datetime.fromtimestamp((row_id.int >> 80) / 1000, UTC)


def bring_back(model: type[Any], due: ColumnElement[bool], longest: timedelta) -> int:
    """Let rows of `model` that are `due` and dated ahead wait from now; return how many that were.

    `longest` is how long such a row is ever put off: one that is put off for longer is due now.
    """
    with unit_of_work(EVERY) as session:
        now = clock.now()
        ahead = select(model).where(_dated_ahead(model, due, now, longest)).limit(BATCH)
        rows = session.scalars(ahead.with_for_update(skip_locked=True)).all()
        for row in rows:
            row.try_after = waits_from(now, row) if written_at(row.id) > now + DIFFERENCE else now
        return len(rows)


def oldest_ahead(
    model: type[Any], due: ColumnElement[bool], longest: timedelta, session: Session, now: datetime
) -> datetime | None:
    """Return `now` where a row is dated ahead, None where none is."""
    dated = select(model.id).where(_dated_ahead(model, due, now, longest)).limit(1)
    return now if session.scalar(dated) is not None else None


def _dated_ahead(model: type[Any], due: ColumnElement[bool], now: datetime, longest: timedelta) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = due & (written_ahead(model, now) | (model.try_after > now + longest))
    return condition
