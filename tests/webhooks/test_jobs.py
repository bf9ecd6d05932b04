"""Receipts are worked off: statuses, poison and whole batches."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, keys, queue
from messaging import outbox
from messaging.inbox.models import InboxItem
from messaging.models import Attempt, Message
from webhooks import filing
from webhooks.models import Receipt

STRANGER = "+13035550199"


def _sending(world: Any) -> str:
    """Queue a text and begin to send it; return the token of its callback."""
    with db.unit_of_work(db.EVERY) as session:
        patient = world.add_patient(session, "1", "+13035550101", "Ana")
        message = outbox.text_patient(
            session, world.clinic, patient, kind="reminder", programme="reminders", body="hi", dedupe="one"
        )
        message.state = "sending"
        token = keys.new_token()
        session.add(
            Attempt(
                clinic_id=world.clinic.id,
                message_id=message.id,
                token_hash=keys.token_hash(token),
                fence=1,
                state="started",
                started_at=message.created_at,
            )
        )
    return token


def _tell(world: Any, token: str, status: str, **more: str) -> int:
    form = {
        "MessageSid": "SM" + "a" * 32, "MessageStatus": status, "SmsStatus": status, "SmsSid": "SM" + "a" * 32,
        "AccountSid": "AC" + "0" * 32, "From": "+13035550100", "To": "+13035550101", "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip
    return int(world.post(form, f"/webhooks/twilio/status/{token}").status_code)


@pytest.mark.parametrize(
    "order",
    [
        ("queued", "sent", "delivered"),
        ("delivered", "sent", "queued"),
        ("sent", "delivered", "sent"),
        ("delivered", "delivered"),
    ],
)
@pytest.mark.parametrize("one_by_one", [True, False])
def test_statuses_in_any_order_end_at_the_highest(world: Any, order: tuple[str, ...], one_by_one: bool) -> None:
    token = _sending(world)
    for status in order:
        assert _tell(world, token, status) == 204
        if one_by_one:
            world.drain()
    world.drain()
    (message,) = world.rows(Message)
    assert message.state == "delivered"
    (attempt,) = world.rows(Attempt)
    assert (attempt.state, attempt.provider_sid) == ("accepted", "SM" + "a" * 32)
    assert len(world.receipts) == len(set(order))
    assert {receipt.state for receipt in world.receipts} == {"processed"}


def test_a_status_of_an_unknown_outcome_proves_acceptance(world: Any) -> None:
    token = _sending(world)
    with db.unit_of_work(db.EVERY) as session:
        session.query(Message).one().state = "unknown"
    _tell(world, token, "sent")
    world.drain()
    assert world.rows(Message)[0].state == "sent"


def test_a_failure_reaches_a_human(world: Any) -> None:
    token = _sending(world)
    _tell(world, token, "undelivered", ErrorCode="30005")
    world.drain()
    assert [item.kind for item in world.items] == ["delivery"]


def test_a_text_filed_before_is_not_filed_again(world: Any) -> None:
    form = world.form("hello")
    world.post(form)
    world.drain()
    with db.unit_of_work(db.EVERY) as session:
        session.query(Receipt).one().event = "elsewhere"
    world.post(form)
    world.drain()
    assert len(world.inbound) == 1
    assert [receipt.state for receipt in world.receipts] == ["processed", "ignored"]


def test_what_cannot_be_worked_on_fails_in_front_of_a_human_and_stops_nobody(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.post(world.form("poison"))
    world.post(world.form("hello", From=STRANGER))
    file = filing.conversations.file_inbound

    def poisoned(*args: Any, **named: Any) -> Message:
        if named["body"] == "poison":
            raise RuntimeError
        return file(*args, **named)

    monkeypatch.setattr(filing.conversations, "file_inbound", poisoned)
    for hours in range(9):
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=hours)):
            world.drain()
    assert [receipt.state for receipt in world.receipts] == ["failed", "processed"]
    assert len(world.inbound) == 1
    (failed,) = [item for item in world.items if item.about.startswith("receipt:")]
    assert "poison" in failed.summary


def test_two_hundred_texts_are_worked_off_together(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        for number in range(20):
            world.add_patient(session, f"P{number}", f"+1720555{100 + number:04}", "Pat")
    for number in range(60):
        world.post(world.form(f"question {number}", From=f"+1720555{100 + number % 20:04}"))
    world.drain()
    assert len(world.inbound) == 60
    assert len(world.items) == 20
    assert {receipt.state for receipt in world.receipts} == {"processed"}


def test_a_status_that_is_not_signed_or_of_an_unknown_sending_leaves_no_row(world: Any) -> None:
    token = _sending(world)
    assert _tell(world, "unknown", "sent") == 204
    assert _tell(world, token, "vanished") == 400
    form = {"MessageSid": "SM" + "a" * 32, "MessageStatus": "sent", "AccountSid": "AC" + "0" * 32}
    assert world.post(form, f"/webhooks/twilio/status/{token}", signature="x").status_code == 403
    assert world.receipts == []


def test_words_of_a_crisis_that_came_while_the_clock_stood_ahead_ring_once_it_is_set_right(world: Any) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=False):
        assert world.post(world.form("I want to kill myself")).status_code == 200
    world.drain()
    assert not world.rows(InboxItem, InboxItem.kind == "safety"), "it is dated ahead and waits"
    set_back = queue.lanes()["receipts_set_back"]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert set_back.oldest(session, clock.now()) is not None
    assert set_back.drain() == 1
    world.drain()
    assert len(world.rows(InboxItem, InboxItem.kind == "safety")) == 1
    assert set_back.drain() == 0


def test_what_was_put_off_by_a_clock_that_stood_ahead_is_worked_on_now(world: Any) -> None:
    assert world.post(world.form("Hello")).status_code == 200
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(Receipt)).one().try_after = clock.now() + timedelta(hours=1)
    assert queue.lanes()["receipts_set_back"].drain() == 1
    world.drain()
    assert [receipt.state for receipt in world.rows(Receipt)] == ["processed"]
