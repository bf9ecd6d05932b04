"""Sealed columns: values that only this clinic's, this row's key opens.

    class Patient(SealedRow, Base):
        name_ct: Mapped[bytes | None]
        name = Sealed("name_ct")

Clinic keys are wrapped by a master key, patient keys by their clinic's key; deleting a patient's DataKey row deletes
what was sealed under it.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, overload
from uuid import UUID

from sqlalchemy import String, Table, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from config import clock, keys, runtime
from config.db.base import Base, Moment, SealedRow, new_id, new_ids
from config.db.engine import EVERY, unit_of_work
from config.db.sets import among, write_rows
from config.remembered import Remembered

CACHE_SECONDS = 300
CACHE_KEYS = 20_000


class DataKey(Base):
    """A wrapped key. `wrapped_by` is null for a clinic's key (then `master_id` says which master key wraps it)."""

    __tablename__ = "data_key"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clinic_id: Mapped[UUID] = mapped_column(index=True)
    wrapped_by: Mapped[UUID | None]
    master_id: Mapped[str | None] = mapped_column(String(40), index=True)
    wrapped: Mapped[bytes]
    created_at: Mapped[Any] = mapped_column(Moment())


def _cache() -> Remembered[bytes]:
    """Opened keys of this process, each for five minutes at most, and what was derived from them."""
    return runtime.once("db.keys", lambda: Remembered[bytes](CACHE_KEYS, CACHE_SECONDS))


def _forget(key_id: UUID) -> None:
    """Forget a key, and what was derived from it."""
    _cache().forget(lambda known: known == key_id or (isinstance(known, tuple) and key_id in known))


def new_data_key(session: Session, clinic_id: UUID, *, under: UUID | None = None) -> UUID:
    """Make a key and store it wrapped: by the clinic's key `under`, or by the master key. Return its id."""
    key_id, key = new_id(), keys.new_key()
    master_id: str | None = None
    if under is None:
        master_id, wrapped = keys.ring().wrap(key, *_bound(key_id, clinic_id))
    else:
        wrapped = keys.seal(_key(session, under), key, *_bound(key_id, clinic_id))
    session.add(
        DataKey(
            id=key_id,
            clinic_id=clinic_id,
            wrapped_by=under,
            master_id=master_id,
            wrapped=wrapped,
            created_at=clock.now(),
        )
    )
    _cache().put(key_id, key)
    return key_id


def new_data_keys(session: Session, clinic_id: UUID, count: int, *, under: UUID) -> list[UUID]:
    """Make many keys at once as `new_data_key` makes one, wrapped by the clinic's key `under`; return their ids."""
    above, now = _key(session, under), clock.now()
    fresh = {key_id: keys.new_key() for key_id in new_ids(count)}
    alike = {"clinic_id": clinic_id, "wrapped_by": under, "master_id": None, "created_at": now}
    rows = [
        {"id": key_id, "wrapped": keys.seal(above, key, *_bound(key_id, clinic_id)), **alike}
        for key_id, key in fresh.items()
    ]
    write_rows(session, DataKey, rows)
    for key_id, key in fresh.items():
        _cache().put(key_id, key)
    return list(fresh)


def _bound(key_id: UUID, clinic_id: UUID) -> tuple[str, str, str]:
    return "data_key", str(key_id), str(clinic_id)


def load_keys(session: Session, key_ids: Iterable[UUID]) -> None:
    """Open many keys with one SELECT, before a batch reads its rows.

    One that does not open is left out: whoever reads a row of its own learns that, and no other row is held up.
    """
    wanted = [key_id for key_id in set(key_ids) if _cache().get(key_id) is None]
    for start in range(0, len(wanted), 500):
        some = among(session, DataKey.id, wanted[start : start + 500])
        for row in session.scalars(select(DataKey).where(some)):
            with suppress(keys.WrongKey):
                _open(session, row)


def _key(session: Session, key_id: UUID) -> bytes:
    cached = _cache().get(key_id)
    if cached is not None:
        return cached
    row = session.get(DataKey, key_id)
    if row is None:
        raise keys.WrongKey("the key of this row has been deleted")
    return _open(session, row)


def _open(session: Session, row: DataKey) -> bytes:
    bound = _bound(row.id, row.clinic_id)
    if row.wrapped_by is None:
        key = keys.ring().unwrap(row.master_id or "", row.wrapped, *bound)
    else:
        key = keys.unseal(_key(session, row.wrapped_by), row.wrapped, *bound)
    _cache().put(row.id, key)
    return key


def destroy_keys(session: Session, key_ids: Iterable[UUID]) -> None:
    """Throw keys away for good: whatever is sealed under them opens no more, here or in any process begun later.

    Another process that has opened one remembers it for five minutes: whoever destroys words overwrites them too.
    """
    wanted = list(key_ids)
    session.execute(update(DataKey).where(DataKey.id.in_(wanted)).values(wrapped=b""))
    session.execute(delete(DataKey).where(DataKey.id.in_(wanted)))
    for key_id in wanted:
        _forget(key_id)


def opened_for(session: Session, table: Table, column: str, of: tuple[UUID, UUID, UUID], sealed: bytes) -> bytes:
    """Open a value of a bare row, whose id, clinic's id and key's id are given. Raises WrongKey."""
    return keys.unseal(_key(session, of[2]), sealed, table.name, column, str(of[0]), str(of[1]))


def closed_for(session: Session, table: Table, column: str, of: tuple[UUID, UUID, UUID], plain: bytes = b"") -> bytes:
    """Return a value as it is sealed for a bare row, as `opened_for` opens it."""
    return keys.seal(_key(session, of[2]), plain, table.name, column, str(of[0]), str(of[1]))


def empty(row: SealedRow, *names: str) -> None:
    """Seal nothing in place of these values of a row; where its key opens no more, what is stored goes without it."""
    for name in names:
        try:
            setattr(row, name, "")
        except keys.WrongKey:
            setattr(row, f"{name}_ct", b"")


def clinic_index(session: Session, clinic_key_id: UUID, kind: str, value: str) -> bytes:
    """Return the blind index of `value` in the clinic whose key is given (`kind` such as "number" or "record")."""
    return keys.blind_index(clinic_index_key(session, clinic_key_id, kind), value)


def clinic_index_key(session: Session, clinic_key_id: UUID, kind: str) -> bytes:
    """Return the key of one kind of blind index of a clinic, for what is compared when no transaction is open."""
    of_kind: bytes | None = _cache().get((clinic_key_id, kind))
    if of_kind is None:  # derived once, as deriving takes ten times as long as the index itself
        of_kind = keys.index_key(_key(session, clinic_key_id), kind)
        _cache().put((clinic_key_id, kind), of_kind)
    return of_kind


class Sealed:
    """A text kept sealed in the column named. Setting it needs the row's id, clinic_id and key_id."""

    def __init__(self, column: str) -> None:
        self.column = column

    @overload
    def __get__(self, row: None, owner: Any) -> "Sealed": ...
    @overload
    def __get__(self, row: Any, owner: Any) -> str | None: ...
    def __get__(self, row: Any, owner: Any = None) -> "str | Sealed | None":
        return self if row is None else self.text(row)

    def __set__(self, row: Any, value: str | None) -> None:
        self.close(row, None if value is None else value.encode("utf-8", "surrogatepass"))

    def opened(self, row: Any, of: type[Base] | None = None) -> bytes | None:
        """Return the bytes that were sealed in the row, None where there are none.

        `of` is the model where the row is bare columns of it: its id, clinic_id, key_id and the sealed one.
        """
        sealed = getattr(row, self.column)
        return None if sealed is None else keys.unseal(self._key_of(row), sealed, *self._bound(row, of))

    def text(self, row: Any, of: type[Base] | None = None) -> str | None:
        """Return the text that was sealed in the row, as `opened` returns its bytes."""
        plain = self.opened(row, of)
        return None if plain is None else plain.decode("utf-8", "surrogatepass")

    def close(self, row: Any, plain: bytes | None) -> None:
        """Seal bytes into the row, or None."""
        setattr(row, self.column, None if plain is None else self.closed(row, plain))

    def closed(self, row: Any, plain: bytes, of: type[Base] | None = None) -> bytes:
        """Return bytes as they are sealed for the row, which is not changed; `of` as `opened` has it."""
        return keys.seal(self._key_of(row), plain, *self._bound(row, of))

    def _bound(self, row: Any, of: type[Base] | None = None) -> tuple[str, str, str, str]:
        return (of or row).__tablename__, self.column, str(row.id), str(row.clinic_id)

    @staticmethod
    def _key_of(row: Any) -> bytes:
        cached = _cache().get(row.key_id)
        if cached is not None:
            return cached
        session = object_session(row) if isinstance(row, Base) else None
        if session is not None:
            return _key(session, row.key_id)
        # A row being made belongs to no session yet; its key was stored before it, or is in the cache.
        with unit_of_work(EVERY, read_only=True) as reader:
            return _key(reader, row.key_id)


class SealedJson:
    """A list or an object kept sealed in the column named. An empty one is stored as nothing; `empty` makes it."""

    def __init__(self, column: str, empty: Callable[[], Any]) -> None:
        self._sealed, self._empty = Sealed(column), empty

    def __get__(self, row: Any, owner: Any = None) -> Any:
        return self if row is None else self.opened(row)

    def __set__(self, row: Any, value: Any) -> None:
        self._sealed.close(row, json.dumps(value, ensure_ascii=False, sort_keys=True).encode() if value else None)

    def opened(self, row: Any, of: type[Base] | None = None) -> Any:
        """Return what was sealed in the row, which may be bare columns of the model `of`."""
        plain = self._sealed.opened(row, of)
        return self._empty() if plain is None else json.loads(plain)


class SealedBytes:
    """Bytes kept sealed in the column named, as Sealed keeps a text."""

    def __init__(self, column: str) -> None:
        self._sealed = Sealed(column)

    def __get__(self, row: Any, owner: Any = None) -> Any:
        return self if row is None else self._sealed.opened(row)

    def __set__(self, row: Any, value: bytes | None) -> None:
        self._sealed.close(row, value)
