"""What is urgent and nobody took is worked off by the urgent worker too, and what is young is left to the ticker."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from config import queue, runtime
from service import overdue
from tests.waiting import until


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the lanes all the time, and not every three seconds."""
    monkeypatch.setattr(overdue, "EVERY_SECONDS", 0.01)


def lane(name: str, waited: timedelta, worked: threading.Event, kind: str = "urgent") -> queue.Lane:
    def drain() -> int:
        worked.set()
        return 1

    return queue.Lane(name, kind, drain, lambda _session, now: now - waited)


def use(*lanes: queue.Lane) -> None:
    runtime.once("queue.lanes", lambda: {lane.name: lane for lane in lanes})


def test_what_has_waited_too_long_is_worked_off_though_the_lane_before_it_fails(house: Any, impatient: None) -> None:
    def fail() -> int:
        raise ArithmeticError

    worked, long_ago = threading.Event(), overdue.PATIENCE + timedelta(seconds=1)
    broken = queue.Lane("one", "urgent", fail, lambda _session, now: now - long_ago)
    use(broken, lane("two", long_ago, worked))
    with overdue.watched("urgent"):
        until(worked.is_set, "the overdue lane")


def test_what_is_young_or_may_wait_is_left_to_the_ticker(house: Any, impatient: None) -> None:
    young, bulk, last = threading.Event(), threading.Event(), threading.Event()
    use(
        lane("young", overdue.PATIENCE - timedelta(seconds=1), young),
        lane("bulk", timedelta(hours=1), bulk, "bulk"),
        lane("last", timedelta(hours=1), last),
    )
    with overdue.watched("urgent"):
        until(last.is_set, "the overdue lane")
        last.clear()
        until(last.is_set, "another look")
    assert not young.is_set()
    assert not bulk.is_set()


def test_the_watch_ends_with_its_block(house: Any, impatient: None) -> None:
    worked = threading.Event()
    use(lane("one", timedelta(hours=1), worked))
    with overdue.watched("urgent"):
        until(worked.is_set, "the overdue lane")
    assert "overdue" not in {thread.name for thread in threading.enumerate()}
