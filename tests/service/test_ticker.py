"""The ticker: what hangs in one lane keeps no other waiting, and what fails is in sight."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from config import clock, db, queue, runtime
from messaging.delivery import deliver
from messaging.gateways import twilio
from messaging.models import Attempt, Message
from service import health, ticker
from webhooks import receipts
from webhooks.models import Receipt


@pytest.fixture
def silent_carrier(house, monkeypatch) -> Iterator[socket.socket]:
    """A carrier that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 300.0)  # longer than the slowest machine reads a reply
        monkeypatch.setattr(runtime, "_settings", house.model_copy(update={"twilio_api_url": url}))
        yield listening


def until(true) -> None:
    ends = time.monotonic() + 120
    while not true():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.02)


def in_doubt(clinic, patient) -> None:
    from messaging import outbox

    with db.unit_of_work(db.EVERY) as session:
        message = outbox.text_patient(
            session, clinic, patient, kind="reply", programme="care_team", body="Hello", dedupe="doubt"
        )
        message.state, now = "unknown", clock.now()
        session.add(
            Attempt(
                clinic_id=clinic.id, message_id=message.id, token_hash=b"1" * 32, fence=0, state="unknown",
                started_at=now,
            )
        )  # fmt: skip


def test_a_reply_is_read_while_the_carrier_s_list_hangs(silent_carrier, clinic, new_patient):
    patient = new_patient()
    in_doubt(clinic, patient)
    deliver.prepare()
    sweeping = ticker.Ticker()
    rounds = sweeping.begin()
    connection, _ = silent_carrier.accept()
    try:
        form = {"From": "+13035550110", "To": clinic.number, "Body": "Y", "MessageSid": "SM" + "1" * 32}
        for lane in ("urgent", "default"):
            event = {"MessageSid": f"SM{lane:0>32}"}
            receipts.receive("twilio.sms", lane, form | event, priority=lane, clinic=clinic)

        def read() -> bool:
            with db.unit_of_work(db.EVERY, read_only=True) as session:
                return not session.query(Receipt).filter_by(state="received").count()

        until(read)
        connection.setblocking(False)
        while asked_for := _more(connection):
            assert b"Messages.json" in asked_for
    finally:
        sweeping.end()
        connection.close()
        silent_carrier.close()
        rounds.join()
    with db.unit_of_work(db.EVERY) as session:
        assert session.query(Message).filter_by(dedupe="doubt").one().state == "unknown"


def _more(line: socket.socket) -> bytes:
    """What the client has written; nothing when it waits. A client that hung up is a failure of this test."""
    try:
        written = line.recv(65536)
    except BlockingIOError:
        return b""
    assert written, "the list was given up before the replies were read"
    return written


def test_a_lane_that_cannot_be_swept_is_said_to_be(house, clinic, monkeypatch):
    def break_down() -> int:
        raise RuntimeError("pool")

    broken = queue.Lane("receipts", "default", break_down, lambda _session, now: now)
    sweeping = ticker.Ticker()
    rounds = sweeping.begin([broken])
    until(lambda: sweeping._failing)
    sweeping._beat()
    assert "the lane receipts could not be swept within the last minutes" in health._rows()
    sweeping.end()
    rounds.join()


def test_a_database_that_only_reads_is_not_ready(house, clinic):
    from sqlalchemy import event

    def refuse(connection, _record) -> None:
        connection.execute("PRAGMA query_only = ON")

    db.engine().dispose()
    event.listen(db.engine(), "connect", refuse)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.query(Receipt).count() == 0  # it answers
    assert any("takes no writes" in problem for problem in health.check())


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_what_is_urgent_is_done_while_others_hold_every_connection(house, clinic):
    from contextlib import ExitStack

    sweeping, swept = ticker.Ticker(), []

    def drain() -> int:
        with db.unit_of_work(db.EVERY) as session:
            swept.append(session.query(Receipt).count())
        return 1

    lane = queue.Lane("timers", "urgent", drain, lambda _s, now: now - ticker.GRACE)
    with ExitStack() as others:
        for _ in range(40):
            others.enter_context(db.engine().connect())
        rounds = sweeping.begin([lane])
        try:
            until(lambda: swept)
        finally:
            sweeping.end()
            rounds.join()
    assert not db.reserved()


def test_what_falls_due_before_the_next_sweep_is_seen_to_at_its_moment(house, clinic):
    due, asked, drained = clock.now() + timedelta(seconds=ticker.EVERY_SECONDS * 1.5), [], []

    def oldest(_session, by):
        asked.append(by)
        return due if due <= by and not drained else None

    def drain() -> int:
        drained.append(clock.now())
        return 1

    sweeping = ticker.Ticker()
    lane = queue.Lane("timers", "urgent", drain, oldest)
    until(lambda: clock.now() + timedelta(seconds=ticker.EVERY_SECONDS) > due)
    turn = sweeping._sweep(turn_of(lane))
    assert (turn.due, drained) == (due, [])
    time.sleep(max(turn.at - time.monotonic(), 0))
    turn = sweeping._sweep(turn)
    assert len(asked) == len(drained) == 1, "it was asked again, a second later"
    assert drained[0] >= due
    assert turn.due is None
    assert turn.at - time.monotonic() <= ticker.SOON_SECONDS, "others may fall due in this second too"
    assert sweeping._sweep(turn).at - time.monotonic() > ticker.SOON_SECONDS


def test_what_was_waited_for_is_seen_to_though_the_clock_was_set_back_meanwhile(house, clinic):
    lane = queue.Lane("timers", "urgent", lambda: 1, lambda _session, _by: None)
    due = clock.now() - ticker.GRACE
    with time_machine.travel(due - timedelta(hours=1), tick=False):
        following = ticker.Ticker()._sweep(turn_of(lane)._replace(due=due))
    assert following.due is None
    assert following.at - time.monotonic() <= ticker.SOON_SECONDS


def turn_of(lane: queue.Lane) -> ticker.Turn:
    return ticker.Turn(time.monotonic(), lane.name, lane)


def test_who_is_told_to_end_does_not_wait_for_what_falls_due(house, clinic):
    drained: list[int] = []
    sweeping = ticker.Ticker()
    asked = threading.Event()

    def oldest(_session, by):
        asked.set()
        return by

    rounds = sweeping.begin([queue.Lane("timers", "urgent", lambda: drained.append(1) or 1, oldest)])
    assert asked.wait(120)
    sweeping.end()
    rounds.join()
    assert not drained


def test_a_lane_that_hangs_keeps_none_of_forty_others_waiting(house, clinic):
    asked: Counter[str] = Counter()
    ends = threading.Event()

    def lane(name: str) -> queue.Lane:
        def oldest(_session, _by):
            asked[name] += 1

        return queue.Lane(name, "bulk", lambda: 0, oldest)

    hanging = queue.Lane("hanging", "bulk", lambda: ends.wait(300) or 0, lambda _session, now: now - ticker.GRACE)
    sweeping = ticker.Ticker()
    rounds = sweeping.begin([hanging, *(lane(f"idle {place}") for place in range(40))])
    try:
        until(lambda: len(asked) == 40 and min(asked.values()) >= 3)
    finally:
        ends.set()
        sweeping.end()
        rounds.join()


def test_a_lane_whose_sweep_is_broken_off_has_its_turn_again(house, clinic):
    asked: list[int] = []

    def oldest(_session, _by):
        asked.append(1)
        raise SystemExit

    sweeping = ticker.Ticker()
    rounds = sweeping.begin([queue.Lane("broken", "bulk", lambda: 0, oldest)])
    until(lambda: len(asked) >= 2)
    sweeping.end()
    rounds.join()


@pytest.mark.parametrize(("name", "worked"), [("urgent", 1), ("default", 0)])
def test_what_is_urgent_is_not_left_for_long_to_a_worker_that_is_busy(bell, house, name: str, worked: int):
    lane = queue.Lane("one", name, lambda: 1, lambda *_: None)
    runtime.once("queue.lanes", lambda: {"one": lane})
    assert ticker.see_to(lane, clock.now() + timedelta(seconds=60)) == 0, "its bell has only just rung"
    assert ticker.see_to(lane, clock.now() - ticker.URGENT_GRACE) == worked
