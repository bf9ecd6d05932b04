"""How long it is from one moment to another, reckoned by the database."""

from typing import Any

from sqlalchemy import ColumnElement, Float, SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Seconds(FunctionElement[float]):
    type = Float()
    inherit_cache = True
    name = "seconds_between"


def seconds(begins: SQLColumnExpression[Any], ends: SQLColumnExpression[Any]) -> ColumnElement[float]:
    """Return the seconds from `begins` to `ends`, to the microsecond on PostgreSQL, to the millisecond on SQLite."""
    return _Seconds(begins, ends)


@compiles(_Seconds, "postgresql")
def _postgresql(element: _Seconds, compiler: SQLCompiler, **kw: Any) -> str:
    begins, ends = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"extract(epoch FROM {ends} - {begins})"


@compiles(_Seconds, "sqlite")
def _sqlite(element: _Seconds, compiler: SQLCompiler, **kw: Any) -> str:
    begins, ends = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"round((julianday({ends}) - julianday({begins})) * 86400, 3)"
