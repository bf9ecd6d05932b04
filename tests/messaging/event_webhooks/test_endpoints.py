"""What becomes of an endpoint: switched off, paused and resumed, told of, its secret changed, sent to again."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from config import audit, clock, db
from messaging.event_webhooks import endpoints, schedule
from messaging.event_webhooks.models import WebhookEndpoint
from messaging.inbox.models import InboxItem
from messaging.models import Clinic
from tests.messaging.event_webhooks.conftest import ACTOR, Program, subjects

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
Happens, Drained, Make = Callable[..., None], Callable[[], int], Callable[..., Program]


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
