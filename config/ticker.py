"""The ticker: it sweeps every lane, rings for what is due, and does the work itself when nobody answers the bell.

RQ is how work is spread and fast; this is why it is certain. Several tickers are harmless, because drains claim.
"""

import os
import signal
import socket
import threading
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from config import clock, db, logging, queue, start

EVERY_SECONDS = 1.0
GRACE = timedelta(seconds=3)


class Ticker:
    """One thread for each queue, so that a long bulk drain never keeps an urgent row waiting."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def run(self) -> None:
        """Tick until SIGTERM or SIGINT."""
        queue.lanes()  # imported here, once, and not by three threads at the same time
        start.settled()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        threads = [threading.Thread(target=self._loop, args=(name,), name=name) for name in queue.QUEUES]
        for thread in threads:
            thread.start()
        while not self._stop.wait(EVERY_SECONDS):
            _beat()
        for thread in threads:
            thread.join()

    def _loop(self, queue_name: str) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            tick(queue_name)


def tick(queue_name: str) -> int:
    """Look once at every lane of one queue; return how many rows this process handled itself."""
    handled = 0
    for lane in queue.lanes().values():
        if lane.queue == queue_name:
            try:
                handled += _look(lane)
            except Exception as error:  # noqa: BLE001 - one broken lane must not stop the sweep of the others
                logging.logger().error("sweep failed", lane=lane.name, exc_info=error)
    return handled


def _look(lane: queue.Lane) -> int:
    now = clock.now()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        oldest = lane.oldest(session, now)
    if oldest is None:
        return 0
    if queue.knock(lane.name) and now - oldest < GRACE:
        return 0
    return lane.drain()


def _beat() -> None:
    try:
        with db.unit_of_work(db.EVERY) as session:
            session.merge(
                db.Heartbeat(component=f"ticker.{socket.gethostname()}.{os.getpid()}"[:80], at=clock.now())
            )
    except SQLAlchemyError as error:
        logging.logger().error("beat failed", exc_info=error)
