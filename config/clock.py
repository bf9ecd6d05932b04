"""The one place that knows what time it is."""

import mmap
import struct
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

_MICROSECOND = timedelta(microseconds=1)
_ahead = timedelta(0)
# Whole seconds, signed, as this machine writes eight bytes.
LEAP = struct.Struct("q")
_followed: mmap.mmap | None = None


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC) + shifted()


def nanoseconds() -> int:
    """Return the present moment as nanoseconds since 1970."""
    return time.time_ns() + shifted() // _MICROSECOND * 1000


def shift(ahead: timedelta) -> None:
    """Let this process's clock run `ahead` of the machine's (or behind it): for the demonstration alone."""
    global _ahead, _followed
    _ahead, _followed = ahead, None


def follow(file: Path) -> None:
    """Let this process's clock leap by what stands in `file` (LEAP) whenever that is changed: for faults on purpose.

    Without such a file nothing happens. Forked children follow it as well.
    """
    global _followed
    with suppress(FileNotFoundError), file.open("rb") as opened:
        _followed = mmap.mmap(opened.fileno(), LEAP.size, access=mmap.ACCESS_READ)


def shifted() -> timedelta:
    """Return how far this process's clock is ahead of the machine's: nothing, outside the demonstration."""
    return _ahead + timedelta(seconds=LEAP.unpack(_followed)[0]) if _followed else _ahead


def monotonic() -> float:
    """Return seconds that never go back, for measuring how long something takes."""
    return time.monotonic()


def iso(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC with a Z, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
