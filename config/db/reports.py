"""Where reports are read: in a database that follows the first one, where there is one and while it keeps up.

Only what reads much and need not know the last minute is read there, and nothing is ever written. Whatever is wrong
with it, the first database answers in its place.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from config import clock, runtime
from config.db.base import last_tick
from config.db.data_keys import KEYS_FROM
from config.db.engine import reports_engine
from config.remembered import Remembered

T = TypeVar("T")
# How far behind it may be for what names no moment of its own, and for how long it is left alone once it has failed.
MOST_BEHIND = timedelta(minutes=1)
LEFT_ALONE_SECONDS = 60.0


def report(session: Session, read: Callable[[Session], T], *, seen: datetime | None = None) -> T:
    """Return what `read` reads with the session it is given: one of the reports' database, or `session` itself.

    What was committed before `seen` (a minute ago, if nothing is said) is there; what `session` has not committed may
    be missing. `read` may be called twice, writes nothing, and returns what needs no session any more. Keys come from
    `session`, where they are destroyed.
    """
    engine = reports_engine()
    if engine is None or _left_alone().get(engine.url) is not None:
        return read(session)
    try:
        with _following(engine, session) as reader:
            ticked = last_tick(reader)
            if ticked is not None and ticked >= (seen or clock.now() - MOST_BEHIND):
                return read(reader)
    except (DBAPIError, PoolTimeoutError):
        _left_alone().put(engine.url, True)
    return read(session)


def behind(now: datetime) -> float | None:
    """Return by how many seconds the reports' database is behind, as the ticks that have reached it say; infinite where
    none has, None where no such database is set. Raises sqlalchemy's DBAPIError where it does not answer."""
    engine = reports_engine()
    if engine is None:
        return None
    with Session(engine) as reader:
        ticked = last_tick(reader)
    return max((now - ticked).total_seconds(), 0.0) if ticked else float("inf")


@contextmanager
def _following(engine: Engine, session: Session) -> Iterator[Session]:
    info: dict[str, object] = {"clinic": session.info.get("clinic"), "after": {}, KEYS_FROM: session}
    with Session(engine, expire_on_commit=False, info=info) as reader:
        yield reader


def _left_alone() -> Remembered[bool]:
    return runtime.once("db.reports.left_alone", lambda: Remembered[bool](1, LEFT_ALONE_SECONDS))
