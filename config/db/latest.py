"""The latest of several moments of a row, reckoned by the database: so an index can know when a row last changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import SQLColumnExpression
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from config.db.base import Moment


class _Latest(FunctionElement[datetime]):
    type = Moment()
    inherit_cache = True
    name = "latest"


def latest(moments: Sequence[SQLColumnExpression[Any]]) -> SQLColumnExpression[datetime]:
    """Return the latest of these moments, those that have not come (null) left out."""
    return _Latest(*moments) if len(moments) > 1 else moments[0]


@compiles(_Latest, "postgresql")
def _postgresql(element: _Latest, compiler: SQLCompiler, **kw: Any) -> str:
    return f"GREATEST({', '.join(compiler.process(clause, **kw) for clause in element.clauses)})"


@compiles(_Latest, "sqlite")
def _sqlite(element: _Latest, compiler: SQLCompiler, **kw: Any) -> str:
    # Moments are kept as text there, before all of which the empty one stands.
    moments = [f"coalesce({compiler.process(clause, **kw)}, '')" for clause in element.clauses]
    return f"max({', '.join(moments)})"
