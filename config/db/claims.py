"""Claiming rows and working them off: with a lease and a fence, the same on SQLite and PostgreSQL.

A row is claimed in one short transaction and worked on in the next, so that a worker may die at any instant: its
lease runs out, another claims the row, and the fence refuses the late write of the first.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from config import clock, keys, logging
from config.db.base import Heartbeat, Moment, at
from config.db.engine import EVERY, database_url, unit_of_work

Row = TypeVar("Row", bound=Any)
One = TypeVar("One")
Done = TypeVar("Done")
Instant = datetime | ColumnElement[datetime]
# What a lane asks each second is built once: to build a statement takes longer than to run it.
STATEMENTS = 512
# Rows being worked on are locked as well; the lease only says how long a killed worker's rows wait for the next.
LEASE = timedelta(seconds=15)
GIVE_UP_AFTER = 8
# How long one drain may take before others get their turn, unless it says otherwise.
SLICE_SECONDS = 5.0
# How long others are let write after a batch, however long it was.
LONGEST_LEFT = 0.5
# What cannot even be given up, as the clinic's own key does not open, is tried again this soon: keys come back.
LONGEST_STUCK = timedelta(seconds=30)
STUCK, FAILING = "stuck.", "failing."
# No lease is this long: one that ends later was taken by a clock that has been set back since.
NO_LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Claim:
    """One claimed row: its id and the fence under which it may be written."""

    id: UUID
    fence: int


def free(model: type[Any], now: Instant, far: Instant | None = None) -> ColumnElement[bool]:
    """Return the condition for rows of `model` (a Work) that nobody holds; `far` is when no lease taken now ends."""
    until = model.lease_until
    if far is None:
        far = now + NO_LEASE
    return or_(until.is_(None), until <= now, until > far)


def oldest(session: Session, model: type[Any], due: ColumnElement[bool], by: datetime) -> datetime | None:
    """Return since when the oldest row of `model` (a Work) waits that is `due` by this moment and that nobody holds."""
    moment: datetime | None = session.scalar(_oldest(cast(Hashable, model), due), {"by": by, "far": by + NO_LEASE})
    return moment


@lru_cache(maxsize=STATEMENTS)
def _oldest(model: Any, due: ColumnElement[bool]) -> Select[Any]:
    by, far = bindparam("by", type_=Moment()), bindparam("far", type_=Moment())
    return select(func.min(model.try_after)).where(due, model.try_after <= by, free(model, by, far))


def claim(
    session: Session,
    model: type[Any],
    due: ColumnElement[bool],
    *,
    limit: int = 200,
    lease: timedelta = LEASE,
    given: Mapping[str, Any] | None = None,
) -> list[Claim]:
    """Claim up to `limit` rows of `model` (a Work) that are `due`, whose time has come and that nobody holds.

    A condition that asks for something else each time names it (`bindparam`), and `given` says what it is this time.
    """
    claiming = _claiming(cast(Hashable, model), due, limit, lease)
    return [Claim(row.id, row.fence) for row in session.execute(claiming, given)]


@lru_cache(maxsize=STATEMENTS)
def _claiming(model: Any, due: ColumnElement[bool], limit: int, lease: timedelta) -> ReturningUpdate[Any]:
    """Return the statement of a claim. A lane asks it each second and between any two of its batches: built once."""
    picked = (
        select(model.id)
        .where(ripe(model, due))
        .order_by(model.try_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return (
        update(model)
        .where(model.id.in_(select(picked.c.id)))
        .values(lease_until=at(lambda: clock.now() + lease), fence=model.fence + 1, attempts=model.attempts + 1)
        .returning(model.id, model.fence)
        .execution_options(synchronize_session=False)
    )


def ripe(model: type[Any], due: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition for rows of `model` (a Work) that could be claimed at the moment at which it is asked."""
    now, far = at(lambda: clock.now()), at(lambda: clock.now() + NO_LEASE)
    return and_(due, model.try_after <= now, free(model, now, far))


def _more(model: type[Any], due: ColumnElement[bool]) -> bool:
    """Whether a row could be claimed. Asked before each claim: to find that none can, no writer is waited for."""
    with unit_of_work(EVERY, read_only=True) as session:
        return session.scalar(_any(cast(Hashable, model), due)) is not None


@lru_cache(maxsize=STATEMENTS)
def _any(model: Any, due: ColumnElement[bool]) -> Select[Any]:
    return select(model.id).where(ripe(model, due)).limit(1)


def still_mine(session: Session, model: type[Row], claims: Sequence[Claim], *, wait: bool = True) -> list[Row]:
    """Return the claimed rows whose fence has not moved, locked for this transaction, in the order claimed.

    Without `wait` a row that another transaction has locked is left out: it is claimed anew when its lease ends.
    """
    fences = {claimed.id: claimed.fence for claimed in claims}
    locked = select(model).where(model.id.in_(fences)).with_for_update(skip_locked=not wait)
    rows = session.scalars(locked.execution_options(populate_existing=True))
    mine = {row.id: row for row in rows if row.fence == fences[row.id]}
    return [mine[claimed.id] for claimed in claims if claimed.id in mine]


def retry_later(row: Any, error: str) -> None:
    """Let go of a row and put its next try off: 2, 4, 8 ... seconds, an hour at most."""
    row.lease_until = None
    row.last_error = error[:80]
    row.try_after = clock.now() + timedelta(seconds=min(2**row.attempts, 3600))


First = Callable[[Session, Sequence[Claim]], Sequence[Claim] | None]


def _nothing_first(_session: Session, _claims: Sequence[Claim]) -> None:
    """What most rows need before they are locked."""


def work_off(
    model: type[Row],
    due: ColumnElement[bool],
    handle: Callable[[Session, list[Row]], None],
    *,
    give_up: Callable[[Session, Row], None],
    first: First = _nothing_first,
    batch: int = 200,
    seconds: float | None = None,
    leaves: float = 0.0,
) -> int:
    """Work rows off in batches until none is due or the slice of `seconds` is over; return how many were handled.

    `handle` gets the rows of a batch in one transaction and moves them out of `due`. If it raises, the rows are tried
    one by one; one that keeps raising is put off, and after eight tries handed to `give_up`, which must move it into
    a visible final state (at once where its key does not open). `first` begins that transaction, before the rows are
    locked: whoever needs other rows locked too takes them there, so that nobody holds the one and waits for the
    other; it may return those claims that can be worked on now, and the others are taken up again when their lease
    has run out. `leaves` is the part of a batch's time for which nothing is begun after it on SQLite: whoever has just
    written would else begin again before those who wait for its one writer look.
    """
    end = clock.monotonic() + (SLICE_SECONDS if seconds is None else seconds)
    handled = 0
    while clock.monotonic() < end and _more(model, due):
        begun = clock.monotonic()
        with unit_of_work(EVERY) as session:
            claims = claim(session, model, due, limit=batch)
        if not claims:
            break
        handled += sum(
            apart(
                model.__tablename__,
                claims,
                partial(_handle, model, first, handle),
                lambda claimed, error: put_off(model, claimed, error, give_up),
            )
        )
        if leaves and database_url().startswith("sqlite"):
            time.sleep(min(leaves * (clock.monotonic() - begun), LONGEST_LEFT))
    return handled


def apart(
    kind: str,
    batch: Sequence[One],
    act: Callable[[Sequence[One]], Done],
    failed: Callable[[One, Exception], None],
) -> list[Done]:
    """Act on a batch at once; where that fails on each by itself, and hand whichever fails alone to `failed`.

    So one bad row holds up none of the others. Returns what `act` returned, each time it came through.
    """
    try:
        return [act(batch)]
    except Exception as error:  # noqa: BLE001 - whatever a bad row raises, the others must be worked on
        logging.logger().warning("batch failed", kind=kind, count=len(batch), exc_info=error)
        if len(batch) == 1:
            failed(batch[0], error)
            return []
        return [done for alone in batch for done in apart(kind, [alone], act, failed)]


def put_off(model: type[Row], claimed: Claim, error: Exception, give_up: Callable[[Session, Row], None]) -> None:
    """Let a claimed row that failed alone wait for longer each time, and in the end give it up.

    A key that does not open will not open at the next try either: such a row is given up at once. One that cannot
    even be given up waits, for half a minute at most, and /readyz says so.
    """
    name, hopeless = type(error).__name__, isinstance(error, keys.WrongKey)
    try:
        with unit_of_work(EVERY) as session:
            for row in still_mine(session, model, [claimed], wait=False):
                retry_later(row, name)
                if hopeless or row.attempts >= GIVE_UP_AFTER:
                    give_up(session, row)
                    logging.logger().error("gave up", kind=model.__tablename__, error_type=name, attempts=row.attempts)
    except Exception as worse:  # noqa: BLE001 - there is nobody left to tell but the operator
        logging.logger().error("cannot be given up", kind=model.__tablename__, exc_info=worse)
        with unit_of_work(EVERY) as session:
            for row in still_mine(session, model, [claimed], wait=False):
                retry_later(row, name)
                row.try_after = min(row.try_after, clock.now() + LONGEST_STUCK)
            session.merge(Heartbeat(component=STUCK + model.__tablename__, at=clock.now()))


def _handle(
    model: type[Row],
    first: First,
    handle: Callable[[Session, list[Row]], None],
    claims: Sequence[Claim],
) -> int:
    with unit_of_work(EVERY) as session:
        now_possible = first(session, claims)
        rows = still_mine(session, model, claims if now_possible is None else now_possible, wait=False)
        handle(session, rows)
        _let_go(rows)
        return len(rows)


def _let_go(rows: Sequence[Any]) -> None:
    now = clock.now()
    for row in rows:
        row.lease_until = None
        if row.try_after <= now:  # handled, not put off: what comes next for this row starts counting anew
            row.attempts = 0
