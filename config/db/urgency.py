"""What is urgent goes first where only one can write: others let pass whoever waits for SQLite's one writer with it.

Whoever waits says so by a lock on a file beside the database, which the kernel takes back however its holder ends. It
is a courtesy and no lock: nobody waits for it longer than `COURTESY_SECONDS`, so that a process that was frozen while
it waited holds up nobody for good.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

COURTESY_SECONDS = 0.5
_thread = threading.local()


@contextmanager
def urgently() -> Iterator[None]:
    """Let this thread's transactions go before those of others; PostgreSQL has many writers."""
    before, _thread.urgent = is_urgent(), True
    try:
        yield
    finally:
        _thread.urgent = before


def is_urgent() -> bool:
    """Whether what this thread does is urgent."""
    return getattr(_thread, "urgent", False)


class Waiting:
    """Says, from `say` to the end of its block, that somebody with something urgent waits to write."""

    def __init__(self, database: str) -> None:
        self._database, self._descriptor = database, -1

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def say(self) -> None:
        """Say it if nobody does; to be tried again, as whoever asks just now keeps us from it for a moment."""
        if self._descriptor < 0:
            self._descriptor = _locked(self._database, fcntl.LOCK_EX)


def somebody_waits(database: str) -> bool:
    """Whether somebody with something urgent waits to write in the database of this path."""
    descriptor = _locked(database, fcntl.LOCK_SH)
    if descriptor < 0:
        return True
    os.close(descriptor)
    return False


def _locked(database: str, kind: int) -> int:
    """Return a descriptor that holds the lock, -1 where somebody else has it, or none can be had (a full disk)."""
    descriptor = -1
    try:
        descriptor = os.open(f"{database}-urgent", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        if descriptor >= 0:
            os.close(descriptor)
        return -1
    return descriptor
