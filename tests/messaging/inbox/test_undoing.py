"""An act is taken back within ten seconds, by who did it, if nothing has happened since; and nothing is lost by it."""

from datetime import timedelta
from itertools import count

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from config import clock, db
from messaging import jobs
from messaging.inbox import item_state, items, reopening, snoozing, undoing
from messaging.inbox.models import InboxItem, ItemEvent

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def opened(clinic):
    """Opens an item."""

    def opened(kind="safety") -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            return items.open_item(session, clinic, kind=kind, about="x:1", dedupe=f"x:{db.new_id()}", summary="x")

    return opened


def do(act, item, *given):
    with db.unit_of_work(db.EVERY) as session:
        return act(session, session.get_one(InboxItem, item.id), *given)


def undo(clinic, staff, line):
    with db.unit_of_work(clinic.id) as session:
        return undoing.undo(session, clinic.id, staff, line.id)


def stands(item):
    with db.unit_of_work(db.EVERY) as session:
        return item_state.read(session, session.get_one(InboxItem, item.id))


def fire(moment) -> None:
    with time_machine.travel(moment, tick=False):
        jobs.fire_timers()


@both
def test_an_act_taken_back_leaves_all_as_it_was_and_stays_in_the_history(opened, new_staff, clinic, desk):
    alba, item = new_staff(), opened()
    before = stands(item)
    line = do(items.acknowledge, item, alba, "in_person")
    assert desk.timers(item.id) == []
    assert undo(clinic, alba, line).item_ids == [item.id]
    assert stands(item) == before
    assert desk.events(item.id) == ["opened", "acknowledged", "undone"]
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(ItemEvent, line.id).detail["undone"] is True


def test_a_ladder_that_fell_due_meanwhile_climbs_after_all(opened, new_staff, clinic, desk):
    alba, item = new_staff(), opened()
    fire(clock.now())
    with time_machine.travel(item.answer_by - timedelta(seconds=1), tick=False) as journey:
        line = do(items.acknowledge, item, alba, "reached_by_phone")
        journey.shift(timedelta(seconds=5))
        jobs.fire_timers()
        assert desk.item(item.id).level == 0
        undo(clinic, alba, line)
        jobs.fire_timers()
    assert desk.item(item.id).level == 1
    assert [timer.kind for timer in desk.timers(item.id)] == ["escalate"]


@pytest.mark.parametrize(("seconds", "works"), [(11, True), (13, False)])
def test_it_is_possible_for_ten_seconds_and_a_little_for_the_network(opened, new_staff, clinic, seconds, works):
    alba, item = new_staff(), opened("reply")
    with time_machine.travel(clock.now(), tick=False) as journey:
        line = do(items.resolve, item, alba)
        journey.shift(timedelta(seconds=seconds))
        if works:
            undo(clinic, alba, line)
        else:
            with pytest.raises(items.Refused, match="undo_late"):
                undo(clinic, alba, line)
    assert (stands(item)["state"] == "open") == works


def test_only_who_did_it_takes_it_back_and_only_once(opened, new_staff, clinic):
    alba, ben, item = new_staff(), new_staff("Ben Ito"), opened()
    line = do(items.claim, item, alba)
    with pytest.raises(items.Refused, match="undo_gone"):
        undo(clinic, ben, line)
    undo(clinic, alba, line)
    with pytest.raises(items.Refused, match="undo_gone"):
        undo(clinic, alba, line)


def test_what_has_moved_on_is_not_taken_back(opened, new_staff, clinic, desk):
    alba, ben, item = new_staff(), new_staff("Ben Ito"), opened()
    line = do(items.claim, item, alba)
    do(items.claim, item, ben)
    with pytest.raises(items.Refused, match="undo_moved"):
        undo(clinic, alba, line)
    assert desk.item(item.id).owner_id == ben.id


def test_what_a_sent_text_settled_is_not_taken_back(opened, new_staff, clinic):
    alba, item = new_staff(), opened("reply")
    line = do(items.resolve, item, alba, "replied")
    with pytest.raises(items.Refused, match="undo_gone"):
        undo(clinic, alba, line)


def test_acts_bound_together_are_taken_back_together_but_for_what_has_moved_on(opened, new_staff, clinic, desk):
    alba, ben = new_staff(), new_staff("Ben Ito")
    many = [opened("reply") for _ in range(3)]
    with db.unit_of_work(clinic.id) as session:
        held = item_state.hold(session, clinic.id, [item.id for item in many])
        line = undoing.bind([items.resolve(session, item, alba) for item in held])
    do(reopening.reopen, many[1], ben)
    undone = undo(clinic, alba, line)
    assert (undone.item_ids, undone.left) == ([many[0].id, many[2].id], 1)
    assert [desk.item(item.id).state for item in many] == ["open", "claimed", "open"]


def hours(number):
    return lambda: clock.now() + timedelta(hours=number)


ACTS = {
    "claim": lambda s, i, a, b: items.claim(s, i, a),
    "hand over": lambda s, i, a, b: items.hand_over(s, i, a, b),
    "reached": lambda s, i, a, b: items.acknowledge(s, i, a, "reached_by_phone"),
    "not reached": lambda s, i, a, b: items.acknowledge(s, i, a, "could_not_reach", hours(1)()),
    "snooze": lambda s, i, a, b: snoozing.snooze(s, i, a, hours(2)()),
    "wake": lambda s, i, a, b: snoozing.wake_now(s, i, a),
    "resolve": lambda s, i, a, b: items.resolve(s, i, a),
    "reopen": lambda s, i, a, b: reopening.reopen(s, i, a),
}
STEPS = st.lists(st.tuples(st.sampled_from([*ACTS, "wait"]), st.booleans(), st.sampled_from((1, 40, 300))), max_size=9)
serial = count()


@profile(max_examples=30, deadline=None)
@given(kind=st.sampled_from(("safety", "screen", "reply", "delivery")), steps=STEPS)
def test_whatever_is_done_and_taken_back_nothing_is_lost(house, clinic, opened, colleagues, kind, steps):
    alba, ben = colleagues
    with time_machine.travel(clock.now() + timedelta(days=next(serial)), tick=False) as journey:
        item = opened(kind)
        jobs.fire_timers()
        for name, take_back, minutes in steps:
            journey.shift(timedelta(seconds=1))
            if name == "wait":
                journey.shift(timedelta(minutes=minutes))
                jobs.fire_timers()
            else:
                _act_and_perhaps_not(clinic, item, ACTS[name], alba, ben, take_back)
            _somebody_is_still_called(item)


def _act_and_perhaps_not(clinic, item, act, alba, ben, take_back) -> None:
    before = stands(item)
    try:
        line = do(act, item, alba, ben)
    except (items.Refused, ValueError):
        line = None
    if line is None:
        assert stands(item) == before
    elif take_back:
        undo(clinic, alba, line)
        assert stands(item) == before


def _somebody_is_still_called(item) -> None:
    now = stands(item)
    kinds = [kind for kind, _ in now["timers"]]
    if now["state"] == "snoozed":
        assert kinds.count("wake") == 1
    if now["state"] not in ("done", "snoozed") and now["acknowledged_at"] is None:
        assert kinds.count("escalate") == 1
    if now["state"] == "done":
        assert kinds == []


@pytest.fixture
def colleagues(new_staff):
    """Two who work here, without telephones: what is texted to them is another story."""
    return new_staff(number=None), new_staff("Ben Ito", number=None)
