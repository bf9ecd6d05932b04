"""Passwords by argon2id, two at a time, so that a flood of guesses takes neither all memory nor all threads.

A hash takes 64 MiB.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from config import runtime

# Without a second factor: NIST SP 800-63B-4 asks for fifteen characters, and for no rules of composition.
SHORTEST, LONGEST = 15, 200
# Whoever waits holds a thread: four at most do, for a moment, and the next is refused at once.
PATIENCE_SECONDS, MOST_WAITING = 0.2, 4
_SLOTS = threading.BoundedSemaphore(2)
_PLACES = threading.BoundedSemaphore(2 + MOST_WAITING)
_HASHER = PasswordHasher()


class Busy(Exception):
    """Too many passwords are being checked just now."""


class TooShort(ValueError):
    """A password shorter than SHORTEST characters, or longer than LONGEST."""


def hashed(password: str) -> str:
    """Return the argon2id hash of a new password. Raises TooShort and Busy."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise TooShort
    with _slot():
        return _HASHER.hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether `password` is the one hashed in `known`; takes as long when there is none. Raises Busy."""
    nobodys = runtime.once("web.nobodys_password", lambda: hashed("nobody has this password"))
    with _slot():
        try:
            _HASHER.verify(stored or nobodys, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


@contextmanager
def _slot() -> Iterator[None]:
    if not _PLACES.acquire(blocking=False):
        raise Busy
    try:
        if not _SLOTS.acquire(timeout=PATIENCE_SECONDS):
            raise Busy
        try:
            yield
        finally:
            _SLOTS.release()
    finally:
        _PLACES.release()
