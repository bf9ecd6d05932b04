"""Lanes and doorbells: RQ says "look there", the rows say what there is to do.

A lane is a kind of row that waits. `ring` sets a flag and enqueues one job that carries the lane's name and nothing
else; the job clears the flag before it claims, so that rings coalesce and none is lost. Redis may lose everything:
the ticker sweeps every lane and works it off itself.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from config import clock, db, logging, queues, runtime, tallies

BELL_SECONDS = 30
SLICE_SECONDS = 5.0
REST_SECONDS = 2.0
TALLIES = "warmthread:tallies"
T = TypeVar("T")


@dataclass(frozen=True)
class Lane:
    """A kind of waiting row: the queue that spreads it, the drain that works it off, and since when the oldest waits.

    `drain()` returns how many rows it handled; `oldest(session, now)` the moment since which the oldest due row
    waits, or None. `prepare()` makes once, in the worker, what every job of it would otherwise make anew after the
    fork: imports that take long, rules that are compiled.
    """

    name: str
    queue: str
    drain: Callable[[], int]
    oldest: Callable[[Session, datetime], datetime | None]
    prepare: Callable[[], object] = bool


# What this thread has rung since it began to answer; None while it answers nothing.
_rung: ContextVar[list[tuple[str, Job]] | None] = ContextVar("rung", default=None)
_listed: list[Callable[[], Iterable[Lane]]] = []


class SafeJob(Job):
    """A job that can only be `answer` with the name of a lane: whoever can write to Redis can ring, and no more."""

    @property
    def func(self) -> Callable[..., Any]:
        """Return `answer`, or refuse: RQ would import whatever name stands in Redis."""
        wanted: tuple[str, None, dict[str, Any]] = (f"{answer.__module__}.{answer.__qualname__}", None, {})
        if (self.func_name, self.instance, self.kwargs) != wanted or list(self.args) not in [[n] for n in lanes()]:
            raise PermissionError("not a doorbell of ours")
        return answer

    @property
    def success_callback(self) -> None:
        """Nothing is called back, whatever Redis says."""
        return None

    @property
    def failure_callback(self) -> None:
        """Nothing is called back, whatever Redis says."""
        return None

    @property
    def stopped_callback(self) -> None:
        """Nothing is called back, whatever Redis says."""
        return None

    def send_webhooks(self, *_args: Any, **_named: Any) -> None:
        """No job of ours has webhooks: an address in Redis would be somebody else's."""


def use_lanes(listed: Callable[[], Iterable[Lane]]) -> None:
    """Say who lists the lanes, as a process begins (service.start): the rooms that have them lie above this file."""
    _listed[:] = [listed]


def lanes() -> dict[str, Lane]:
    """Return every lane by name, urgent queues first."""
    return runtime.once("queue.lanes", _in_order)


def _in_order() -> dict[str, Lane]:
    known = [lane for listed in _listed for lane in listed()]
    return {lane.name: lane for lane in sorted(known, key=lambda lane: queues.NAMES.index(lane.queue))}


def redis_url() -> str:
    """Return Redis' address; the embedded server's private socket if none is set."""
    settings = runtime.settings()
    if settings.redis_url:
        return settings.redis_url
    return runtime.once("queue.embedded_url", lambda: "unix:///nowhere")


def hasty_redis() -> Redis:
    """Return a client that gives up after a quarter of a second and never tries twice (a retry could ring twice)."""
    return runtime.once(
        "queue.redis",
        lambda: Redis.from_url(
            redis_url(), socket_timeout=0.25, socket_connect_timeout=0.25, retry=Retry(NoBackoff(), 0)
        ),
    )


def ask(question: Callable[[Redis], T]) -> T | None:
    """Return what Redis answers, or None where it is silent: what is asked so is never needed.

    After a silence nobody asks for two seconds: a Redis that hangs must not make every page and every commit wait.
    """
    silent = runtime.once("queue.silence", lambda: {"until": 0.0})
    if clock.monotonic() < silent["until"]:
        return None
    try:
        return question(hasty_redis())
    except (RedisError, OSError) as error:
        logging.logger().warning("redis was silent", error_type=type(error).__name__)
        silent["until"] = clock.monotonic() + REST_SECONDS
        return None


def ring(session: Session, lane: str) -> None:
    """Ring `lane` after the outermost commit of this unit of work; failing is forgotten, since the row is there."""
    db.on_commit(session, ("ring", lane), partial(knock, lane))


class Ringer:
    """Knocks from a thread of its own, so that whoever waits for an answer of ours does not wait for Redis as well.

    Wishes for one lane become one knock, also those that come within a moment of the last one. The thread begins with
    the first wish, in whichever process that is, ends when nobody has wished for anything for a second, and is waited
    for when the process ends.
    """

    IDLE_SECONDS, MOMENT_SECONDS = 1.0, 0.01

    def __init__(self) -> None:
        self._wished: dict[str, None] = {}
        self._changed = threading.Condition()
        self._working = False

    def wish(self, lane: str) -> None:
        """Knock for `lane` very soon. What this process forgets when it is killed, the ticker finds."""
        with self._changed:
            self._wished[lane] = None
            if not self._working:
                self._working = True
                threading.Thread(target=self._work, name="ringer").start()
            self._changed.notify()

    def _work(self) -> None:
        while wished := self._next():
            for lane in wished:
                try:
                    knock(lane)
                except Exception as error:  # noqa: BLE001 - one bell that breaks must not silence the others
                    logging.logger().error("bell broke", lane=lane, exc_info=error)
            time.sleep(self.MOMENT_SECONDS)

    def _next(self) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._wished, self.IDLE_SECONDS)
            wished, self._wished = list(self._wished), {}
            self._working = bool(wished)
            return wished


def knock_soon(name: str) -> None:
    """Knock without waiting for Redis: for doors, after their commit."""
    runtime.once("queue.ringer", Ringer).wish(name)


def knock(name: str) -> bool:
    """Enqueue one answer for the lane unless one is already on its way. Returns False when Redis did not answer."""
    lane = lanes()[name]
    try:
        redis = hasty_redis()
        if redis.set(f"warmthread:bell:{name}", "1", nx=True, ex=BELL_SECONDS):
            queue = Queue(lane.queue, connection=redis, job_class=SafeJob, serializer=JSONSerializer)
            job = queue.enqueue_call(
                answer,
                args=(name,),
                description="doorbell",
                result_ttl=0,
                failure_ttl=3600,
                ttl=300,
                timeout=120,
            )
            if (rung := _rung.get()) is not None:
                rung.append((name, job))
    except (RedisError, OSError) as error:
        logging.logger().warning("bell did not ring", lane=name, error_type=type(error).__name__)
        return False
    return True


def answer(name: str) -> None:
    """Work the lane off: the one job there is. Runs again by itself if the time slice was too short.

    What this rings in its own queue it answers as well, as far as no other worker has begun to: the next process, with
    connections of its own, is what takes longest between an alert and its text.
    """
    try:
        for ring_of, job in _answered(name):
            if ring_of != name and lanes()[ring_of].queue == lanes()[name].queue and _taken_back(job):
                _answered(ring_of)
    finally:  # the process ends with this job
        push_tallies()


def _answered(name: str) -> list[tuple[str, Job]]:
    """Work a lane off, and return what that rang."""
    lane = lanes()[name]
    try:
        hasty_redis().delete(f"warmthread:bell:{name}")
    except (RedisError, OSError):
        logging.logger().warning("bell was not cleared", lane=name)
    rung: list[tuple[str, Job]] = []
    begun = _rung.set(rung)
    try:
        handled = drain(lane)
    finally:
        _rung.reset(begun)
    if handled and due_by(lane, clock.now()):
        knock(name)
    return rung


def _taken_back(job: Job) -> bool:
    """Take a job out of its queue again; False if a worker was faster."""
    try:
        took = bool(hasty_redis().lrem(f"rq:queue:{job.origin}", 1, job.id))
        if took:
            job.delete(remove_from_queue=False)
    except (RedisError, OSError):
        return False
    return took


def due_by(lane: Lane, moment: datetime) -> datetime | None:
    """Return since when the oldest row of a lane will have been due by this moment; None where none will."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return lane.oldest(session, moment)


def drain(lane: Lane) -> int:
    """Work a lane off and count that: drains, rows, seconds and failures. Raises what the drain does."""
    began = clock.monotonic()
    try:
        with db.urgently() if lane.queue == "urgent" else nullcontext():
            rows = lane.drain()
    except BaseException:
        tallies.add("lane_failures", lane.name)
        raise
    tallies.add("lane_rows", lane.name, by=rows)
    tallies.observe("lane_seconds", lane.name, seconds=clock.monotonic() - began)
    return rows


def push_tallies() -> None:
    """Add to what all processes have counted what this one has; where Redis is silent it is kept for the next time."""
    taken = tallies.take()
    if taken and ask(partial(_add_up, taken)) is None:
        tallies.put_back(taken)


def _add_up(taken: dict[str, float], redis: Redis) -> bool:
    together = redis.pipeline(transaction=False)
    for field, by in taken.items():
        together.hincrbyfloat(TALLIES, field, by)
    together.execute()
    return True


def tallied() -> dict[str, float]:
    """Return what all processes have counted, by name and labels parted by bars; nothing where Redis is silent."""
    kept: dict[bytes, bytes] = ask(lambda redis: dict(redis.hgetall(TALLIES))) or {}  # type: ignore[arg-type]
    return {field.decode(): float(value) for field, value in kept.items()}
