"""What is set aside comes back: at its hour, with its visit, or when the patient has more to say."""

from datetime import timedelta

import pytest
import time_machine

from config import clock, db
from messaging import jobs
from messaging.inbox import items, snooze_times, snoozing, undoing
from messaging.inbox.models import InboxItem


@pytest.fixture
def opened(clinic):
    """Opens an item; takes what items.open_item takes."""

    def opened(kind="reply", **more) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            return items.open_item(
                session, clinic, kind=kind, about="x:1", dedupe=f"x:{db.new_id()}", summary="x", **more
            )

    return opened


def do(act, item, *given):
    with db.unit_of_work(db.EVERY) as session:
        return act(session, session.get_one(InboxItem, item.id), *given)


def tick(moment) -> None:
    with time_machine.travel(moment, tick=False):
        jobs.fire_timers()


def test_it_sleeps_until_its_hour_and_comes_back_to_its_owner(opened, new_staff, desk):
    alba, item = new_staff(), opened()
    until = clock.now() + timedelta(hours=1)
    do(snoozing.snooze, item, alba, until)
    tick(until - timedelta(seconds=1))
    asleep = desk.item(item.id)
    assert (asleep.state, asleep.owner_id, asleep.snoozed_until) == ("snoozed", alba.id, until)
    tick(until + timedelta(seconds=1))
    awake = desk.item(item.id)
    assert (awake.state, awake.owner_id, awake.snoozed_until) == ("open", alba.id, None)
    assert awake.answer_by == item.answer_by  # four hours had not passed: the clock runs on
    assert [(timer.kind, timer.try_after) for timer in desk.timers(item.id)] == [("escalate", item.answer_by)]


def test_while_it_sleeps_its_ladder_is_silent_and_past_its_time_the_clock_starts_anew(opened, new_staff, desk):
    alba, item = new_staff(), opened()
    until = clock.now() + timedelta(days=2)
    do(snoozing.snooze, item, alba, until)
    tick(item.answer_by + timedelta(minutes=1))
    assert desk.item(item.id).level == 0
    tick(until)
    awake = desk.item(item.id)
    assert awake.answer_by == until + timedelta(hours=4)
    assert [timer.try_after for timer in desk.timers(item.id)] == [awake.answer_by]


@pytest.mark.parametrize("kind", ["safety", "screen"])
def test_what_is_owed_a_person_sleeps_only_once_acknowledged(opened, new_staff, desk, kind):
    alba, item = new_staff(), opened(kind)
    hour = clock.now() + timedelta(hours=1)
    with pytest.raises(items.Refused, match="not_before_acknowledged"):
        do(snoozing.snooze, item, alba, hour)
    do(items.acknowledge, item, alba, "could_not_reach", hour)
    with pytest.raises(items.Refused, match="not_before_acknowledged"):
        do(snoozing.snooze, item, alba, hour)
    do(items.acknowledge, item, alba, "in_person")
    do(snoozing.snooze, item, alba, hour)
    tick(hour)
    awake = desk.item(item.id)
    assert (awake.state, awake.acknowledged_by) == ("open", alba.id)


@pytest.mark.parametrize(
    ("kind", "span", "why"),
    [
        ("reply", timedelta(0), "past"),
        ("reply", timedelta(days=61), "too_far"),
        ("safety", timedelta(hours=25), "too_late_for_safety"),
        ("handoff", timedelta(minutes=5), "not_a_handoff"),
    ],
)
def test_some_sleeps_are_refused(opened, new_staff, desk, kind, span, why):
    alba, item = new_staff(), opened(kind)
    if kind == "safety":
        do(items.acknowledge, item, alba, "in_person")
    with pytest.raises(items.Refused, match=why):
        do(snoozing.snooze, item, alba, clock.now() + span)
    assert desk.item(item.id).state != "snoozed"


def test_a_second_sleep_is_not_ended_by_the_first_ones_hour(opened, new_staff, desk):
    alba, item, now = new_staff(), opened(), clock.now()
    do(snoozing.snooze, item, alba, now + timedelta(hours=1))
    do(snoozing.snooze, item, alba, now + timedelta(hours=5))
    tick(now + timedelta(hours=2))
    assert desk.item(item.id).state == "snoozed"
    assert [timer.try_after for timer in desk.timers(item.id)] == [now + timedelta(hours=5)]


def test_it_goes_with_its_visit_and_wakes_when_there_is_none(opened, new_staff, desk, clinic):
    alba, item, visit, now = new_staff(), opened(), db.new_id(), clock.now()
    do(snoozing.snooze, item, alba, now + timedelta(days=3), visit)
    assert desk.item(item.id).snoozed_for == f"appointment:{visit}"

    def move(starts_at) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            snoozing.follow_visits(session, clinic.id, {visit: starts_at, db.new_id(): None})
        return desk.item(item.id)

    moved = move(now + timedelta(days=9))
    assert moved.snoozed_until == now + timedelta(days=9) - snooze_times.BEFORE_A_VISIT
    assert [timer.try_after for timer in desk.timers(item.id) if timer.kind == "wake"] == [moved.snoozed_until]
    gone = move(None)
    assert (gone.state, gone.snoozed_for, gone.snoozed_until) == ("open", None, None)


def test_what_is_about_safety_does_not_follow_a_visit_beyond_a_day(opened, new_staff, desk, clinic):
    alba, item, visit, now = new_staff(), opened("safety"), db.new_id(), clock.now()
    do(items.acknowledge, item, alba, "assessed_plan")
    do(snoozing.snooze, item, alba, now + timedelta(hours=3), visit)
    with db.unit_of_work(clinic.id) as session:
        snoozing.follow_visits(session, clinic.id, {visit: now + timedelta(days=30)})
    until = desk.item(item.id).snoozed_until
    assert until is not None
    assert until <= clock.now() + timedelta(hours=24)


def test_what_has_woken_can_sleep_until_the_same_time_again(opened, new_staff, clinic):
    alba, item = new_staff(), opened()
    until = clock.now().replace(second=0, microsecond=0) + timedelta(hours=2)

    def last():
        return do(lambda session, row: snoozing.last_sleep(items.history(session, row)), item)

    assert last() is None
    do(snoozing.snooze, item, alba, until)
    assert last() is None
    tick(until)
    with time_machine.travel(until + timedelta(minutes=1), tick=False):
        assert last() == until
        assert snooze_times.same_time_again(last(), clock.now(), "America/Denver") == until + timedelta(days=1)


def test_it_can_be_brought_back_and_that_taken_back(opened, new_staff, desk, clinic):
    alba, item = new_staff(), opened()
    until = clock.now() + timedelta(hours=2)
    do(snoozing.snooze, item, alba, until)
    line = do(snoozing.wake_now, item, alba)
    assert desk.item(item.id).state == "open"
    with db.unit_of_work(clinic.id) as session:
        undoing.undo(session, clinic.id, alba, line.id)
    again = desk.item(item.id)
    assert (again.state, again.snoozed_until) == ("snoozed", until)
    tick(until)
    assert desk.item(item.id).state == "open"
