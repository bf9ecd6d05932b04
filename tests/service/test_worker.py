"""Where jobs are worked, and what killed workers leave in Redis: nothing that stays for ever."""

import os
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from config import queue, queues, runtime
from service import worker


def test_what_a_killed_horse_leaves_expires(bell, house):
    queue.knock("media")
    (job,) = list(bell.scan_iter("rq:job:*"))
    bell.persist(job)  # RQ takes the limit away as a job begins, and gives one when it ends
    bell.hset("rq:results:lost", "a", "b")
    bell.hset("rq:executions:lost", "a", "b")
    worker.make("default").run_maintenance_tasks()
    for key in (job, b"rq:results:lost", b"rq:executions:lost"):
        assert 0 < bell.ttl(key) <= worker.FORGOTTEN_AFTER


def test_a_limit_that_is_there_stays(bell, house):
    queue.knock("media")
    (job,) = list(bell.scan_iter("rq:job:*"))
    before = bell.ttl(job)
    worker.make("default").run_maintenance_tasks()
    assert 0 < bell.ttl(job) <= before


@pytest.mark.parametrize("name", queues.NAMES)
def test_what_is_urgent_is_worked_in_the_worker_itself_and_what_may_wait_in_a_child(
    bell: Redis, house: Any, tmp_path: Path, name: str
) -> None:
    told = tmp_path / "pid"
    lane = queue.Lane("one", name, lambda: told.write_text(str(os.getpid())), lambda _session, _now: None)
    runtime.once("queue.lanes", lambda: {"one": lane})
    queue.knock("one")
    worker.make(name).work(burst=True, logging_level="CRITICAL")
    assert (told.read_text() == str(os.getpid())) is (name == "urgent")


def test_a_job_that_fails_leaves_the_urgent_worker_at_work(bell: Redis, house: Any) -> None:
    worked: list[str] = []

    def fail() -> int:
        worked.append("failed")
        raise ArithmeticError

    lanes = [
        queue.Lane("one", "urgent", fail, lambda *_: None),
        queue.Lane("two", "urgent", lambda: worked.append("did") or 1, lambda *_: None),
    ]  # type: ignore[func-returns-value]
    runtime.once("queue.lanes", lambda: {lane.name: lane for lane in lanes})
    queue.knock("one")
    queue.knock("two")
    worker.make("urgent").work(burst=True, logging_level="CRITICAL")
    assert worked == ["failed", "did"]
