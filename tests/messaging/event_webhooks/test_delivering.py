"""Events come to programs: signed, thin, in order, again and again until they are taken or given up."""

import json
import multiprocessing
import os
import re
import signal
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from config import clock, db, queue
from messaging.event_webhooks import delivering, endpoints, posting, schedule
from tests.messaging.event_webhooks.conftest import ACTOR, Program, subjects
from tests.waiting import PATIENCE, until

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
Happens, Drained, Make = Callable[..., None], Callable[[], int], Callable[..., Program]


@BOTH
def test_an_event_comes_signed_thin_and_once(program: Make, happens: Happens, drained: Drained) -> None:
    there = program()
    happens("patient:11111111-1111-4111-8111-111111111111", "staff:22222222-2222-4222-8222-222222222222")
    drained()
    drained()
    (heard,) = there.heard()
    told = Webhook(there.row().secret or "").verify(heard["body"], heard["headers"])
    at = told["timestamp"]
    assert told == {
        "type": "patient.changed",
        "timestamp": at,
        "data": {"id": told["data"]["id"], "subject": "patient:11111111-1111-4111-8111-111111111111", "by": "system"},
    }
    assert there.states() == ["delivered"]
    assert heard["headers"]["webhook-id"] == delivering.message_id(there.deliveries()[0])


def test_what_happened_before_and_kinds_not_asked_for_do_not_come(
    program: Make, happens: Happens, drained: Drained
) -> None:
    happens("patient:before")
    there = program(kinds=["message", "screen"])
    happens("patient:one", "message:two", "appointment:three", "screen:four")
    drained()
    assert set(subjects(there)) == {"message:two", "screen:four"}


@BOTH
def test_of_one_subject_the_later_event_waits_and_others_do_not(
    program: Make, happens: Happens, drained: Drained
) -> None:
    there = program()
    there.behaves(status=500, times=1)
    happens("patient:a")
    drained()
    happens("patient:a", "patient:b")
    drained()
    assert there.states() == ["waiting", "waiting", "delivered"]
    there.long_ago(timedelta(minutes=1))
    drained()
    assert there.states() == ["delivered"] * 3
    assert subjects(there) == ["patient:a", "patient:b", "patient:a", "patient:a"]
    ids = [json.loads(heard["body"])["data"]["id"] for heard in there.heard()]
    assert ids[0] == ids[2] < ids[3]


@settings(max_examples=8)
@given(acts=st.lists(st.integers(0, 3), min_size=1, max_size=14), failing=st.integers(0, 4))
def test_whatever_fails_each_subject_is_heard_in_its_order_and_whole(
    program: Make, happens: Happens, drained: Drained, acts: list[int], failing: int
) -> None:
    there = program()
    there.behaves(status=503, times=failing, retry_after=0)
    happens(*(f"patient:{act}" for act in acts))
    for _ in range(failing + 2):
        drained()
        there.long_ago(timedelta(hours=1))
    taken: defaultdict[str, list[int]] = defaultdict(list)
    for heard in there.heard():
        if heard["status"] == 204:
            told = json.loads(heard["body"])["data"]
            taken[told["subject"]].append(told["id"])
    assert sum(map(len, taken.values())) == len(acts)
    assert all(ids == sorted(ids) for ids in taken.values())
    there.act(endpoints.remove, actor=ACTOR)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
def test_only_2xx_is_success_and_no_redirect_is_followed(
    program: Make, happens: Happens, drained: Drained, network_url: str, status: int
) -> None:
    there = program()
    there.behaves(status=status, location=f"{network_url}/receiver/{there.name}")
    happens("patient:a")
    drained()
    assert len(there.heard()) == 1
    (row,) = there.deliveries()
    assert (row.state, there.tries(row)) == ("waiting", [(status, None)])


def test_the_ladder_is_climbed_to_its_end_under_one_id(program: Make, happens: Happens, drained: Drained) -> None:
    there, steps = program(), len(schedule.shipped().tries)
    there.behaves(status=500)
    happens("patient:a")
    for _ in range(steps + 2):
        drained()
        there.long_ago(timedelta(hours=6))
    (row,) = there.deliveries()
    assert row.state == "given_up"
    assert there.tries(row) == [(500, None)] * steps
    assert len({heard["headers"]["webhook-id"] for heard in there.heard()}) == 1


def test_a_given_up_event_lets_the_next_of_its_subject_go(program: Make, happens: Happens, drained: Drained) -> None:
    there = program()
    there.behaves(status=500)
    happens("patient:a", "patient:a")
    for _ in range(len(schedule.shipped().tries)):
        drained()
        there.long_ago(timedelta(hours=6))
    there.behaves()
    drained()
    assert there.states() == ["given_up", "delivered"]


def test_a_slow_receiver_keeps_nobody_waiting_but_itself(
    program: Make, happens: Happens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "ALL_SECONDS", 6.0)
    slow, quick = program(), program()
    slow.behaves(delay_ms=20_000)
    happens(*(f"patient:{place}" for place in range(40)))
    delivering.drain()
    assert quick.states() == ["delivered"] * 40
    tried = [row for row in slow.deliveries() if slow.tries(row)]
    assert 0 < len(tried) <= delivering.PER_ENDPOINT + 4
    assert {error for row in tried for _, error in slow.tries(row)} == {"timeout"}


@BOTH
@pytest.mark.parametrize(
    ("quick", "least", "most"), [(60_000, 5, delivering.PER_QUICK), (0, 1, delivering.PER_ENDPOINT)]
)
def test_only_a_receiver_that_answers_quickly_gets_more_at_a_time(
    program: Make,
    happens: Happens,
    drained: Drained,
    monkeypatch: pytest.MonkeyPatch,
    quick: int,
    least: int,
    most: int,
) -> None:
    monkeypatch.setattr(delivering, "QUICK_MILLISECONDS", quick)
    there = program()
    there.behaves(delay_ms=50)
    happens(*(f"patient:{place % 30}" for place in range(40)))
    drained()
    assert there.states() == ["delivered"] * 40
    assert least <= there.at_once() <= most
    told = [json.loads(heard["body"])["data"] for heard in there.heard()]
    for subject in {each["subject"] for each in told}:
        ids = [each["id"] for each in told if each["subject"] == subject]
        assert ids == sorted(ids)


def _work() -> None:
    """The worker that is killed: what it has claimed it never writes down."""
    db.forget_connections()
    delivering.drain()


@BOTH
def test_killed_in_the_middle_it_comes_again_under_its_id(
    program: Make, happens: Happens, drained: Drained, free_leases: Callable[[], None]
) -> None:
    there = program()
    there.behaves(delay_ms=3_000, times=1)
    happens("patient:a")
    worker = multiprocessing.get_context("fork").Process(target=_work)
    worker.start()
    until(lambda: there.held() == 1, "the event to be read")
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join(PATIENCE)
    assert there.states() == ["waiting"]
    assert drained() == 0  # held until the lease ends
    free_leases()
    drained()
    assert there.states() == ["delivered"]
    heard = until(lambda: there.heard() if len(there.heard()) == 2 else None, "the killed one's request to end")
    assert len({each["headers"]["webhook-id"] for each in heard}) == 1
    assert len({each["body"] for each in heard}) == 1


def test_a_backlog_of_a_slow_receiver_is_being_seen_to(program: Make, happens: Happens) -> None:
    program()
    happens("patient:a")
    assert waiting_since() is not None  # not fanned out yet
    assert queue.lanes()[endpoints.LANE].drain() > 0
    assert waiting_since() is None


def waiting_since() -> Any:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return queue.lanes()[endpoints.LANE].oldest(session, clock.now() + timedelta(seconds=1))


def test_the_check_in_the_documentation_believes_us_and_nobody_else(
    program: Make, happens: Happens, drained: Drained
) -> None:
    there, space = program(), dict[str, Any]()
    section = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8").partition("\n## Webhooks")[2]
    exec(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0], space)
    happens("patient:a")
    drained()
    (heard,) = there.heard()
    body, secret = heard["body"].encode(), there.row().secret
    assert space["verify"](secret, heard["headers"], body)
    assert not space["verify"](secret, heard["headers"], body + b" ")
    assert not space["verify"]("whsec_" + "A" * 44, heard["headers"], body)
