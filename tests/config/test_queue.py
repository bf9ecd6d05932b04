"""Doorbells, with a real Valkey: rings coalesce, nobody can make us run anything else, a dead Redis costs little."""

import json
import os
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from config import clock, db, queue, queues, runtime
from service import lanes
from tests.waiting import until


@pytest.fixture
def drained(house) -> list[str]:
    """Two lanes of the test's own, and the names of those that were drained."""
    drained: list[str] = []

    def lane(name: str, where: str) -> queue.Lane:
        return queue.Lane(name, where, lambda: drained.append(name) or 0, lambda _session, _now: None)  # type: ignore[func-returns-value]

    runtime.once("queue.lanes", lambda: {"one": lane("one", "urgent"), "two": lane("two", "bulk")})
    return drained


def doorbells(bell: Redis, name: str) -> list[str]:
    return Queue(name, connection=bell, serializer=JSONSerializer).job_ids


def work(bell: Redis, *names: str) -> None:
    jobs = [Queue(name, connection=bell, job_class=queue.SafeJob, serializer=JSONSerializer) for name in names]
    worker = SimpleWorker(jobs, connection=bell, job_class=queue.SafeJob, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="CRITICAL")


def test_a_ring_is_answered_by_draining_its_lane(bell: Redis, drained: list[str]):
    with db.unit_of_work(db.EVERY) as session:
        queue.ring(session, "one")
        assert doorbells(bell, "urgent") == []
    assert len(doorbells(bell, "urgent")) == 1
    work(bell, "urgent")
    assert drained == ["one"]
    assert bell.keys("rq:job:*") == []


def test_each_lane_rings_in_its_own_queue(bell: Redis, drained: list[str]):
    assert queue.knock("one")
    assert queue.knock("two")
    assert (len(doorbells(bell, "urgent")), len(doorbells(bell, "bulk"))) == (1, 1)


def test_rings_coalesce_until_the_door_is_answered(bell: Redis, drained: list[str]):
    for _ in range(20):
        assert queue.knock("one")
    assert len(doorbells(bell, "urgent")) == 1
    queue.answer("one")
    queue.knock("one")
    assert len(doorbells(bell, "urgent")) == 2


def test_a_ring_during_the_drain_is_not_lost(bell: Redis, house):
    def drain() -> int:
        queue.knock("one")
        return 0

    lane = queue.Lane("one", "urgent", drain, lambda _session, _now: None)
    runtime.once("queue.lanes", lambda: {"one": lane})
    queue.knock("one")
    queue.answer("one")
    assert len(doorbells(bell, "urgent")) == 2


def test_a_lane_whose_time_slice_was_too_short_rings_again_by_itself(bell: Redis, house):
    since = clock.now() - timedelta(minutes=1)
    lane = queue.Lane("one", "urgent", lambda: 7, lambda _session, _now: since)
    runtime.once("queue.lanes", lambda: {"one": lane})
    queue.answer("one")
    assert len(doorbells(bell, "urgent")) == 1


def test_a_lane_that_cannot_get_on_does_not_ring_for_ever(bell: Redis, house):
    since = clock.now() - timedelta(minutes=1)
    lane = queue.Lane("one", "urgent", lambda: 0, lambda _session, _now: since)
    runtime.once("queue.lanes", lambda: {"one": lane})
    queue.answer("one")
    assert doorbells(bell, "urgent") == []


@pytest.fixture
def chained(house) -> list[str]:
    """Lanes of which the first rings two others as it is drained; the names of those that were drained."""
    drained: list[str] = []

    def first() -> int:
        drained.append("first")
        queue.knock("next")
        queue.knock("other")
        return 0

    def lane(name: str, where: str) -> queue.Lane:
        return queue.Lane(name, where, lambda: drained.append(name) or 0, lambda _session, _now: None)  # type: ignore[func-returns-value]

    listed = [
        queue.Lane("first", "urgent", first, lambda _session, _now: None),
        lane("next", "urgent"),
        lane("other", "bulk"),
    ]
    runtime.once("queue.lanes", lambda: {each.name: each for each in listed})
    return drained


def test_what_a_lane_rings_in_its_own_queue_is_answered_by_the_same_job(bell: Redis, chained: list[str]):
    queue.answer("first")
    assert chained == ["first", "next"]
    assert (len(doorbells(bell, "urgent")), len(doorbells(bell, "bulk"))) == (0, 1)
    assert len(bell.keys("rq:job:*")) == 1
    assert queue.knock("next")
    assert len(doorbells(bell, "urgent")) == 1, "its bell was cleared"


def test_what_another_worker_has_begun_is_left_to_it(bell: Redis, chained: list[str], monkeypatch: pytest.MonkeyPatch):
    lane, taken = queue.lanes()["first"], []

    def first_and_another_takes() -> int:
        handled = lane.drain()
        taken.append(bell.lpop("rq:queue:urgent"))
        return handled

    monkeypatch.setitem(queue.lanes(), "first", queue.Lane("first", "urgent", first_and_another_takes, lane.oldest))
    queue.answer("first")
    assert chained == ["first"]
    assert taken[0] is not None


def test_a_flag_left_behind_by_a_dead_worker_expires(bell: Redis, drained: list[str]):
    queue.knock("one")
    assert 0 < bell.ttl("warmthread:bell:one") <= queue.BELL_SECONDS


def test_nothing_but_the_lane_s_name_is_in_redis(bell: Redis, drained: list[str]):
    queue.knock("one")
    (key,) = bell.keys("rq:job:*")
    stored = bell.hgetall(key)
    assert stored[b"description"] == b"doorbell"
    assert json.loads(_inflated(stored[b"data"])) == ["config.queue.answer", None, ["one"], {}]


def _inflated(data: bytes) -> bytes:
    import zlib

    try:
        return zlib.decompress(data)
    except zlib.error:
        return data


def inject(bell: Redis, function: str, *args: Any, kwargs: dict[str, Any] | None = None, **options: Any) -> str:
    """Put a job into Redis as somebody who can write there would."""
    job = Job.create(
        function, args=args, kwargs=kwargs, connection=bell, serializer=JSONSerializer, timeout=5, **options
    )
    job.save()
    bell.sadd("rq:queues", "rq:queue:urgent")
    bell.rpush("rq:queue:urgent", job.id)
    return job.id


@pytest.mark.parametrize(
    ("function", "kwargs"),
    [
        ("os.system", None),
        ("subprocess.call", None),
        ("config.queue.knock", None),
        ("config.queue.answer", {"name": "one"}),
        ("config.queue.answer", None),
        ("builtins.eval", None),
    ],
)
def test_a_job_that_is_not_our_doorbell_never_runs(
    bell: Redis, drained: list[str], tmp_path: Path, function: str, kwargs: dict[str, Any] | None
):
    job_id = inject(bell, function, f"touch {tmp_path}/touched", kwargs=kwargs)
    work(bell, "urgent")
    assert not (tmp_path / "touched").exists()
    assert drained == []
    failed = queue.SafeJob.fetch(job_id, connection=bell, serializer=JSONSerializer)
    assert failed.get_status() == "failed"


def test_a_lane_that_does_not_exist_is_refused(bell: Redis, drained: list[str]):
    inject(bell, "config.queue.answer", "three")
    inject(bell, "config.queue.answer", "one", "two")
    work(bell, "urgent")
    assert drained == []


def test_a_callback_somebody_wrote_into_redis_never_runs(bell: Redis, drained: list[str], tmp_path: Path):
    job_id = inject(bell, "config.queue.answer", "one")
    touch = {"success_callback_name": "os.system", "failure_callback_name": "os.system"}
    bell.hset(f"rq:job:{job_id}", mapping=touch)
    work(bell, "urgent")
    assert drained == ["one"]
    assert not (tmp_path / "touched").exists()


def test_a_good_ring_is_answered_even_behind_a_bad_one(bell: Redis, drained: list[str]):
    inject(bell, "os.system", "true")
    queue.knock("one")
    work(bell, "urgent")
    assert drained == ["one"]


# A quarter of a second for the call and one for its answer; on a machine that has other things to do it may be more.
SOON = 60


def seconds(knocks: int = 1) -> float:
    start = time.monotonic()
    for _ in range(knocks):
        assert not queue.knock("one")
    return time.monotonic() - start


def test_a_dead_redis_is_forgotten_soon(drained: list[str]):
    with db.unit_of_work(db.EVERY) as session:
        session.add(db.Heartbeat(component="a", at=clock.now()))
        queue.ring(session, "one")
    with db.unit_of_work(db.EVERY) as session:
        assert session.get(db.Heartbeat, "a")
    assert seconds() < SOON


def test_a_redis_that_takes_calls_and_never_answers_is_left_soon(drained: list[str], tmp_path: Path):
    address = f"/tmp/wt-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        try:
            listening.listen(8)
            runtime.once("queue.embedded_url", lambda: f"unix://{address}")
            assert seconds() < SOON
            queue.answer("one")
            assert drained == ["one"]
            patience = queue.hasty_redis().connection_pool.connection_kwargs
            assert patience["socket_timeout"] + patience["socket_connect_timeout"] <= 0.5  # as running.md says
        finally:
            os.unlink(address)


def test_a_redis_that_lost_everything_rings_again(bell: Redis, drained: list[str]):
    queue.knock("one")
    bell.flushall()
    assert queue.knock("one")
    assert len(doorbells(bell, "urgent")) == 1


def test_the_lanes_of_all_rooms_have_names_of_their_own(house):
    names = [lane.name for lane in lanes.ALL]
    assert len(names) == len(set(names))
    assert {lane.queue for lane in queue.lanes().values()} <= set(queues.NAMES)
    assert [lane.queue for lane in queue.lanes().values()] == sorted(
        (lane.queue for lane in queue.lanes().values()), key=queues.NAMES.index
    )


def step(bell: Redis, name: str) -> list[str]:
    return until(lambda: doorbells(bell, name), f"a ring for {name}")


def test_a_knock_that_nobody_waits_for_rings_as_well(bell: Redis, drained: list[str]):
    for _ in range(50):
        queue.knock_soon("one")
    assert len(step(bell, "urgent")) == 1
    queue.knock_soon("two")
    assert len(step(bell, "bulk")) == 1


def test_a_knock_wished_for_after_the_door_was_answered_rings_again(bell: Redis, drained: list[str]):
    queue.knock_soon("one")
    assert step(bell, "urgent")
    work(bell, "urgent")
    queue.knock_soon("one")
    assert step(bell, "urgent")


def test_the_ringer_rests_when_nobody_wishes_for_anything_and_begins_again(bell: Redis, drained: list[str]):
    ringer = queue.Ringer()
    ringer.IDLE_SECONDS = 0.01
    ringer.wish("one")
    assert step(bell, "urgent")
    until(lambda: not ringer._working, "the ringer to rest")
    ringer.wish("two")
    assert step(bell, "bulk")
