"""What processes count: added up in Redis, kept where it is silent, and never a word that is not ours."""

import threading

import pytest

from config import queue, tallies


@pytest.fixture(autouse=True)
def _counted_nothing():
    for thread in threading.enumerate():
        if thread.name == "tallies":  # what a request of an earlier test still hands on
            thread.join()
    tallies.take()
    yield
    tallies.take()


def test_what_was_counted_is_taken_once():
    tallies.add("carrier", "taken")
    tallies.add("carrier", "taken", by=2)
    assert tallies.take() == {"carrier|taken": 3}
    assert tallies.take() == {}


@pytest.mark.parametrize("label", ["+13035550100", "Maya Quill", "", "a|b"])
def test_a_label_is_a_small_word_of_our_own(label):
    with pytest.raises(ValueError, match="a label"):
        tallies.add("carrier", label)


@pytest.mark.parametrize(("seconds", "bucket"), [(0.05, "0.05"), (0.3, "0.5"), (10, "10"), (11, "inf")])
def test_a_duration_is_counted_in_its_bucket(seconds, bucket):
    tallies.observe("request_seconds", "staff", seconds=seconds)
    assert tallies.take() == {"request_seconds_sum|staff": seconds, f"request_seconds_bucket|staff|{bucket}": 1}


def test_two_processes_add_up(bell):
    for _ in range(2):
        tallies.add("carrier", "taken", by=1.5)
        queue.push_tallies()
    assert queue.tallied() == {"carrier|taken": 3.0}


def test_what_a_silent_redis_does_not_take_is_kept(house):
    tallies.add("carrier", "taken")
    queue.push_tallies()
    assert tallies.take() == {"carrier|taken": 1}
    assert queue.tallied() == {}


def test_a_drain_is_counted_also_where_it_fails(house):
    def broken() -> int:
        raise RuntimeError

    assert queue.drain(queue.Lane("names", "bulk", lambda: 4, lambda *_: None)) == 4
    with pytest.raises(RuntimeError):
        queue.drain(queue.Lane("media", "bulk", broken, lambda *_: None))
    counted = tallies.take()
    assert counted["lane_rows|names"] == 4
    assert counted["lane_failures|media"] == 1
    assert "lane_seconds_sum|names" in counted
