"""Asking for the rows of many values at once, and writing many rows at once."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Executable,
    Select,
    Table,
    TextClause,
    Uuid,
    func,
    insert,
    literal,
    select,
    text,
    true,
)
from sqlalchemy import cast as cast_to
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.db.base import Base, Moment


class Many(tuple[Any, ...]):
    """Values that several questions ask for: the array that PostgreSQL reads is written once for all of them."""

    @cached_property
    def ids(self) -> str:
        """The array of ids."""
        return f"{{{','.join([value.hex for value in self])}}}"


def among(session: Session, column: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Return the condition that `column` holds one of `values`, for hundreds of them as cheap as for one.

    `in_` writes a parameter for each value and the statement anew for each number of them, which costs more than
    finding the rows. PostgreSQL takes them all as one array, read as a table: so it looks each value up in its index,
    where `= ANY` makes it compare every row of a clinic with every value as soon as it has kept a plan for the query.
    """
    if session.get_bind().dialect.name == "postgresql":
        return column.in_(select(func.unnest(_array(column, values))))
    return column.in_(values)


def tuples(session: Session, statement: Executable) -> Sequence[Any]:
    """Return the rows of a query for bare columns, thousands of them: without the session's own work on each."""
    session.flush()
    return session.connection().execute(statement).all()


def of_each(
    session: Session,
    wanted: Sequence[InstrumentedAttribute[Any]],
    column: InstrumentedAttribute[Any],
    values: Collection[Any],
) -> Select[Any]:
    """Return the query for these columns of the rows whose `column` holds one of `values`, by its index in any case.

    For tables that grow while they are asked. PostgreSQL reads the whole of one it has no statistics of yet, as it
    expects a large part of it to match; asked value by value, as here, it cannot.
    """
    if session.get_bind().dialect.name != "postgresql":
        return select(*wanted).where(column.in_(values))
    each = func.unnest(_array(column, set(values))).table_valued("value").render_derived()
    # OFFSET keeps the rows of one value a question of its own.
    of_one = select(*wanted).where(column == each.c.value).offset(0).lateral()
    return select(*of_one.c).select_from(each.join(of_one, true()))


def write_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows given by their columns, all with the same ones; no default is filled in and nothing flushed."""
    if rows:
        write_columns(session, model, columns(rows))


def write_columns(session: Session, model: type[Base], by_column: Mapping[str, Sequence[Any]], **same: int) -> None:
    """Insert rows given column by column; `same` are columns that hold one number in all rows.

    On PostgreSQL one statement writes them all: COPY is refused to a role that sees only its own clinic's rows, and
    this is nearly as fast.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_inserting(model, tuple(by_column), tuple(same)), arrays(model, by_column) | same)
    else:
        rows = [dict(zip(by_column, row, strict=True)) | same for row in zip(*by_column.values(), strict=True)]
        session.execute(insert(model), rows)


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return rows, at least one, as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def arrays(model: type[Base], by_column: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """Return each column as one array, in the way PostgreSQL reads arrays."""
    # Written here, as the driver would take longer over the arrays than the server over the rows.
    return {name: f"{{{','.join(map(_writer(model, name), values))}}}" for name, values in by_column.items()}


def _array(column: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[Any]:
    if isinstance(values, Many) and isinstance(column.type, Uuid):
        written = values.ids
    else:
        written = arrays(cast(type[Base], column.class_), {column.key: list(values)})[column.key]
    return cast_to(literal(written), ARRAY(column.type))


def unnested(model: type[Base], names: Sequence[str]) -> str:
    """Return the SQL that reads the arrays named back as rows, called `row`."""
    each = ", ".join(f"CAST(:{name} AS {_kind(model, name)}[])" for name in names)
    return f"unnest({each}) AS row ({', '.join(names)})"


@lru_cache(maxsize=64)
def _inserting(model: type[Base], names: tuple[str, ...], same: tuple[str, ...]) -> TextClause:
    into, values = ", ".join((*names, *same)), ", ".join((*names, *(f":{name}" for name in same)))
    return text(f"INSERT INTO {model.__tablename__} ({into}) SELECT {values} FROM {unnested(model, names)}")  # noqa: S608 - names of our own


def _column(model: type[Base], name: str) -> Column[Any]:
    return cast(Table, model.__table__).c[name]


def _kind(model: type[Base], name: str) -> str:
    return KINDS[_holds(_column(model, name))][0]


def _writer(model: type[Base], name: str) -> Callable[[Any], str]:
    column = _column(model, name)
    writes = KINDS[_holds(column)][1]
    return (lambda value: "NULL" if value is None else writes(value)) if column.nullable else writes


def _holds(column: Column[Any]) -> type:
    if isinstance(column.type, JSON):
        return dict
    return datetime if isinstance(column.type, Moment) else column.type.python_type


def _hex(value: UUID) -> str:
    return value.hex


@lru_cache(maxsize=8192)  # a reminder is due when it is to be tried, and visits share their hours
def _moment(value: datetime) -> str:
    return value.isoformat()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


def _json(value: Any) -> str:
    # Many rows hold the same few sentences.
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return _sentences(tuple(value))
    return _quoted(json.dumps(value))


@lru_cache(maxsize=4096)
def _sentences(value: tuple[str, ...]) -> str:
    return _quoted(json.dumps(value))


# By what a column holds: its type in an array, and how a value stands there.
KINDS: Mapping[type, tuple[str, Callable[[Any], str]]] = {
    UUID: ("uuid", _hex),
    str: ("text", _quoted),
    int: ("bigint", str),
    bool: ("boolean", lambda value: "t" if value else "f"),
    datetime: ("timestamptz", _moment),
    bytes: ("bytea", _bytes),
    dict: ("json", _json),
}
