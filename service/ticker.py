"""The ticker: it sweeps every lane, rings for what is due, and does the work itself when nobody answers the bell.

RQ is how work is spread and fast; this is why it is certain. Several tickers are harmless, because drains claim.
"""

import os
import signal
import socket
import threading
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from config import clock, db, logging, queue
from service import start

# A timer is seen to at its moment: what falls due before the next sweep is waited for, and then looked for again soon.
EVERY_SECONDS, SOON_SECONDS = 1.0, 0.2
# How long a bell goes unanswered before the work is done here: not long where somebody waits for a worker that is busy.
GRACE, URGENT_GRACE = timedelta(seconds=3), timedelta(milliseconds=300)


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
        rest = EVERY_SECONDS
        while not self._stop.wait(rest):
            rest = EVERY_SECONDS
            try:
                rest = self._sweep(lane)
            except Exception as error:  # noqa: BLE001 - a lane that fails now is swept again in a second
                logging.logger().error("sweep failed", lane=lane.name, exc_info=error)
                self._failing.add(lane.name)

    def _sweep(self, lane: queue.Lane) -> float:
        """See to what is due in a lane, or falls due before the next sweep; return how many seconds to rest then."""
        now = clock.now()
        due = queue.due_by(lane, now + timedelta(seconds=EVERY_SECONDS))
        if due is None:
            return EVERY_SECONDS
        if due <= now:
            see_to(lane, due)
            return SOON_SECONDS if lane.queue == "urgent" else EVERY_SECONDS
        if not self._stop.wait((due - now).total_seconds()):
            see_to(lane, due)
        return SOON_SECONDS

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


def see_to(lane: queue.Lane, due: datetime) -> int:
    """Ring for a lane with a row that is due; return how many rows this process handled itself."""
    grace = URGENT_GRACE if lane.queue == "urgent" else GRACE
    if queue.knock(lane.name) and clock.now() - due < grace:
        return 0
    return queue.drain(lane)
