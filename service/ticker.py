"""The ticker: it sweeps every lane, rings for what is due, and does the work itself when nobody answers the bell.

RQ is how work is spread and fast; this is why it is certain. Several tickers are harmless, because drains claim.
"""

import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from queue import Empty, SimpleQueue
from typing import NamedTuple

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError

from config import clock, db, logging, queue
from service import start

# A timer is seen to at its moment: what falls due before the next sweep is waited for, and then looked for again soon.
EVERY_SECONDS, SOON_SECONDS = 1.0, 0.2
# How long a bell goes unanswered before the work is done here: not long where somebody waits for a worker that is busy.
GRACE, URGENT_GRACE = timedelta(seconds=3), timedelta(milliseconds=300)


class Turn(NamedTuple):
    """When a lane is swept next, in seconds of the monotonic clock; `due` is what its row then is due for, if known."""

    at: float
    name: str
    lane: queue.Lane
    due: datetime | None = None

    def again(self, seconds: float, due: datetime | None = None) -> "Turn":
        """Return the lane's next turn, so many seconds from now."""
        return Turn(time.monotonic() + seconds, self.name, self.lane, due)


class Ticker:
    """Lanes take turns on a few threads; one that has long to do, or hangs, keeps its own and no other lane waiting."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._failing: set[str] = set()
        self._back: SimpleQueue[Turn | None] = SimpleQueue()

    def run(self) -> None:
        """Tick until SIGTERM or SIGINT. Raises RuntimeError if the rounds end before: who began us does it again."""
        lanes = list(queue.lanes().values())  # imported here, once, and not by many threads at the same time
        start.settled()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.end)
        rounds = self.begin(lanes)
        while not self._stop.wait(EVERY_SECONDS):
            if not rounds.is_alive():
                raise RuntimeError("the rounds of the ticker have ended")
            self._beat()
        rounds.join()
        self._fall_silent()

    def begin(self, lanes: list[queue.Lane] | None = None) -> threading.Thread:
        """Start to go round the lanes, all if none are named; the thread ends after `end`."""
        going = list(queue.lanes().values()) if lanes is None else lanes
        rounds = threading.Thread(target=self._go_round, args=(going,), name="rounds")
        rounds.start()
        return rounds

    def end(self, *_signal: object) -> None:
        """Let every thread end after what it is doing."""
        self._stop.set()
        self._back.put(None)

    def _go_round(self, lanes: list[queue.Lane]) -> None:
        """Give each lane its turn when that has come, on a thread that is idle; one is added where none is."""
        apart = [EVERY_SECONDS * place / len(lanes) for place in range(len(lanes))]
        now = time.monotonic()
        turns = [Turn(now + later, lane.name, lane) for lane, later in zip(lanes, apart, strict=True)]
        heapify(turns)
        with (
            ThreadPoolExecutor(len(lanes), "urgent", _hold_connections) as urgent,
            ThreadPoolExecutor(len(lanes), "lane") as others,
        ):
            while not self._stop.is_set():
                while turns and turns[0].at <= time.monotonic():
                    turn = heappop(turns)
                    (urgent if turn.lane.queue == "urgent" else others).submit(self._take, turn)
                self._wait_for_turns(turns)

    def _wait_for_turns(self, turns: list[Turn]) -> None:
        """Wait until the first turn has come, or a lane is back from its own, or all is to end."""
        rest = max(turns[0].at - time.monotonic(), 0) if turns else EVERY_SECONDS
        with suppress(Empty):
            back = self._back.get(timeout=rest)
            if back:
                heappush(turns, back)

    def _take(self, turn: Turn) -> None:
        following = turn.again(EVERY_SECONDS)
        try:
            following = self._sweep(turn)
        except Exception as error:  # noqa: BLE001 - a lane that fails now is swept again in a second
            logging.logger().error("sweep failed", lane=turn.name, exc_info=error)
            self._failing.add(turn.name)
        finally:
            self._back.put(following)

    def _sweep(self, turn: Turn) -> Turn:
        """See to what is due in a lane, and return its next turn: at the moment of what falls due before the sweep."""
        lane, now = turn.lane, clock.now()
        due = turn.due or queue.due_by(lane, now + timedelta(seconds=EVERY_SECONDS))
        if due is None:
            return turn.again(EVERY_SECONDS)
        if due > now and turn.due is None:  # who has waited does not wait again where the clock was set back meanwhile
            return turn.again((due - now).total_seconds(), due)
        see_to(lane, due)
        return turn.again(SOON_SECONDS if lane.queue == "urgent" or turn.due else EVERY_SECONDS)

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
