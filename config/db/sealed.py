"""Sealed columns: values that only this clinic's, this row's key opens.

class Patient(SealedRow, Base):
    name_ct: Mapped[bytes | None]
    name = Sealed("name_ct")
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, overload
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.orm import Session, object_session

from config import keys
from config.db import data_keys
from config.db.base import Base, SealedRow
from config.db.engine import EVERY, unit_of_work


def opened_for(session: Session, table: Table, column: str, of: tuple[UUID, UUID, UUID], sealed: bytes) -> bytes:
    """Open a value of a bare row, whose id, clinic's id and key's id are given. Raises WrongKey."""
    return data_keys.unsealed(session, of[2], sealed, table.name, column, str(of[0]), str(of[1]))


def closed_for(session: Session, table: Table, column: str, of: tuple[UUID, UUID, UUID], plain: bytes = b"") -> bytes:
    """Return a value as it is sealed for a bare row, as `opened_for` opens it."""
    return keys.seal(data_keys.opened(session, of[2]).key, plain, table.name, column, str(of[0]), str(of[1]))


def empty(row: SealedRow, *names: str) -> None:
    """Seal nothing in place of these values of a row; where its key opens no more, what is stored goes without it."""
    for name in names:
        try:
            setattr(row, name, "")
        except keys.WrongKey:
            setattr(row, f"{name}_ct", b"")


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
        if sealed is None:
            return None
        place, at_hand = self._bound(row, of), data_keys.cached(row.key_id)
        if at_hand is not None:
            # Else by the key before it, or by one that came meanwhile: `unsealed` looks, and says if none does.
            with suppress(keys.WrongKey):
                return keys.unseal(at_hand.key, sealed, *place)
        with _session_of(row) as session:
            return data_keys.unsealed(session, row.key_id, sealed, *place)

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
        at_hand = data_keys.cached(row.key_id)
        if at_hand is not None:
            return at_hand.key
        with _session_of(row) as session:
            return data_keys.opened(session, row.key_id).key


@contextmanager
def _session_of(row: Any) -> Iterator[Session]:
    own = object_session(row) if isinstance(row, Base) else None
    if own is not None:
        yield own
        return
    # A row being made belongs to no session yet; its key was stored before it, or is in the cache.
    with unit_of_work(EVERY, read_only=True) as reader:
        yield reader


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
