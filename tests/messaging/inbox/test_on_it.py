"""Whoever is on it holds the escalation for a while, by name; nothing is acknowledged by it, and then it goes on."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging import jobs
from messaging.inbox import items, on_it, undoing
from messaging.inbox.models import InboxItem, Told
from messaging.models import Clinic

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def crisis(clinic):
    """Opens an item of patient safety, or of another kind."""

    def crisis(kind="safety", **facts) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            facts = {"about": "x:1", "dedupe": f"x:{db.new_id()}", "summary": "x"} | facts
            return items.open_item(session, clinic, kind=kind, **facts)

    return crisis


def do(act, item, *rest):
    with db.unit_of_work(db.EVERY) as session:
        return act(session, session.get_one(InboxItem, item.id), *rest)


def at(moment) -> None:
    with time_machine.travel(moment, tick=False):
        jobs.fire_timers()


@both
def test_who_is_on_it_holds_the_escalation_and_then_it_goes_on(crisis, clinic, desk, new_staff):
    alba, ben = new_staff(), new_staff("Ben Ito")
    item = crisis(owner_id=alba.id)
    at(clock.now())
    start = item.answer_by - timedelta(minutes=1)
    with time_machine.travel(start, tick=False):
        do(on_it.take_up, item, alba, "calling")
    at(item.answer_by + timedelta(minutes=1))
    held = desk.item(item.id)
    assert (held.level, held.held_by, held.held_how, held.acknowledged_at) == (0, alba.id, "calling", None)
    assert held.held_until == start + timedelta(minutes=20)
    at(start + timedelta(minutes=20, seconds=1))
    assert desk.item(item.id).level == 1
    with db.unit_of_work(clinic.id) as session:
        assert [told.staff_id for told in session.scalars(select(Told))] == [ben.id]
        acts = session.scalars(select(audit.AuditEntry.act)).all()
    assert {"item.on_it", "item.escalated"} <= set(acts)
    assert on_it.is_over(desk.item(item.id), start + timedelta(minutes=21))


def test_the_clinic_says_for_how_long_within_bounds(crisis, clinic, desk, new_staff):
    alba, start = new_staff(), clock.now()
    for minutes, held in ((10, 10), (200, 30), (1, 5)):
        with db.unit_of_work(clinic.id) as session:
            session.get_one(Clinic, clinic.id).rules = {"on_it_minutes": minutes}
        item = crisis()
        with time_machine.travel(start, tick=False):
            do(on_it.take_up, item, alba, "going")
        assert desk.item(item.id).held_until == start + timedelta(minutes=held)


def test_a_hold_ends_with_the_outcome_and_is_taken_back_by_who_began_it(crisis, clinic, desk, new_staff):
    alba, item = new_staff(), crisis()
    timers = sorted(str(timer.try_after) for timer in desk.timers(item.id))
    line = do(on_it.take_up, item, alba, "calling")
    with db.unit_of_work(clinic.id) as session:
        undoing.undo(session, clinic.id, alba, line.id)
    assert desk.item(item.id).held_until is None
    assert sorted(str(timer.try_after) for timer in desk.timers(item.id)) == timers
    do(on_it.take_up, item, alba, "calling")
    do(items.acknowledge, item, alba, "reached_by_phone")
    assert desk.item(item.id).held_until is None


@pytest.mark.parametrize("how", ["", "sleeping"])
def test_only_a_way_that_there_is_holds_anything(crisis, new_staff, how):
    with pytest.raises(ValueError, match="choose"):
        do(on_it.take_up, crisis(), new_staff(), how)


def test_nothing_is_held_that_nobody_is_owed(crisis, new_staff):
    alba, answered = new_staff(), crisis()
    do(items.acknowledge, answered, alba, "in_person")
    for item in (answered, crisis("reply")):
        with pytest.raises(items.Refused) as refused:
            do(on_it.take_up, item, alba, "calling")
        assert refused.value.why == "nothing_owed"


@both
def test_whom_the_escalation_asks_is_kept_as_data_once_each_and_also_without_a_phone(crisis, clinic, desk, new_staff):
    alba, ben, cleo = new_staff(), new_staff("Ben Ito"), new_staff("Cleo Ray", number=None)
    item = crisis(owner_id=alba.id)
    moment = item.answer_by
    at(clock.now())
    for _ in range(4):
        moment += timedelta(minutes=11)
        at(moment)
    with db.unit_of_work(clinic.id) as session:
        told = session.scalars(select(Told.staff_id).where(Told.item_id == item.id)).all()
    assert {ben.id, cleo.id} <= set(told)
    assert len(told) == len(set(told))
    assert desk.item(item.id).escalated_at is not None
