"""How long transactions that may write are held open, measured in the time of the thread that holds them.

Time of the processor and not of the clock: what a busy machine does meanwhile is nobody's fault.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event

from config import db
from config.db.engine import READ_ONLY

LONGEST = 0.25


@contextmanager
def writers() -> Iterator[list[float]]:
    """Collect the seconds of each transaction that may write, while the block runs."""
    held: list[float] = []
    began: dict[int, float] = {}

    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(READ_ONLY):
            began[id(connection.connection.dbapi_connection)] = time.thread_time()

    def end(connection: Connection) -> None:
        at = began.pop(id(connection.connection.dbapi_connection), None)
        if at is not None:
            held.append(time.thread_time() - at)

    listened = (("begin", begin), ("commit", end), ("rollback", end))
    for name, act in listened:
        event.listen(db.engine(), name, act)
    try:
        yield held
    finally:
        for name, act in listened:
            event.remove(db.engine(), name, act)
