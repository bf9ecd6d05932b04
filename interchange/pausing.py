"""A row by which an EHR is asked or written to: paused, resumed and hurried alike."""

from typing import Any

from config import clock


def hurry(row: Any) -> None:
    """Let a row be worked on at once; what is under way for it is not written down (the fence)."""
    row.fence, row.lease_until, row.try_after, row.failures = (row.fence or 0) + 1, None, clock.now(), 0
    row.refused = row.refused_at = None


def pause(row: Any) -> bool:
    """Let nothing be done for a row until it is resumed; False where it was paused already."""
    if row.state != "on":
        return False
    row.state, row.fence, row.lease_until = "paused", row.fence + 1, None
    return True


def resume(row: Any) -> bool:
    """Let a row be worked on again, at once; False where it was not paused."""
    if row.state != "paused":
        return False
    row.state = "on"
    hurry(row)
    return True
