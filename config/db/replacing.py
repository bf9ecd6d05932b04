"""Replaces data keys while everything serves: the new ones seal at once, what is sealed under the old ones is sealed
anew in batches, and the old ones are thrown away when nothing is sealed under them any more.

A key keeps its id, so no row changes whose key it names, and a value is written only where what was opened still
stands. All that is remembered stands in the keys' own rows: ended at any point, it goes on when it is called again.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Row, Table, func, select, text, update
from sqlalchemy.orm import Session

from config import clock, keys, runtime
from config.db import data_keys
from config.db.base import Base
from config.db.data_keys import DataKey, Opened
from config.db.engine import unit_of_work

BATCH = 200
# As many bytes are opened at once, or a single row: pictures and files are large.
LARGE = 8_000_000
# A process remembers the old key for so long, and a transaction of its may take as long again.
REMEMBERED = timedelta(seconds=2 * data_keys.CACHE_SECONDS)
Progress = Callable[[int, int], None]


class Place(NamedTuple):
    """Where values are sealed: the columns of a table, and the one that names each row's key."""

    table: Table
    by: Column[Any]
    columns: list[str]


class Swept(NamedTuple):
    """How many values of each table were sealed under an old key (and now are not), and how many open by no key."""

    anew: dict[str, int]
    unreadable: int


def places() -> list[Place]:
    """Return every place: sealed columns are known by their name, and a key is sealed under the one above it."""
    own = Base.metadata.tables[DataKey.__tablename__]
    sealed = [(table, data_keys.sealed_columns(table)) for table in Base.metadata.sorted_tables]
    return [
        Place(own, own.c.wrapped_by, ["wrapped"]),
        *(Place(table, table.c.key_id, columns) for table, columns in sealed if columns),
    ]


def renew_first(session: Session, key_id: UUID) -> bool:
    """Give this key's row a new key, and keep the old one beside it; False where one is being replaced already."""
    row = session.execute(select(*DataKey.__table__.c).where(DataKey.id == key_id)).one()
    return row.old_wrapped is None and _renew(session, row)


def renew_below(clinic_id: UUID, key_id: UUID) -> int:
    """Do the same with all keys below this one, in batches, as far as that is not done; return how many."""
    with unit_of_work(clinic_id, read_only=True) as session:
        since = session.scalars(select(DataKey.replaced_at).where(DataKey.id == key_id)).one() or clock.now()
    owed = (DataKey.created_at < since, DataKey.replaced_at.is_(None) | (DataKey.replaced_at < since))
    wanted = select(*DataKey.__table__.c).where(
        DataKey.clinic_id == clinic_id, DataKey.id != key_id, DataKey.old_wrapped.is_(None), *owed
    )
    after, done = UUID(int=0), 0
    while True:
        with unit_of_work(clinic_id) as session:
            rows = session.execute(wanted.where(DataKey.id > after).order_by(DataKey.id).limit(BATCH)).all()
            done += sum(_renew(session, row) for row in rows)
        if len(rows) < BATCH:
            return done
        after = rows[-1].id


def _renew(session: Session, row: Row[Any]) -> bool:
    _leave_no_trace(session)
    try:
        old = data_keys.opened(session, row.id).key
    except keys.WrongKey:
        return False  # whoever reads a row of its own learns that
    fresh, place = keys.new_key(), data_keys.bound(row.id, row.clinic_id)
    values: dict[str, Any] = {"replaced_at": clock.now()}
    values["old_wrapped"] = keys.seal(fresh, old, *data_keys.bound(row.id, row.clinic_id, "data_key.old"))
    if row.wrapped_by is None:
        values["master_id"], values["wrapped"] = keys.ring().wrap(fresh, *place)
        values["index_wrapped"] = _indexes(row, old, fresh)
    else:
        values["wrapped"] = keys.seal(data_keys.opened(session, row.wrapped_by).key, fresh, *place)
    unchanged = (DataKey.id == row.id, DataKey.wrapped == row.wrapped, DataKey.old_wrapped.is_(None))
    changed = _rows(session, update(DataKey).where(*unchanged).values(**values))
    data_keys.forget_keys([row.id])
    return changed > 0


def _indexes(row: Row[Any], old: bytes, fresh: bytes) -> bytes:
    place = data_keys.bound(row.id, row.clinic_id, "data_key.index")
    stored = row.index_wrapped
    return keys.seal(fresh, data_keys.index_keys(old) if stored is None else keys.unseal(old, stored, *place), *place)


def kept_until(session: Session, clinic_id: UUID, only: Collection[UUID] = ()) -> datetime | None:
    """Return until when other processes may still seal under a key that is being replaced; None if none is."""
    latest = session.scalar(select(func.max(DataKey.replaced_at)).where(*_old(clinic_id, only)))
    return latest and latest + REMEMBERED


def being_replaced(session: Session, clinic_id: UUID, only: Collection[UUID] = ()) -> int:
    """Return how many keys of the clinic still have their old one."""
    return session.scalar(select(func.count()).where(*_old(clinic_id, only))) or 0


def _old(clinic_id: UUID, only: Collection[UUID]) -> list[ColumnElement[bool]]:
    of = [DataKey.id.in_(list(only))] if only else []
    return [DataKey.clinic_id == clinic_id, DataKey.old_wrapped.is_not(None), *of]


def sweep(clinic_id: UUID, only: Collection[UUID], progress: Progress, *, write: bool = True) -> Swept:
    """Look at every sealed value of the clinic, or at those under the keys in `only`, and seal anew what stands under
    an old key. Without `write` nothing is changed."""
    runtime.forget("db.keys")  # what another process has begun meanwhile is seen
    anew: dict[str, int] = {}
    unreadable = done = 0
    total = _count(clinic_id, only)
    for place in places():
        for ids in _chunks(clinic_id, place, only):
            fresh, closed = _anew(clinic_id, place, ids)
            count = _write(clinic_id, place, fresh) if write else sum(map(len, fresh.values()))
            anew[place.table.name] = anew.get(place.table.name, 0) + count
            unreadable, done = unreadable + closed, done + len(ids)
            progress(done, total)
    return Swept({name: count for name, count in anew.items() if count}, unreadable)


def throw_away_old(session: Session, clinic_id: UUID, only: Collection[UUID] = ()) -> int:
    """Throw the old keys away; the caller has seen that nothing is sealed under them. Return how many."""
    _leave_no_trace(session)
    count = _rows(session, update(DataKey).where(*_old(clinic_id, only)).values(old_wrapped=None))
    runtime.forget("db.keys")
    return count


def values_of(clinic_id: UUID, only: Collection[UUID]) -> dict[str, int]:
    """Return how many sealed values the clinic has in each table, or has under the keys in `only`."""
    with unit_of_work(clinic_id, read_only=True) as session:
        counted = {}
        for place in places():
            filled = [func.count(place.table.c[name]) for name in place.columns]
            counted[place.table.name] = session.scalar(
                select(reduce(add, filled)).where(*_rows_of(clinic_id, place, only))
            )
    return {name: count for name, count in counted.items() if count}


def _count(clinic_id: UUID, only: Collection[UUID]) -> int:
    with unit_of_work(clinic_id, read_only=True) as session:
        rows = [select(func.count()).select_from(p.table).where(*_rows_of(clinic_id, p, only)) for p in places()]
        return sum(session.scalar(count) or 0 for count in rows)


def _rows_of(clinic_id: UUID, place: Place, only: Collection[UUID]) -> list[ColumnElement[bool]]:
    named = place.by.in_(list(only)) if only else place.by.is_not(None)
    return [place.table.c.clinic_id == clinic_id, named]


def _chunks(clinic_id: UUID, place: Place, only: Collection[UUID]) -> Iterator[list[UUID]]:
    """Yield the ids of rows, as many as may be opened at once."""
    table = place.table
    size = reduce(add, (func.coalesce(func.length(table.c[name]), 0) for name in place.columns))
    wanted = select(table.c.id, size.label("size")).where(*_rows_of(clinic_id, place, only))
    after = UUID(int=0)
    while True:
        with unit_of_work(clinic_id, read_only=True) as session:
            rows = session.execute(wanted.where(table.c.id > after).order_by(table.c.id).limit(BATCH)).all()
        chunk: list[UUID] = []
        held = 0
        for row in rows:
            if chunk and held + row.size > LARGE:
                yield chunk
                chunk, held = [], 0
            chunk.append(row.id)
            held += row.size
        if chunk:
            yield chunk
        if len(rows) < BATCH:
            return
        after = rows[-1].id


# By row and column: what stands there, and what is to stand there.
Fresh = dict[UUID, dict[str, tuple[bytes, bytes]]]


def _anew(clinic_id: UUID, place: Place, ids: Collection[UUID]) -> tuple[Fresh, int]:
    table, fresh, unreadable = place.table, Fresh(), 0
    named = [table.c[name] for name in place.columns]
    with unit_of_work(clinic_id, read_only=True) as session:
        rows = session.execute(select(table.c.id, place.by.label("its_key"), *named).where(table.c.id.in_(ids))).all()
        data_keys.load_keys(session, {row.its_key for row in rows})
        pairs = {row.its_key: data_keys.cached(row.its_key) for row in rows}
    for row in rows:
        for name in place.columns:
            bound = _bound(table, name, row.id, clinic_id)
            try:
                value = _under_the_new(pairs[row.its_key], getattr(row, name), bound)
            except keys.WrongKey:
                unreadable += 1
                continue
            if value is not None:
                fresh.setdefault(row.id, {})[name] = getattr(row, name), value
    return fresh, unreadable


def _bound(table: Table, column: str, row_id: UUID, clinic_id: UUID) -> tuple[str, ...]:
    if table.name == DataKey.__tablename__:
        return data_keys.bound(row_id, clinic_id)
    return table.name, column, str(row_id), str(clinic_id)


def _under_the_new(pair: Opened | None, sealed: bytes | None, bound: tuple[str, ...]) -> bytes | None:
    """The value sealed under the new key, None where it is or where there is none. Raises WrongKey."""
    if not sealed:
        return None
    if pair is None:
        raise keys.WrongKey("the key of this row does not open")
    try:
        keys.unseal(pair.key, sealed, *bound)
    except keys.WrongKey:
        return keys.seal(pair.key, data_keys.by_either(pair, sealed, *bound), *bound)
    return None


def _write(clinic_id: UUID, place: Place, fresh: Fresh) -> int:
    """Write what still stands as it was opened; what somebody has written meanwhile is left to the next sweep."""
    if not fresh:
        return 0
    table, count = place.table, 0
    with unit_of_work(clinic_id) as session:
        _leave_no_trace(session)
        for row_id, values in fresh.items():
            for name, (stored, anew) in values.items():
                same = (table.c.id == row_id, table.c[name] == stored)
                count += _rows(session, update(table).where(*same).values({name: anew}))
    return count


def _rows(session: Session, statement: Any) -> int:
    result: Any = session.execute(statement)
    return int(result.rowcount)


def _leave_no_trace(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))  # a freed page keeps nothing of what stood there
