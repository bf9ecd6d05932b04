"""The lanes of this room: what each drains, and since when its oldest row waits."""

from datetime import timedelta

import pytest
import time_machine

from config import clock, db, queue
from messaging import jobs
from messaging.inbox import items
from messaging.models import Message

LANES = {lane.name: lane for lane in jobs.LANES}


def oldest(name: str):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return LANES[name].oldest(session, clock.now())


def test_each_lane_has_its_queue(house):
    queues = {name: lane.queue for name, lane in LANES.items()}
    assert queues == {
        "timers": "urgent",
        "set_back": "urgent",
        "absences": "urgent",
        "deliver_urgent": "urgent",
        "deliver_bulk": "bulk",
        "reconcile": "default",
        "names": "bulk",
        "media": "default",
        "mail": "bulk",
        "event_webhooks": "bulk",
        "webhook_ages": "bulk",
        "digests": "bulk",
        "readings": "bulk",
        "redact": "bulk",
    }
    assert set(queues) <= set(queue.lanes())


@pytest.mark.parametrize("name", list(LANES))
def test_an_empty_lane_waits_for_nothing(house, name):
    assert oldest(name) is None
    assert LANES[name].drain() == 0


@pytest.mark.parametrize(("name", "lane"), [("deliver_urgent", "urgent"), ("deliver_bulk", "bulk")])
def test_a_text_waits_in_its_lane_until_it_is_sent(network, desk, new_patient, name, lane):
    message = desk.text(new_patient(), lane=lane)
    others = set(LANES) - {name}
    assert oldest(name) == message.try_after
    assert [oldest(other) for other in others] == [None] * len(others)
    assert LANES[name].drain() == 1
    assert oldest(name) is None


def test_what_somebody_holds_or_is_not_due_is_not_waiting(desk, new_patient):
    desk.text(new_patient(), not_before=clock.now() + timedelta(hours=1))
    held = desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, held.id).lease_until = clock.now() + timedelta(seconds=30)
    assert oldest("deliver_bulk") is None


@pytest.mark.parametrize("state", ["unknown", "sending"])
def test_a_text_in_doubt_waits_for_the_reconciler(desk, new_patient, state):
    message = desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, message.id).state = state
    assert oldest("reconcile") == message.try_after


def test_a_new_item_waits_for_its_timers(desk, clinic, new_staff):
    new_staff()
    with db.unit_of_work(clinic.id) as session:
        item = items.open_item(session, clinic, kind="safety", about="screen:1", dedupe="screen:1", summary="A screen.")
    assert oldest("timers") is not None
    assert LANES["timers"].drain() == 1
    assert oldest("timers") is None
    assert desk.item(item.id).owner_id is not None
    with time_machine.travel(item.answer_by + timedelta(seconds=1), tick=False):
        assert oldest("timers") == item.answer_by


def test_a_row_rings_its_lane(bell, desk, new_patient):
    desk.text(new_patient(), lane="urgent")
    assert bell.exists("warmthread:bell:deliver_urgent")
    assert not bell.exists("warmthread:bell:deliver_bulk")
    desk.text(new_patient())
    assert bell.exists("warmthread:bell:deliver_bulk")
