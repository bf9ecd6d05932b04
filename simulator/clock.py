"""What time it is on this network: the machine's, or ahead of it as the demonstration wants."""

from datetime import UTC, datetime, timedelta

_ahead = timedelta(0)


def now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC) + _ahead


def shift(ahead: timedelta) -> None:
    """Let the clock of this process run `ahead` of the machine's."""
    global _ahead
    _ahead = ahead
