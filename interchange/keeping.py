"""Commits what several senders transmit at one moment in one transaction: so each waits for the disk less.

Whoever has the turn commits what all have brought who wait for theirs; they find theirs done. Nobody goes on before
what they brought is committed, and a row that breaks keeps none of the others from being kept.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from config import db, queue, runtime
from interchange import feeds


@dataclass(eq=False)
class _Brought:
    """The rows of one transmission, and what came of them."""

    clinic_id: UUID
    rows: Sequence[feeds.Row]
    is_kept: bool = False
    failed: Exception | None = None


class Turns:
    """What waits in this process, and whose turn it is to commit it."""

    def __init__(self) -> None:
        self.waiting: deque[_Brought] = deque()
        self.turn = threading.Lock()


def turns() -> Turns:
    """Return what waits in this process."""
    return runtime.once("interchange.keeping", Turns)


def commit(clinic_id: UUID, rows: Sequence[feeds.Row]) -> None:
    """Keep all of the rows or none, committed when this returns; none of them may be refused. Raises what kept them
    from being kept."""
    here, mine = turns(), _Brought(clinic_id, rows)
    here.waiting.append(mine)
    with here.turn:
        if not (mine.is_kept or mine.failed):
            brought = [here.waiting.popleft() for _ in range(len(here.waiting))]
            for of_clinic, each in groupby(sorted(brought, key=_clinic), _clinic):
                _commit(of_clinic, list(each))
    if not mine.is_kept:  # without a reason of its own where whoever had the turn was ended in the middle of it
        raise mine.failed or InterruptedError("what was brought was not kept")
    queue.knock_soon(feeds.LANE)


def _clinic(brought: _Brought) -> UUID:
    return brought.clinic_id


def _commit(clinic_id: UUID, brought: Sequence[_Brought]) -> None:
    """Keep what was brought of a clinic together; where that fails, each by itself."""
    try:
        with db.bare_transaction(clinic_id) as connection:
            for row in (row for each in brought for row in each.rows):
                feeds.insert(connection, row)
    except Exception as error:  # noqa: BLE001 - whatever it is, each of them is told
        if len(brought) == 1:
            brought[0].failed = error
            return
        for each in brought:
            _commit(clinic_id, [each])
        return
    for each in brought:
        each.is_kept = True
