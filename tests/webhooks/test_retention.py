"""The lane in which old words are emptied: a text with the raw copy it came by, in one walk."""

from datetime import timedelta
from typing import Any

import time_machine

from config import clock, db, queue
from messaging.models import Clinic, Message
from messaging.retention import daily_sweep, what_ages
from webhooks import retention
from webhooks.models import Receipt

DAY = timedelta(days=1)


def keep(world: Any, years: int) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        was = daily_sweep.years_of(clinic)
        clinic.rules = {**clinic.rules, daily_sweep.YEARS: years}
        daily_sweep.decide(session, clinic, was)


def close_everything(world: Any) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        for item in world.items:
            session.merge(item).state = "done"


def test_a_text_and_its_raw_copy_go_together_and_the_copy_is_still_known(world: Any) -> None:
    form = world.form("can i bring my daughter")
    world.post(form)
    world.drain()
    close_everything(world)
    (receipt,) = world.receipts
    assert "daughter" in receipt.payload
    with time_machine.travel(clock.now() + 6 * 366 * DAY, tick=False) as later:
        keep(world, 6)
        assert queue.lanes()["keeping"].drain() == 0
        later.shift(2 * DAY)
        assert queue.lanes()["keeping"].drain() == 1
        assert [message.body for message in world.inbound] == [""]
        assert [(receipt.payload, receipt.state) for receipt in world.receipts] == [("", "processed")]
        assert world.post(form).status_code == 200
        world.drain()
        assert len(world.inbound) == 1, "what was said twice is still said once"


def test_a_raw_copy_that_nobody_could_work_on_stays(world: Any) -> None:
    for body in ("one", "two", "three"):
        world.text(body)
    close_everything(world)
    with db.unit_of_work(db.EVERY) as session:
        for receipt, state in zip(world.receipts, ("failed", "received", "ignored"), strict=True):
            session.merge(receipt).state = state
    with time_machine.travel(clock.now() + 7 * 366 * DAY, tick=False):
        with db.unit_of_work(world.clinic.id) as session:
            clinic, now = session.get_one(Clinic, world.clinic.id), clock.now()
            terms = what_ages.Terms(now - 6 * 366 * DAY, now.date(), 6)
            assert retention.receipts(session, clinic, terms, daily_sweep.START).emptied == 1
        assert [bool(receipt.payload) for receipt in world.receipts] == [True, True, False]


def test_of_another_clinic_nothing_is_emptied(world: Any) -> None:
    world.text("hello")
    close_everything(world)
    other = Clinic(id=db.new_id(), key_id=world.clinic.key_id, zone="UTC", rules={})
    with time_machine.travel(clock.now() + 7 * 366 * DAY, tick=False):
        now = clock.now()
        terms = what_ages.Terms(now - 6 * 366 * DAY, now.date(), 6)
        with db.unit_of_work(db.EVERY) as session:
            for shelf in retention.SHELVES.values():
                assert shelf(session, other, terms, daily_sweep.START).emptied == 0
    assert [message.body for message in world.rows(Message, Message.direction == "in")] == ["hello"]
    assert all(receipt.payload for receipt in world.rows(Receipt))
