"""Runs the migrations on the engine of this process."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import text

from config import db
from service import tables


def _plain_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # Revisions hold plain SQL types: a class of ours may be renamed, a revision never changes.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, db.Moment) else False


def _run() -> None:
    with db.engine().connect() as connection:
        if connection.dialect.name == "postgresql":
            # One migration at a time, and none that waits for a busy table until the clinic notices. All of it ends
            # with this transaction: behind a pooler the connection is somebody else's the moment after.
            connection.execute(text("SELECT pg_advisory_xact_lock(7719340)"))
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            connection.execute(text("SET LOCAL statement_timeout = '15min'"))
            connection.execute(text("SELECT set_config('app.clinic', '*', true)"))
        context.configure(
            connection=connection,
            target_metadata=tables.METADATA,
            render_item=_plain_types,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


_run()
