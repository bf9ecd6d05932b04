"""Passwords by argon2id, two at a time, so that a flood of guesses takes neither all memory nor all threads.

A hash takes 64 MiB.
"""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from config import runtime
from web.account import breached_passwords, common_passwords

# NIST SP 800-63B-4 asks for fifteen characters where nothing else proves who it is, for no rules of composition, and
# that what is common or near at hand is refused.
SHORTEST, SHORTEST_WITH_FACTOR, LONGEST = 15, common_passwords.SHORTEST, 200
# Shorter words stand in too many others to tell anything.
SHORTEST_WORD = 4
PRODUCT = "warmthread"
# Whoever waits holds a thread: four at most do, for a moment, and the next is refused at once.
PATIENCE_SECONDS, MOST_WAITING = 0.2, 4
_SLOTS = threading.BoundedSemaphore(2)
_PLACES = threading.BoundedSemaphore(2 + MOST_WAITING)
_HASHER = PasswordHasher()


class Busy(Exception):
    """Too many passwords are being checked just now."""


class Refused(ValueError):
    """A password that is not taken: `why` is short | long | common | repeated | near; `word` what is near at hand."""

    def __init__(self, why: str, word: str = "") -> None:
        super().__init__(why)
        self.why, self.word = why, word


def shortest(*, second_factor: bool) -> int:
    """Return how many characters a password needs."""
    return SHORTEST_WITH_FACTOR if second_factor else SHORTEST


def near_words(*texts: str) -> frozenset[str]:
    """Return the words that somebody would try first: of names, addresses and so on, and our own."""
    words = (word for text in texts for word in re.split(r"[\W_]+", text.casefold()))
    return frozenset({PRODUCT, *(word for word in words if len(word) >= SHORTEST_WORD)})


def check(password: str, near: Iterable[str] = (), *, second_factor: bool = False) -> None:
    """Raise Refused where a new password is too short or long, common, breached, a repetition, or near at hand."""
    if len(password) < shortest(second_factor=second_factor):
        raise Refused("short")
    if len(password) > LONGEST:
        raise Refused("long")
    if password in (password + password)[1:-1]:
        raise Refused("repeated")
    if common_passwords.holds(password) or _breached(password):
        raise Refused("common")
    folded = re.sub(r"[\W_]+", "", password.casefold())
    for word in sorted(near, key=len, reverse=True):
        if word in folded:
            raise Refused("near", word)


def _breached(password: str) -> bool:
    """Whether the operator's own list has it, where there is one."""
    file = runtime.settings().breached_passwords
    return file is not None and breached_passwords.holds(file, password)


def hashed(password: str, near: Iterable[str] = (), *, second_factor: bool = False) -> str:
    """Return the argon2id hash of a new password. Raises Refused (see `check`) and Busy."""
    check(password, near, second_factor=second_factor)
    return _hash(password)


def rehashed(stored: str, password: str) -> str | None:
    """Return a new hash of a password that fits where `stored` was made by older parameters, else None.

    What was taken once is taken again, whatever is asked of a new one. Raises Busy.
    """
    return _hash(password) if _HASHER.check_needs_rehash(stored) else None


def fits(stored: str | None, password: str) -> bool:
    """Whether `password` is the one hashed in `stored`; takes as long when there is none. Raises Busy."""
    nobodys = runtime.once("web.nobodys_password", lambda: _hash("nobody has this password"))
    with _slot():
        try:
            _HASHER.verify(stored or nobodys, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def _hash(password: str) -> str:
    with _slot():
        return _HASHER.hash(password)


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
