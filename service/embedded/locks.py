"""A lock that belongs to an open file, so that the kernel gives it back however its holder ended."""

import fcntl
import os
import time
from pathlib import Path

RETRY_SECONDS = 0.02


def hold(path: Path, patience: float = 0.0) -> int:
    """Lock `path` (made when missing, never deleted) and give the descriptor that holds the lock.

    Closing the descriptor, or the end of every process that inherited it, releases the lock.
    Tries for `patience` seconds, then raises BlockingIOError; other OSErrors as they come.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise
            time.sleep(RETRY_SECONDS)
        except OSError:
            os.close(descriptor)
            raise
        else:
            return descriptor


def sign(descriptor: int) -> None:
    """Leave this process's id in a held lock file, for the message to whoever comes second."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def holder(path: Path) -> str:
    """What the holder left by `sign`: a process id as text, or "unknown"."""
    try:
        return path.read_text(encoding="ascii").strip() or "unknown"
    except (OSError, UnicodeDecodeError):
        return "unknown"
