"""The ticker: it sweeps every lane, rings for what is due, and does the work itself when nobody answers the bell.

RQ is how work is spread and fast; this is why it is certain. Several tickers are harmless, because drains claim.
"""

import os
import signal
import socket
import threading
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from config import clock, db, logging, queue
from service import start

EVERY_SECONDS = 1.0
GRACE = timedelta(seconds=3)


class Ticker:
    """One thread for each lane, so that neither a long drain nor a carrier that hangs keeps any other lane waiting."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._failing: set[str] = set()

    def run(self) -> None:
        """Tick until SIGTERM or SIGINT."""
        queue.lanes()  # imported here, once, and not by many threads at the same time
        start.settled()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)
        threads = self.begin()
        while not self._stop.wait(EVERY_SECONDS):
            self._beat()
        for thread in threads:
            thread.join()
        self._fall_silent()

    def begin(self) -> list[threading.Thread]:
        """Start a thread for each lane; they end with `end`."""
        threads = [threading.Thread(target=self._loop, args=(lane,), name=name) for name, lane in queue.lanes().items()]
        for thread in threads:
            thread.start()
        return threads

    def end(self, *_signal: object) -> None:
        """Let every thread end after what it is doing."""
        self._stop.set()

    def _loop(self, lane: queue.Lane) -> None:
        if lane.queue == "urgent":
            _hold_connections()
        while not self._stop.wait(EVERY_SECONDS):
            try:
                look(lane)
            except Exception as error:  # noqa: BLE001 - a lane that fails now is swept again in a second
                logging.logger().error("sweep failed", lane=lane.name, exc_info=error)
                self._failing.add(lane.name)

    def _beat(self) -> None:
        """Say that we live, and which lanes could not be swept since the last time: /readyz tells the operator."""
        now, failing = clock.now(), set(self._failing)
        names = [self._name(), *(db.FAILING + lane for lane in failing)]
        try:
            with db.unit_of_work(db.EVERY) as session:
                for name in names:
                    session.merge(db.Heartbeat(component=name[:80], at=now))
            self._failing -= failing
        except SQLAlchemyError as error:
            logging.logger().error("beat failed", exc_info=error)
        queue.push_tallies()

    def _fall_silent(self) -> None:
        """Take our beat away: whoever wants to restore a backup now need not wait to see that nobody beats."""
        try:
            with db.unit_of_work(db.EVERY) as session:
                session.execute(delete(db.Heartbeat).where(db.Heartbeat.component == self._name()[:80]))
        except SQLAlchemyError as error:
            logging.logger().error("beat stays", exc_info=error)

    @staticmethod
    def _name() -> str:
        return f"ticker.{socket.gethostname()}.{os.getpid()}"


def _hold_connections() -> None:
    """Work with connections nobody else takes: an alert must leave also when the server has none left to give."""
    db.reserve()
    try:
        db.open_reserve()
    except SQLAlchemyError as error:
        logging.logger().error("no connections in reserve", exc_info=error)


def look(lane: queue.Lane) -> int:
    """Look once at a lane; return how many rows this process handled itself."""
    now = clock.now()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        oldest = lane.oldest(session, now)
    if oldest is None:
        return 0
    if queue.knock(lane.name) and now - oldest < GRACE:
        return 0
    return queue.drain(lane)
