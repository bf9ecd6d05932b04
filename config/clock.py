"""The one place that knows what time it is."""

import time
from datetime import UTC, datetime, timedelta

_MICROSECOND = timedelta(microseconds=1)
_ahead = timedelta(0)


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC) + _ahead


def nanoseconds() -> int:
    """Return the present moment as nanoseconds since 1970."""
    return time.time_ns() + _ahead // _MICROSECOND * 1000


def shift(ahead: timedelta) -> None:
    """Let this process's clock run `ahead` of the machine's (or behind it): for the demonstration alone."""
    global _ahead
    _ahead = ahead


def shifted() -> timedelta:
    """Return how far this process's clock is ahead of the machine's: nothing, outside the demonstration."""
    return _ahead


def monotonic() -> float:
    """Return seconds that never go back, for measuring how long something takes."""
    return time.monotonic()


def iso(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC with a Z, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
