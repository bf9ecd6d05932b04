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
from sqlalchemy import select
from standardwebhooks import Webhook

from config import audit, clock, db, queue
from messaging.event_webhooks import delivering, endpoints, posting, schedule
from messaging.event_webhooks.models import WebhookEndpoint
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from tests.messaging.event_webhooks.conftest import ACTOR, Program
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


@BOTH
def test_410_switches_off_at_once_and_nothing_is_lost(
    program: Make, happens: Happens, drained: Drained, clinic: Clinic
) -> None:
    there = program()
    there.behaves(status=410)
    happens("patient:a")
    drained()
    happens("patient:b")
    drained()
    row = there.row()
    assert (row.state, row.why) == ("off", "gone")
    assert len(there.heard()) == 1
    assert [item.about for item in items(clinic)] == [f"webhook_endpoint:{there.id}"]
    there.behaves()
    there.act(endpoints.resume, missed=True, actor=ACTOR)
    drained()
    assert sorted(subjects(there)) == ["patient:a", "patient:a", "patient:b"]
    assert there.states() == ["delivered", "delivered"]


def test_resuming_can_leave_out_what_was_missed(program: Make, happens: Happens, drained: Drained) -> None:
    there = program()
    there.act(endpoints.pause, actor=ACTOR)
    happens("patient:a")
    drained()
    there.act(endpoints.resume, missed=False, actor=ACTOR)
    happens("patient:b")
    drained()
    assert subjects(there) == ["patient:b"]


def test_administrators_are_told_before_it_is_switched_off_and_when_it_is(
    program: Make, happens: Happens, drained: Drained, clinic: Clinic, new_staff: Callable[..., Any]
) -> None:
    lead = new_staff("Dana Wu", role="clinic_admin")
    there = program(kinds=["patient"])
    there.behaves(status=500)
    happens(*(f"patient:{place}" for place in range(4)))
    told = []
    for _ in range(20):
        drained()
        told.append((there.row().state, len(items(clinic))))
        if there.row().state == "off":
            break
        there.long_ago(timedelta(hours=6))
    assert told[0] == ("on", 0)
    assert told[1] == ("on", 1)
    assert told[-1] == ("off", 2)
    assert there.row().failures >= schedule.shipped().off_failures
    assert {item.owner_id for item in items(clinic)} == {lead.id}
    assert there.name in items(clinic)[0].summary


def test_a_success_forgets_the_failures(program: Make, happens: Happens, drained: Drained) -> None:
    there = program()
    there.behaves(status=500, times=1)
    happens("patient:a")
    drained()
    assert there.row().failures == 1
    there.long_ago(timedelta(minutes=1))
    drained()
    row = there.row()
    assert (row.failures, row.failing_since, row.notices) == (0, None, 0)


def test_who_asks_to_be_left_alone_is_left_alone(program: Make, happens: Happens, drained: Drained) -> None:
    there = program()
    there.behaves(status=429, retry_after=600, times=1)
    happens("patient:a")
    drained()
    happens("patient:b")
    drained()
    assert len(there.heard()) == 1
    assert there.row().hold_until > clock.now() + timedelta(minutes=5)
    there.long_ago(timedelta(minutes=11))
    drained()
    assert there.states() == ["delivered", "delivered"]


def test_both_secrets_sign_while_one_is_rotated_and_the_old_one_no_longer(
    program: Make, happens: Happens, drained: Drained
) -> None:
    there = program()
    old = there.row().secret or ""
    there.act(endpoints.rotate, actor=ACTOR)
    new = there.row().secret or ""
    assert old != new
    happens("patient:a")
    drained()
    heard = there.heard()[0]
    for secret in (old, new):
        Webhook(secret).verify(heard["body"], heard["headers"])
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(WebhookEndpoint, there.id).old_secret_until = clock.now()
    happens("patient:b")
    drained()
    heard = there.heard()[1]
    Webhook(new).verify(heard["body"], heard["headers"])
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(old).verify(heard["body"], heard["headers"])


def test_events_are_sent_again_one_by_one_and_by_range_under_their_ids(
    program: Make, happens: Happens, drained: Drained
) -> None:
    there = program()
    happens("patient:a", "patient:b", "patient:c")
    drained()
    first, now = there.deliveries()[0], clock.now()
    assert there.act(endpoints.resend, [first.id], actor=ACTOR) == 1
    drained()
    hour = timedelta(hours=1)
    assert there.act(endpoints.resend_range, now - hour, now + hour, only_failed=True, actor=ACTOR) == 0
    assert there.act(endpoints.resend_range, now - hour, now + hour, only_failed=False, actor=ACTOR) == 3
    drained()
    ids = [heard["headers"]["webhook-id"] for heard in there.heard()]
    assert len(ids) == 7
    assert len(set(ids)) == 3
    assert len(there.tries(first)) == 3


def test_a_test_is_posted_once_whatever_the_state(program: Make, drained: Drained) -> None:
    there = program()
    there.act(endpoints.pause, actor=ACTOR)
    there.behaves(status=500)
    sent = there.act(endpoints.test, actor=ACTOR)
    drained()
    drained()
    assert there.tries(sent) == [(500, None)]
    assert there.states() == ["given_up"]
    assert there.row().failures == 0
    told = json.loads(there.heard()[0]["body"])
    assert (told["type"], told["data"]["id"]) == ("webhook.test", 0)


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


def subjects(there: Program) -> list[str]:
    return [json.loads(heard["body"])["data"]["subject"] for heard in there.heard()]


def items(clinic: Clinic) -> list[InboxItem]:
    about = InboxItem.about.startswith("webhook_endpoint:")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        rows = list(session.scalars(select(InboxItem).where(about).order_by(InboxItem.id)))
        assert all(row.summary for row in rows)
        return rows


def test_what_stands_in_the_audit_log_of_endpoints_comes_to_nobody(program: Make, drained: Drained) -> None:
    there = program()
    there.act(endpoints.rotate, actor=ACTOR)
    audit.seal()
    drained()
    assert there.heard() == []


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
