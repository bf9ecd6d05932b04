"""Passwords that are known to be common: 43,940 of twelve characters and more, as sorted prefixes of hashes. Pure.

From the "10 million passwords" list of SecLists (MIT License, copyright 2018 Daniel Miessler), first collected by Mark
Burnett: of its million commonest those that are long enough to be chosen here. `python -m tools.passwords` made it.
Hashes, because a list of words people swear by is nothing to read; six bytes of them take a good one for a common one
once in six billion times.
"""

import hashlib
from bisect import bisect_left
from functools import cache
from importlib import resources

FILE = "common_passwords.hashes"
SHORTEST, BYTES = 12, 6


def prefix(password: str) -> bytes:
    """Return what stands in the list for a password; capitals make no difference."""
    return hashlib.sha256(password.casefold().encode("utf-8", "replace")).digest()[:BYTES]


def holds(password: str) -> bool:
    """Whether the password is on the list."""
    wanted, listed = prefix(password), _listed()
    place = bisect_left(range(len(listed) // BYTES), wanted, key=lambda at: listed[at * BYTES : (at + 1) * BYTES])
    return listed[place * BYTES : (place + 1) * BYTES] == wanted


@cache
def _listed() -> bytes:
    return resources.files("web.account").joinpath(FILE).read_bytes()
