"""The metadata every room's models share, and the columns that many of them have."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    Uuid,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from config import clock

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An aware moment in UTC; a naive one is refused, because it would mean another time on another machine."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


def at(moment: Callable[[], datetime]) -> ColumnElement[datetime]:
    """Return what is `moment()` each time a statement with it is run: a condition about now is built once for all."""
    return bindparam(None, callable_=moment, type_=Moment(), unique=True)


class Base(DeclarativeBase):
    """The one declarative base: one metadata, one history of migrations."""

    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {
        datetime: Moment(),
        UUID: Uuid(),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(),
        list[str]: JSON(),
        list[Any]: JSON(),
        int: Integer(),
    }


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): it grows with time, so that indexes stay compact. Never a secret."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """Return as many such ids, in order, for rows that are written together: randomness is asked for once.

    The bits after the millisecond are its fraction (RFC 9562, 6.2, method 3), so that what one process writes down
    shortly after another thing also stands after it.
    """
    random = os.urandom(8 * count)
    milliseconds, rest = divmod(clock.nanoseconds(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    marks = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62
    parts = sorted(int.from_bytes(random[at : at + 8], "big") >> 2 for at in range(0, len(random), 8))
    return [UUID(int=marks | part) for part in parts]


def first_id(at: datetime) -> UUID:
    """Return an id that no row made before `at` exceeds and none made after it goes below: for looking up by time."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


class ClinicRow:
    """A row that belongs to one clinic. The id is made here, before INSERT, because sealing binds values to it."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-3)
    clinic_id: Mapped[UUID] = mapped_column(index=True, sort_order=-2)

    def __init__(self, **values: Any) -> None:
        # What sealing binds to comes first: the id, the clinic and the key are set before any sealed value.
        self.id = values.pop("id", None) or new_id()
        for name in ("clinic_id", "key_id"):
            if name in values:
                setattr(self, name, values.pop(name))
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no {name}")
            setattr(self, name, value)


class SealedRow(ClinicRow):
    """A row of a clinic with sealed values, all under the data key `key_id`."""

    key_id: Mapped[UUID] = mapped_column(sort_order=-1)


class Work:
    """The columns of a row that waits for work: see config.db.claims.

    `try_after` is when it may next be worked on, `lease_until` until when a worker holds it, `fence` counts the
    claims, so that a late write by a worker thought dead is refused.
    """

    try_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    last_error: Mapped[str | None] = mapped_column(String(80))


class Heartbeat(Base):
    """When each component on each host last said that it is alive; asked by /readyz, and of how far what follows the
    database is behind it."""

    __tablename__ = "heartbeat"

    component: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime]


def last_tick(session: Session) -> datetime | None:
    """Return when a ticker last wrote down that it ticks, which it does each second; None if none ever has."""
    newest = select(func.max(Heartbeat.at)).where(Heartbeat.component.like("ticker.%"))
    return session.execute(newest).scalar()
