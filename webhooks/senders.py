"""Who has sent a request, by the name in its address and the signature: a name that nobody has costs a refusal as much
work as one that somebody has, so that names cannot be guessed at by time."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from config import db
from webhooks import receipts

# What one sender signs with: its secret, and that of the events its EHR tells by ids alone.
Secrets = tuple[str, str]
# Checks what nobody has signed; no request is taken by it.
NOBODYS: Secrets = ("whsec_bm9ib2R5IHNpZ25zIHdpdGggdGhpcw==", "nobody signs with this")
T = TypeVar("T")


def sender(
    cache: str,
    name: str,
    *,
    secrets: Callable[[Session], Secrets | None],
    signed: Callable[[Secrets], bool],
    find: Callable[[Session], tuple[Secrets, T]],
) -> T | None:
    """Return who is called `name` and has signed this request, None for nobody.

    `secrets` asks the database one question. Who is remembered and has signed costs none; every refusal costs two
    checks of the signature and that question. So a secret that was replaced a moment ago is looked at as well.
    """
    remembered = receipts.recalled(cache, name)
    if signed(remembered[0] if remembered else NOBODYS) and remembered:
        known: T = remembered[1]
        return known
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        present = secrets(session)
    if not signed(present or NOBODYS) or present is None:
        return None
    return receipts.found_anew(cache, name, find)[1]
