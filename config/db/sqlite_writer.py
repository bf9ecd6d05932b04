"""Waiting for SQLite's one writer: what is urgent goes first, and all others are asked as often as any other."""

import sqlite3
import time
from contextlib import suppress
from typing import cast

from sqlalchemy import Connection

from config import clock
from config.db import urgency

# SQLite's own waiting sleeps for longer each time, up to a tenth of a second: beside many writers whoever has waited
# longest asks most seldom, and now and then in vain until its patience ends. Here each asks again as soon as before.
PATIENCE = 10.0
PAUSE, SHORT_PAUSE = 0.004, 0.001


def begin(connection: Connection) -> None:
    """Begin a transaction that writes. Raises OperationalError where others have written for PATIENCE seconds.

    At once, because one that reads first and writes later fails whatever it waits.
    """
    writer = cast(sqlite3.Connection, connection.connection.driver_connection)
    writer.execute("PRAGMA busy_timeout=0")
    try:
        if not _begun_in_turn(writer, connection.engine.url.database or ""):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # what is wrong is raised as of any other statement
    finally:
        writer.execute(f"PRAGMA busy_timeout={1000 * PATIENCE:.0f}")


def _begun_in_turn(writer: sqlite3.Connection, database: str) -> bool:
    """Begin when it is our turn; False where it never was, or where something else than waiting is wrong."""
    urgent, began = urgency.is_urgent(), clock.monotonic()
    with suppress(sqlite3.OperationalError):
        if _begun(writer, database, urgent=urgent):
            return True
        with urgency.Waiting(database) as waiting:
            while (waited := clock.monotonic() - began) < PATIENCE:
                if urgent:
                    waiting.say()
                time.sleep(SHORT_PAUSE if urgent else PAUSE)
                if _begun(writer, database, urgent=urgent or waited > urgency.COURTESY_SECONDS):
                    return True
    return False


def _begun(writer: sqlite3.Connection, database: str, *, urgent: bool) -> bool:
    """Whether the transaction has begun; False where another is writing, or is to write first."""
    if not urgent and urgency.somebody_waits(database):
        return False
    try:
        writer.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as refused:
        if refused.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
