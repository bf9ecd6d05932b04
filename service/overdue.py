"""Urgent work that nobody took, worked off by whoever has a thread to spare.

The ticker rings for what is due and works it off where nobody answers. Where it is the only one and hangs, while Redis
has lost the bells, an alert would wait until somebody ends it: so each urgent worker looks at its lanes by itself too,
rarely, and takes only what a ticker that lives would have seen to long ago.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from config import clock, logging, queue

EVERY_SECONDS = 3.0
PATIENCE = timedelta(seconds=6)


@contextmanager
def watched(name: str) -> Iterator[None]:
    """Work off, from a thread beside the block, what has waited too long in a lane of the queue `name`."""
    over = threading.Event()
    thread = threading.Thread(target=_watch, args=(name, over), name="overdue")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _watch(name: str, over: threading.Event) -> None:
    lanes = [lane for lane in queue.lanes().values() if lane.queue == name]
    while not over.wait(EVERY_SECONDS):
        for lane in lanes:
            try:
                _see_to(lane)
            except Exception as error:  # noqa: BLE001 - a lane that fails now is looked at again in three seconds
                logging.logger().error("overdue work failed", lane=lane.name, exc_info=error)


def _see_to(lane: queue.Lane) -> None:
    now = clock.now()
    due = queue.due_by(lane, now)
    if due is not None and now - due > PATIENCE:
        logging.logger().warning("overdue work taken", lane=lane.name, waited=(now - due).total_seconds())
        queue.drain(lane)
