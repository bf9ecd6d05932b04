"""Long work that may wait: a batch to a transaction, and between two of them what is urgent goes first."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from config import clock, db, queue

# How long a batch of what may wait lets what is urgent pass, before it goes on all the same. Batches that are shorter
# than a step are not each asked before: to ask ten lanes takes longer than many a batch.
STEP_SECONDS, STEPS = 0.05, 20


def work_off(
    model: type[Any],
    due: ColumnElement[bool],
    handle: Callable[[Session, Sequence[Any]], None],
    *,
    give_up: Callable[[Session, Any], None],
) -> int:
    """Work long rows off a batch to a transaction, for some seconds; between two of them what is urgent goes first.

    The arguments are those of `db.work_off`; `handle` does one batch of a row, which stays due until all is done.
    Returns how many batches there were.
    """
    end, handled, asked = clock.monotonic() + queue.SLICE_SECONDS, 0, -math.inf
    while clock.monotonic() < end:
        if clock.monotonic() - asked >= STEP_SECONDS:
            _let_pass()
            asked = clock.monotonic()
        batches = db.work_off(model, due, handle, give_up=give_up, batch=1, seconds=0.01)
        if not batches:
            break
        handled += batches
    return handled


def _let_pass() -> None:
    """Wait, but not for ever, while something in an urgent lane is due."""
    urgent = [lane for lane in queue.lanes().values() if lane.queue == "urgent"]
    for _ in range(STEPS):
        now = clock.now()
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            if not any(lane.oldest(session, now) for lane in urgent):
                return
        time.sleep(STEP_SECONDS)
