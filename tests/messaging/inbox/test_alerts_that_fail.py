"""Where an alert does not arrive the next is told, and nobody is troubled in vain."""

from datetime import timedelta

import pytest
import time_machine

from config import clock, db
from messaging import jobs
from messaging.delivery import deliver
from messaging.inbox import escalation, items
from messaging.models import Staff
from tests.messaging.inbox.acting import do, tick, told

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


DEAD = "+13035550190"  # the network refuses it


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


def ben_number(staff: Staff) -> str | None:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Staff, staff.id).number
