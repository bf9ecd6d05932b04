"""How long an address that guessed wrong too often must wait: longer each time, a minute at most, forgotten in an hour.

Kept in the memory of each process: a soft delay beside the tries that the database counts, and never a lock, because
a whole clinic or a carrier's customers share one address.
"""

import hashlib
import threading
from datetime import datetime, timedelta

from config import clock, runtime

LONGEST = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(hours=1)
KEPT = 10_000


class _Wrong:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[bytes, list[datetime]] = {}


def wait(kind: str, address: str, free: int) -> int:
    """Return how many seconds this address must still wait, 0 if none; `free` wrong guesses an hour cost nothing."""
    wrong, now = _wrong(), clock.now()
    with wrong.lock:
        lately = [at for at in wrong.known.get(_key(kind, address), ()) if now - at < FORGOTTEN_AFTER]
    if len(lately) < free:
        return 0
    pause = min(LONGEST, timedelta(seconds=2.0 ** min(len(lately) - free + 1, 10)))
    return max(0, int((lately[-1] + pause - now).total_seconds() + 0.999))


def wrong(kind: str, address: str) -> None:
    """Count one wrong guess."""
    known, key, now = _wrong(), _key(kind, address), clock.now()
    with known.lock:
        lately = [at for at in known.known.pop(key, ()) if now - at < FORGOTTEN_AFTER]
        known.known[key] = [*lately[-100:], now]
        while len(known.known) > KEPT:
            known.known.pop(next(iter(known.known)))


def _key(kind: str, address: str) -> bytes:
    return hashlib.sha256(f"{kind}\n{address}".encode("utf-8", "replace")).digest()


def _wrong() -> _Wrong:
    return runtime.once("intake_links.pauses", _Wrong)
