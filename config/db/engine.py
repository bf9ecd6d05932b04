"""The engine and the transaction: `unit_of_work` commits at its end, and rolls back if anything was raised."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, SessionTransaction

from config import runtime
from config.db import sqlite_writer


class _Every:
    """All clinics: for drains, sign-in and the machine doors, which must find out whose a row is."""


EVERY: Final = _Every()
READ_ONLY = "warmthread_read_only"
# FULL: what was committed outlives a power cut. Tests whose files live for a second do without.
SYNCHRONOUS = "FULL"


# A server that has vanished without a word is missed within half a minute (seconds; the last in milliseconds), and the
# rows of a host that has vanished are free again as soon: the server ends what it left open (libpq, PostgreSQL 20.11).
LOST = {
    "connect_timeout": 15,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
IDLE_IN_TRANSACTION = "30s"
FOLLOWER_SECONDS = 3
# For this transaction alone, as a pooler may stand between. In UTC, so that the driver hands each moment over in it,
# wherever the server stands: converting thousands of them is a tenth of what a caseload takes.
BEGIN_FOR = text(
    "SELECT set_config('app.clinic', :clinic, true), set_config('idle_in_transaction_session_timeout', :idle, true),"
    " set_config('TimeZone', 'UTC', true)"
)

# As many lanes as are urgent, and one more. No other thread of the process takes these, and no idle one closes them.
RESERVED = 6
_thread = threading.local()


def engine() -> Engine:
    """Return this process's engine; for a thread that has called `reserve`, the one with connections kept for it."""
    if reserved():
        return runtime.once("db.engine.urgent", partial(_make, RESERVED, 0))
    return runtime.once("db.engine", _make)


def reserve() -> None:
    """Let this thread work with connections that are kept for what is urgent, however many the server has left.

    On SQLite nobody can take anybody's connection, and nothing changes.
    """
    _thread.reserved = not database_url().startswith("sqlite")


def reserved() -> bool:
    """Whether this thread works with the connections that are kept for what is urgent."""
    return getattr(_thread, "reserved", False)


def open_reserve() -> None:
    """Open the connections that are kept for what is urgent, while the server still has some."""
    if reserved():
        with ExitStack() as all_at_once:
            for _ in range(RESERVED):
                all_at_once.enter_context(engine().connect())


def reports_engine() -> Engine | None:
    """Return this process's engine for the database that reports are read in, None where there is none of its own.

    It only reads, and whoever waits for it can go elsewhere: so it is given three seconds to answer.
    """
    url = runtime.settings().reports_database_url
    return runtime.once("db.engine.reports", partial(_following, url)) if url else None


def forget_connections() -> None:
    """Drop pooled connections without closing them: called in a forked child, whose parent still uses them."""
    for each in (engine(), reports_engine()):
        if each is not None:
            each.dispose(close=False)


def database_url() -> str:
    """Return the SQLAlchemy address of the database, the data directory's SQLite file if none is set."""
    settings = runtime.settings()
    return settings.database_url or f"sqlite:///{settings.data_dir.resolve() / 'warmthread.sqlite3'}"


def _make(size: int = 10, overflow: int = 30) -> Engine:
    url = database_url()
    # hide_parameters: an exception must never print what was to be stored.
    if url.startswith("sqlite"):
        runtime.settings().data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = create_engine(url, hide_parameters=True, connect_args={"timeout": 10}, pool_size=20, max_overflow=60)
        event.listen(made, "connect", _sqlite_connect)
        event.listen(made, "begin", _sqlite_begin)
    else:
        # Nothing of ours outlives its transaction on the server: a pooler in transaction mode may stand between.
        made = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=size,
            max_overflow=overflow,
            connect_args={"prepare_threshold": None, **LOST},
        )
    return made


def _following(url: str) -> Engine:
    made = create_engine(
        url,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=6,
        pool_timeout=FOLLOWER_SECONDS,
        connect_args={"prepare_threshold": None, **LOST, "connect_timeout": FOLLOWER_SECONDS},
    )
    return made.execution_options(postgresql_readonly=True)


def _sqlite_connect(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, below
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"synchronous={SYNCHRONOUS}", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(READ_ONLY):
        connection.exec_driver_sql("BEGIN")
    else:
        sqlite_writer.begin(connection)


@event.listens_for(Session, "after_begin")
def _name_the_clinic(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    _name(connection, session.info.get("clinic"))


def _name(connection: Connection, clinic: object) -> None:
    if connection.dialect.name == "postgresql":
        named = "*" if isinstance(clinic, _Every) else str(clinic)
        connection.execute(BEGIN_FOR, {"clinic": named, "idle": IDLE_IN_TRANSACTION})


@contextmanager
def unit_of_work(clinic: UUID | _Every, *, read_only: bool = False) -> Iterator[Session]:
    """Open a transaction that sees one clinic, or EVERY. Commits at the end; rolls back if anything was raised.

    What was handed to `on_commit` runs after the commit, and never if there was none. `read_only` lets SQLite readers
    run beside its one writer.
    """
    bind = engine().execution_options(**{READ_ONLY: True}) if read_only else engine()
    session = Session(bind, expire_on_commit=False, info={"clinic": clinic, "after": {}})
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
    for act in session.info["after"].values():
        act()


@contextmanager
def bare_transaction(clinic: UUID | _Every) -> Iterator[Connection]:
    """Open what `unit_of_work` opens, for plain statements that cost less than a session's bookkeeping would."""
    with engine().begin() as connection:
        _name(connection, clinic)
        yield connection


def on_commit(session: Session, name: Any, act: Callable[[], object]) -> None:
    """Run `act` once per `name` after the outermost commit of this unit of work (savepoints do not count)."""
    session.info["after"][name] = act
