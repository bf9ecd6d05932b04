"""Escalation: an alert is owed until a named human acknowledges it, through restarts and dead phones."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, update

from config import clock, db, runtime
from messaging import jobs, outbox
from messaging.delivery import deliver
from messaging.inbox import escalation, items, reopening, views
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Clinic, Message, Staff

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
DEAD = "+13035550190"  # the network refuses it


@pytest.fixture
def opened(clinic):
    """Opens an item; takes what items.open_item takes."""

    def opened(kind="safety", **more) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            return items.open_item(
                session, clinic, kind=kind, about="screen:1", dedupe=f"x:{db.new_id()}", summary="x", **more
            )

    return opened


def tick(moment: datetime | None = None) -> int:
    """Fire what is due at a moment that stands still."""
    with time_machine.travel(moment or clock.now(), tick=False):
        return jobs.fire_timers()


def do(act, item: InboxItem, *given) -> None:
    with db.unit_of_work(db.EVERY) as session:
        act(session, session.get_one(InboxItem, item.id), *given)


def told(desk) -> list[UUID | None]:
    return [alert.staff_id for alert in desk.alerts()]


@both
def test_an_item_finds_its_owner_who_is_told_at_once(opened, desk, new_staff):
    alba, item = new_staff(), opened()
    assert tick() == 1
    stored = desk.item(item.id)
    assert (stored.owner_id, stored.reason) == (alba.id, ["on_duty"])
    assert stored.routed_at is not None
    assert stored.notified_at is not None
    assert told(desk) == [alba.id]
    assert desk.events(item.id) == ["opened", "routed"]


def test_the_text_to_a_colleague_carries_a_link_and_nothing_else(opened, desk, new_staff):
    new_staff()
    item = opened()
    tick()
    with db.unit_of_work(db.EVERY) as session:
        body = session.scalars(select(Message)).one().body
    assert body == f"Warmthread: a new item needs you now. https://clinic.example/inbox/{item.id}"


@pytest.mark.parametrize("kind", ["reply", "delivery"])
def test_what_can_wait_in_the_list_rings_no_phone(opened, desk, new_staff, kind):
    new_staff()
    item = opened(kind)
    tick()
    tick(item.answer_by + timedelta(seconds=1))
    assert told(desk) == []
    assert desk.events(item.id) == ["opened", "routed", "overdue"]


def test_work_is_shared_out_by_load(opened, desk, new_staff):
    alba, ben = new_staff(), new_staff("Ben Ito")
    opened_items = [opened() for _ in range(6)]
    tick()
    owners = Counter(desk.item(item.id).owner_id for item in opened_items)
    assert owners == {alba.id: 3, ben.id: 3}


def test_an_owner_given_is_kept_and_told(opened, desk, new_staff):
    new_staff()
    ben = new_staff("Ben Ito")
    item = opened(owner_id=ben.id)
    tick()
    assert desk.item(item.id).owner_id == ben.id
    assert told(desk) == [ben.id]


def test_with_nobody_to_own_it_the_item_is_everyone_s_and_says_so(opened, desk, clinic, new_staff):
    clerk, item = new_staff(role="front_desk"), opened()
    tick()
    assert (desk.item(item.id).owner_id, desk.item(item.id).reason) == (None, ["nobody"])
    with db.unit_of_work(clinic.id) as session:
        assert len(views.listing(session, clinic.id, view="everyone", staff=clerk)) == 1
    assert len(desk.timers(item.id)) == 1  # and it goes on escalating


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


def set_zone(clinic: Clinic, zone: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Clinic).where(Clinic.id == clinic.id).values(zone=zone))


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


@both
def test_an_alert_that_fails_makes_the_ladder_climb_at_once(opened, desk, new_staff, network):
    new_staff(number=DEAD)
    ben = new_staff("Ben Ito")
    item = opened()
    tick()
    deliver.deliver("urgent")
    assert tick() == 1
    assert told(desk)[-1] == ben.id
    assert desk.item(item.id).level == 1
    deliver.deliver("urgent")
    assert [text["to"] for text in network.accepted()] == [ben_number(ben)]
    assert "alert_failed" in desk.events(item.id)


def ben_number(staff: Staff) -> str | None:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Staff, staff.id).number


def test_an_alert_reported_undelivered_later_does_so_too(opened, desk, new_staff, network):
    new_staff()
    new_staff("Ben Ito")
    item = opened()
    tick()
    deliver.deliver("urgent")
    (accepted,) = network.accepted()
    desk.callback(accepted["status_callback"], "undelivered", accepted["sid"], 30003)
    tick()
    assert desk.item(item.id).level == 1


def test_an_alert_that_fails_after_the_acknowledgement_troubles_nobody(opened, desk, new_staff, network):
    alba = new_staff(number=DEAD)
    new_staff("Ben Ito")
    item = opened()
    tick()
    do(items.acknowledge, item, alba, "in_person")
    deliver.deliver("urgent")
    assert tick() == 0
    assert desk.item(item.id).level == 0


def test_a_team_of_dead_phones_does_not_spin(opened, desk, new_staff, network):
    for number in (DEAD, "+17205550190"):
        new_staff(number=number)
    item, moment = opened(), clock.now()
    for _ in range(20):
        with time_machine.travel(moment, tick=False):
            jobs.fire_timers()
            deliver.deliver("urgent")
    level = desk.item(item.id).level
    assert level <= escalation.HASTE_ENDS_AT
    tick(moment + timedelta(minutes=11))
    assert desk.item(item.id).level == level + 1


def test_where_the_owner_has_no_phone_the_next_is_told_at_once(opened, desk, new_staff, new_patient):
    alba, ben = new_staff(number=None, panels=["Dr Lind"]), new_staff("Ben Ito")
    item = opened(patient_id=new_patient(panel="Dr Lind").id)
    tick()
    tick()
    assert desk.item(item.id).owner_id == alba.id
    assert told(desk) == [ben.id]


def test_among_equals_whoever_can_be_reached_is_chosen(opened, desk, new_staff):
    new_staff(number=None)
    ben = new_staff("Ben Ito")
    item = opened()
    tick()
    assert desk.item(item.id).owner_id == ben.id


def test_where_nobody_has_a_phone_the_ladder_keeps_its_own_time(opened, desk, new_staff):
    new_staff(number=None)
    item = opened()
    for _ in range(5):
        tick()
    assert desk.item(item.id).level == 0
    tick(item.answer_by + timedelta(seconds=1))
    assert desk.item(item.id).level == 1
    assert len(desk.timers(item.id)) == 1


def test_a_text_to_a_colleague_that_is_no_alert_may_fail(desk, new_staff, network):
    message = desk.alert(new_staff(number=DEAD), "news:1")
    deliver.deliver("urgent")
    assert desk.state(message) == "failed"


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
