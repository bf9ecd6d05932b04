"""Asking for the rows of many values at once, and writing many rows at once."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Table,
    TextClause,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.db.base import Base, Moment


def among(
    session: Session, column: InstrumentedAttribute[Any], values: Collection[Any]
) -> ColumnElement[bool]:
    """Return the condition that `column` holds one of `values`, for hundreds of them as cheap as for one.

    `in_` writes a parameter for each value and the statement anew for each number of them, which costs more than
    finding the rows. PostgreSQL takes them all as one array, read as a table: so it looks each value up in its index,
    where `= ANY` makes it compare every row of a clinic with every value as soon as it has kept a plan for the query.
    """
    if session.get_bind().dialect.name == "postgresql":
        return column.in_(select(func.unnest(literal(list(values), ARRAY(column.type)))))
    return column.in_(values)


def write_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows given by their columns, all of them with the same ones; no default is filled in and nothing flushed.

    On PostgreSQL one statement writes them all, column by column: COPY is refused to a role that sees only its own
    clinic's rows, and this is nearly as fast.
    """
    if not rows:
        return
    if session.get_bind().dialect.name == "postgresql":
        names = tuple(rows[0])
        session.connection().execute(_inserting(model, names), arrays(model, names, rows))
    else:
        session.execute(insert(model), list(rows))


def arrays(model: type[Base], names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return each column of the rows as one array, in the way PostgreSQL reads arrays."""
    # Written here, as the driver would take longer over the arrays than the server over the rows.
    return {name: f"{{{','.join(map(_writer(model, name), [row[name] for row in rows]))}}}" for name in names}


def unnested(model: type[Base], names: Sequence[str]) -> str:
    """Return the SQL that reads the arrays named back as rows, called `row`."""
    each = ", ".join(f"CAST(:{name} AS {_kind(model, name)}[])" for name in names)
    return f"unnest({each}) AS row ({', '.join(names)})"


@lru_cache(maxsize=64)
def _inserting(model: type[Base], names: tuple[str, ...]) -> TextClause:
    listed = ", ".join(names)
    return text(f"INSERT INTO {model.__tablename__} ({listed}) SELECT {listed} FROM {unnested(model, names)}")  # noqa: S608 - names of our own


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


def _moment(value: datetime) -> str:
    return value.isoformat()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bytes(value: bytes) -> str:
    return f'"\\\\x{value.hex()}"'


def _json(value: Any) -> str:
    # Many rows hold the same few sentences.
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
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
