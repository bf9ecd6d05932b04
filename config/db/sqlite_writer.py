"""Waiting for SQLite's one writer: whoever waits is asked as often as any other, however long they have waited."""

import sqlite3
from typing import cast

from sqlalchemy import Connection

from config import clock

# SQLite's own waiting sleeps for longer each time, up to a tenth of a second: beside many writers whoever has waited
# longest asks most seldom, and now and then in vain until its patience ends. Begun anew in short rounds, all ask alike.
ROUND, PATIENCE = 0.015, 10.0


def begin(connection: Connection) -> None:
    """Begin a transaction that writes. Raises OperationalError where others have written for PATIENCE seconds.

    At once, because one that reads first and writes later fails whatever it waits.
    """
    writer, ends = cast(sqlite3.Connection, connection.connection.driver_connection), clock.monotonic() + PATIENCE
    _wait_at_most(writer, ROUND)
    try:
        while clock.monotonic() < ends:
            try:
                writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as refused:
                if refused.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    break
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is wrong is raised as of any other statement
    finally:
        _wait_at_most(writer, PATIENCE)


def _wait_at_most(writer: sqlite3.Connection, seconds: float) -> None:
    writer.execute(f"PRAGMA busy_timeout={1000 * seconds:.0f}")
