"""Rows of work that a clock which stood ahead has dated: once it is set right, they wait no longer than they should.

A row's id says by which clock it was written; one that was written before, and only put off meanwhile, is known by a
pause that is longer than any.
"""

from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, select
from sqlalchemy.orm import Session

from config import clock
from config.db.base import Moment, first_id
from config.db.engine import EVERY, unit_of_work

# Clocks of several hosts differ by less. Where they do not, nothing is lost: what was to happen at once happens now.
DIFFERENCE = timedelta(seconds=5)
BATCH = 500


# Asked each second and by each lane that lets urgent ones pass: conditions are built once, their moments come later.
NOW, FAR = bindparam("back_now", type_=Moment()), bindparam("back_far", type_=Moment())
FIRST = bindparam("back_first", type_=Uuid())


def written_ahead(model: type[Any]) -> ColumnElement[bool]:
    """Return the condition for rows of `model` (a Work) that wait and were written by a clock ahead of `moments`."""
    condition: ColumnElement[bool] = (model.id > FIRST) & (model.try_after > NOW)
    return condition


def put_off_for_longer(model: type[Any]) -> ColumnElement[bool]:
    """Return the condition for rows of `model` (a Work) that are put off for longer than the longest of `moments`."""
    condition: ColumnElement[bool] = model.try_after > FAR
    return condition


def moments(now: datetime, longest: timedelta) -> dict[str, Any]:
    """Return the parameters of these conditions: what is ahead of `now`, or put off for longer than `longest`."""
    return {NOW.key: now, FAR.key: now + longest, FIRST.key: first_id(now + DIFFERENCE)}


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
        ahead = select(model).where(_dated_ahead(model, due)).limit(BATCH).with_for_update(skip_locked=True)
        rows = session.scalars(ahead, moments(now, longest)).all()
        for row in rows:
            row.try_after = waits_from(now, row) if written_at(row.id) > now + DIFFERENCE else now
        return len(rows)


def oldest_ahead(
    model: type[Any], due: ColumnElement[bool], longest: timedelta, session: Session, now: datetime
) -> datetime | None:
    """Return `now` where a row is dated ahead, None where none is."""
    return now if session.scalar(_any_ahead(cast(Hashable, model), due), moments(now, longest)) is not None else None


@lru_cache
def _any_ahead(model: Any, due: ColumnElement[bool]) -> Select[Any]:
    return select(model.id).where(_dated_ahead(model, due)).limit(1)


def _dated_ahead(model: type[Any], due: ColumnElement[bool]) -> ColumnElement[bool]:
    return due & (written_ahead(model) | put_off_for_longer(model))
