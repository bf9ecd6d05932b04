"""How long an address, or a whole door, that was guessed at too often must wait: a minute at most, forgotten in an hour.

Kept in the memory of each process: a soft delay beside the tries that the database counts, and never a lock, because
a whole clinic or a carrier's customers share one address.
"""

import hashlib
import threading
from datetime import datetime, timedelta

from config import clock, runtime

LONGEST = timedelta(seconds=60)
# Instead of an address: guesses from anywhere, so that many addresses together get no further than one.
ANYWHERE = "*"
# An address that has opened a form is a clinic's own: strangers who guess at the door do not make it wait.
OWN_FOR = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(hours=1)
KEPT = 10_000


class _Wrong:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[bytes, list[datetime]] = {}
        self.right: dict[bytes, datetime] = {}


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


def wait_at_door(kind: str, address: str, free: int, free_anywhere: int) -> int:
    """Return how many seconds to wait for what one address guessed, or, where it never guessed right, all together did."""
    own = wait(kind, address, free)
    return own if _is_known(kind, address) else max(own, wait(kind, ANYWHERE, free_anywhere))


def wrong_at_door(kind: str, address: str) -> None:
    """Count one wrong guess for its address, and against the door unless the address is a clinic's own."""
    wrong(kind, address)
    if not _is_known(kind, address):
        wrong(kind, ANYWHERE)


def right_at_door(kind: str, address: str) -> None:
    """Remember that this address guessed right."""
    known, key = _wrong(), _key(kind, address)
    with known.lock:
        known.right.pop(key, None)
        known.right[key] = clock.now()
        while len(known.right) > KEPT:
            known.right.pop(next(iter(known.right)))


def _is_known(kind: str, address: str) -> bool:
    known = _wrong()
    with known.lock:
        at = known.right.get(_key(kind, address))
    return at is not None and clock.now() - at < OWN_FOR


def _key(kind: str, address: str) -> bytes:
    return hashlib.sha256(f"{kind}\n{address}".encode("utf-8", "replace")).digest()


def _wrong() -> _Wrong:
    return runtime.once("intake_links.pauses", _Wrong)
