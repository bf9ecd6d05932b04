"""Runs the migrations on the engine of this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from config import db
from service import tables


def _plain_types(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # Revisions hold plain SQL types: a class of ours may be renamed, a revision never changes.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, db.Moment) else False


@contextmanager
def _tables_may_be_made_anew(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making another in its place, to which rows of others point: nothing is enforced then.

    The setting can only be changed where no transaction is open.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    bare = connection.connection.cursor()
    bare.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()
        bare.execute("PRAGMA foreign_keys=ON")
        bare.close()


def _check_every_row(connection: Connection) -> None:
    """Raise RuntimeError where a row points to nothing: then nothing of the migration is kept."""
    if connection.dialect.name == "sqlite":
        astray = connection.execute(text("PRAGMA foreign_key_check")).first()
        if astray is not None:
            raise RuntimeError(f"a row of {astray[0]} would point to nothing in {astray[2]}")


def _run() -> None:
    with db.engine().connect() as connection, _tables_may_be_made_anew(connection):
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
        _check_every_row(connection)
        connection.commit()


_run()
