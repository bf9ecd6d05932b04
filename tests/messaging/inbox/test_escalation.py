"""Escalation: an alert is owed until a named human acknowledges it, through restarts."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import update

from config import clock, db, runtime
from messaging import jobs, outbox
from messaging.delivery import deliver
from messaging.inbox import escalation, items, reopening
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Clinic, Staff
from tests.messaging.inbox.acting import do, tick, told

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


DEAD = "+13035550190"  # the network refuses it


@both
def test_the_ladder_climbs_until_somebody_acknowledges(opened, desk, new_staff):
    alba, ben, dana = new_staff(), new_staff("Ben Ito"), new_staff("Dana Wu", role="clinic_admin")
    item = opened()
    tick()
    moment, seen = item.answer_by, []
    for _ in range(5):
        moment += timedelta(seconds=1)
        assert tick(moment) == 1
        seen.append(set(told(desk)[sum(len(step) for step in seen) + 1 :]))
        moment += timedelta(minutes=10)
    assert seen == [{ben.id}, {dana.id}] + [{alba.id, ben.id, dana.id}] * 3
    assert desk.item(item.id).level == 5
    do(items.acknowledge, item, ben, "reached_by_phone")
    for hours in (1, 2, 30):
        tick(moment + timedelta(hours=hours))
    assert desk.item(item.id).level == 5
    assert len(told(desk)) == 12
    assert desk.timers(item.id) == []


def test_nothing_climbs_before_its_time(opened, desk, new_staff):
    new_staff()
    item = opened()
    tick()
    assert tick(item.answer_by - timedelta(seconds=1)) == 0
    assert desk.item(item.id).level == 0


@pytest.mark.parametrize("act", [items.claim, items.hand_over])
def test_claiming_or_passing_on_does_not_stop_the_clock(opened, desk, new_staff, act):
    alba, ben = new_staff(), new_staff("Ben Ito")
    item = opened()
    tick()
    do(act, item, alba, *([ben] if act is items.hand_over else []))
    tick(item.answer_by + timedelta(seconds=1))
    assert desk.item(item.id).level == 1


def test_an_item_acknowledged_before_it_was_routed_troubles_nobody(opened, desk, new_staff):
    alba, item = new_staff(), opened()
    do(items.acknowledge, item, alba, "in_person")
    tick()
    tick(item.answer_by + timedelta(minutes=1))
    assert told(desk) == []
    assert {timer.kind for timer in desk.timers(item.id, "cancelled")} == {"route", "escalate"}


def test_the_ladder_survives_a_restart(opened, desk, new_staff, house):
    new_staff()
    ben = new_staff("Ben Ito")
    item = opened()
    tick()
    db.engine().dispose()
    runtime.configure(house)  # everything this process had made is forgotten
    tick(item.answer_by + timedelta(days=3))
    assert desk.item(item.id).level == 1
    assert told(desk)[-1] == ben.id
    assert len(desk.timers(item.id)) == 1


def test_a_timer_whose_worker_died_fires_all_the_same(opened, desk, new_staff):
    new_staff()
    item = opened()
    with db.unit_of_work(db.EVERY) as session:
        db.claim(session, Timer, escalation.DUE)  # and dies
    assert tick() == 0
    assert tick(clock.now() + timedelta(seconds=65)) == 1
    assert desk.item(item.id).owner_id is not None


def test_a_timer_that_cannot_fire_is_tried_for_ever(opened, desk, new_staff, clinic):
    new_staff()
    item = opened()
    set_zone(clinic, "Nowhere/At All")
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Timer).values(attempts=20))
    tick()
    assert [timer.attempts for timer in desk.timers(item.id) if timer.kind == "route"] == [0]
    set_zone(clinic, "America/Denver")
    tick(clock.now() + timedelta(minutes=2))
    assert desk.item(item.id).owner_id is not None


def test_nothing_but_a_named_human_closes_an_item(opened, desk, new_staff, network):
    new_staff(number=DEAD)
    opened_items = [opened(kind) for kind in ("safety", "screen", "handoff", "reply", "delivery")]
    start = clock.now()
    for hours in (0, 1, 6, 48, 400):
        with time_machine.travel(start + timedelta(hours=hours), tick=False):
            jobs.fire_timers()
            deliver.deliver("urgent")
    for item in opened_items:
        stored = desk.item(item.id)
        assert stored.state == "open"
        assert (stored.acknowledged_at, stored.done_at, stored.done_by, stored.disposition) == (None,) * 4
        assert [timer.kind for timer in desk.timers(item.id)] == ["escalate"]


def test_an_item_reopened_alerts_anew(opened, desk, new_staff):
    alba = new_staff()
    new_staff("Ben Ito")
    item = opened()
    tick()
    tick(item.answer_by + timedelta(seconds=1))
    before = len(told(desk))
    do(items.acknowledge, item, alba, "in_person")
    do(items.resolve, item, alba)
    tick(item.answer_by + timedelta(hours=2))
    do(reopening.reopen, item, alba)
    tick(desk.item(item.id).answer_by + timedelta(seconds=1))
    assert len(told(desk)) > before
    assert len(desk.timers(item.id)) == 1


def test_a_snoozed_item_wakes(opened, desk, new_staff):
    new_staff()
    item = opened("reply")
    moment = clock.now() + timedelta(hours=1)
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(InboxItem, item.id)
        row.state, row.snoozed_until = "snoozed", moment
        items.set_timer(session, row, "wake", moment)
    tick(moment - timedelta(seconds=1))
    assert desk.item(item.id).state == "snoozed"
    tick(moment + timedelta(seconds=1))
    assert (desk.item(item.id).state, desk.item(item.id).snoozed_until) == ("open", None)


@both
def test_a_rung_is_told_once_even_if_it_is_fired_twice(opened, desk, new_staff, clinic):
    alba, item = new_staff(), opened()
    tick()
    with db.unit_of_work(clinic.id) as session:
        again = outbox.text_staff(
            session, clinic, session.get_one(Staff, alba.id), body="x", dedupe=f"alert:{item.id}:0:{alba.id}"
        )
        assert again is not None
    assert told(desk) == [alba.id]


def set_zone(clinic: Clinic, zone: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Clinic).where(Clinic.id == clinic.id).values(zone=zone))
