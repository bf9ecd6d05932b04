"""Counting tries: the same by Redis and by memory, shared by processes, and never an error for whoever waits."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from redis import Redis

from config import clock, queue, runtime, settings, throttle
from service import child_settings
from tests.waiting import until

LIMITS = (
    throttle.Limit("one", free=5, window=1800),
    throttle.Limit("two", free=3),
    throttle.Limit("three", free=30, longest=20),
)
ACTS = {
    "take": throttle.take,
    "wait": throttle.wait,
    "give_back": throttle.give_back,
    "forget": throttle.forget,
}


def told(steps: list[tuple[str, list[int], float]]) -> list[int | None]:
    """What each step answers, from a moment that is no round number."""
    answers = []
    with time_machine.travel(datetime(2026, 3, 3, 16, 0, 0, 123456, tzinfo=UTC), tick=False) as at:
        for act, which, seconds in steps:
            answers.append(ACTS[act](*(LIMITS[n].of("somebody") for n in which)))
            at.shift(timedelta(seconds=seconds))
    return answers


@trying(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("take", "take", "take", *ACTS)),
            st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True),
            st.sampled_from((0.0, 0.0, 0.5, 3.0, 61.0, 700.0, -5.0)),
        ),
        max_size=60,
    )
)
def test_redis_and_memory_count_alike(bell: Redis, steps: list[tuple[str, list[int], float]]) -> None:
    bell.flushall()
    runtime.forget("queue.silence")
    by_redis = told(steps)
    runtime.forget("throttle.memory")
    runtime.once("queue.silence", dict)["until"] = float("inf")
    by_memory = told(steps)
    runtime.forget("queue.silence")
    assert by_redis == by_memory


@pytest.mark.parametrize("limit", LIMITS)
def test_the_free_tries_cost_nothing_and_the_next_waits_longer_each_time(bell: Redis, limit: throttle.Limit):
    with time_machine.travel(clock.now(), tick=False) as at:
        assert [throttle.take(limit.of("a")) for _ in range(limit.free)] == [0] * limit.free
        waits = []
        for _ in range(8):
            waits.append(throttle.take(limit.of("a")))
            at.shift(timedelta(seconds=waits[-1]))
            assert throttle.take(limit.of("a")) == 0
        assert waits[:3] == [2, 4, 8]
        assert max(waits) == limit.longest
        assert throttle.take(limit.of("b")) == 0


def test_whoever_must_wait_in_one_bucket_is_counted_in_none(bell: Redis):
    fresh, used_up = LIMITS[0].of("a"), LIMITS[1].of("a")
    with time_machine.travel(clock.now(), tick=False):
        for _ in range(LIMITS[1].free):
            throttle.take(used_up)
        assert throttle.take(fresh, used_up) > 0
        assert [throttle.take(fresh) for _ in range(LIMITS[0].free)] == [0] * LIMITS[0].free


def test_a_clock_that_goes_back_makes_nobody_wait_for_days(bell: Redis):
    bucket = LIMITS[0].of("a")
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        for _ in range(LIMITS[0].free):
            throttle.take(bucket)
    assert throttle.wait(bucket) <= LIMITS[0].longest


def test_another_process_counts_on(bell: Redis, house: settings.Settings):
    bucket = 'throttle.Limit("shared", free=3).of("rosa")'
    begun = "from config import throttle; from service import start; start.begin('x')"
    code = f"{begun}; print([throttle.take({bucket}) for _ in range(3)])"
    env = child_settings.environment(house, queue.redis_url())

    def count_elsewhere() -> bool:
        """Whether Redis has the count: on a busy machine it may be silent, and then memory counts."""
        ended = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        return ended.stdout.strip() == "[0, 0, 0]" and bool(bell.keys("*:throttle:shared:*"))

    until(count_elsewhere)
    assert throttle.take(throttle.Limit("shared", free=3).of("rosa")) > 0


def test_nothing_in_redis_says_who_it_was_and_all_of_it_ends(bell: Redis):
    throttle.take(LIMITS[0].of("rosa@clinic.example", "203.0.113.9"))
    throttle.remember("tablet", "203.0.113.9", 60)
    names = [key.decode() for key in bell.keys("*")]
    assert len(names) == 2
    assert not any("rosa" in name or "203" in name for name in names)
    assert all(bell.ttl(name) > 0 for name in names)


@pytest.mark.parametrize("broken", ["gone", "another kind of value", "no number"])
def test_a_redis_that_is_gone_or_odd_is_no_error_and_the_memory_counts(bell: Redis, broken: str):
    limit = throttle.Limit("x", free=2)
    if broken == "gone":
        runtime.forget("queue.redis")
        runtime.forget("queue.embedded_url")
        runtime.once("queue.embedded_url", lambda: "unix:///nowhere")
    elif broken == "no number":
        bell.hset(limit.of("a").key, mapping={"level": "odd", "last": "odd"})
    else:
        bell.set(limit.of("a").key, "odd")
    assert [throttle.take(limit.of("a")) > 0 for _ in range(4)] == [False, False, True, True]
    throttle.give_back(limit.of("a"))
    throttle.forget(limit.of("a"))
    throttle.remember("name", "whose", 60)
    assert throttle.remembers("name", "whose")
    assert not throttle.remembers("name", "another's")


def test_the_level_that_is_told_is_the_one_that_is_counted(bell: Redis):
    limit, moment = throttle.Limit("level", free=10, window=100), clock.now()
    with time_machine.travel(moment, tick=False):
        assert throttle.level(limit.of("x")) == 0
        for _ in range(3):
            throttle.take(limit.of("x"))
        assert throttle.level(limit.of("x")) == pytest.approx(3)
    with time_machine.travel(moment + timedelta(seconds=10), tick=False):
        assert throttle.level(limit.of("x")) == pytest.approx(2)
    runtime.forget("queue.embedded_url")
