"""The one place that knows what time it is."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds that never go back, for measuring how long something takes."""
    return time.monotonic()


def iso(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC with a Z, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
