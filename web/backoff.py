"""How long the next guess of a password must wait: longer each time, and never for ever.

Kept in the memory of each process and counted for the account as typed and the address it came from, so that nobody
can lock an on-call person out from elsewhere, and unknown accounts look like known ones.
"""

import hashlib
import threading
from datetime import datetime, timedelta

from config import clock, runtime

FREE_TRIES = 5
LONGEST = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(minutes=30)
KEPT = 10_000


class _Tries:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[bytes, tuple[int, datetime]] = {}


def wait(account: str, address: str) -> int:
    """Return how many seconds this account must still wait at this address, 0 if none."""
    tries = _tries()
    with tries.lock:
        count, last = tries.known.get(_key(account, address), (0, clock.now()))
    if count < FREE_TRIES:
        return 0
    pause = min(LONGEST, timedelta(seconds=2.0 ** min(count - FREE_TRIES + 1, 10)))
    left = (last + pause - clock.now()).total_seconds()
    return max(0, int(left + 0.999))


def failed(account: str, address: str) -> None:
    """Count one wrong password."""
    tries, key, now = _tries(), _key(account, address), clock.now()
    with tries.lock:
        count, last = tries.known.pop(key, (0, now))
        tries.known[key] = (1 if now - last > FORGOTTEN_AFTER else count + 1, now)
        while len(tries.known) > KEPT:
            tries.known.pop(next(iter(tries.known)))


def succeeded(account: str, address: str) -> None:
    """Forget the wrong ones."""
    tries = _tries()
    with tries.lock:
        tries.known.pop(_key(account, address), None)


def _key(account: str, address: str) -> bytes:
    return hashlib.sha256(f"{account}\n{address}".encode("utf-8", "replace")).digest()


def _tries() -> _Tries:
    return runtime.once("web.backoff", _Tries)
