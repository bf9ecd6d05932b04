"""Items are moved by a named person: acknowledged, closed, opened again, taken and handed over."""

import threading
from datetime import timedelta

import pytest
import time_machine

from config import clock, db
from messaging import conversations
from messaging.inbox import item_state, items, reopening, settle_on_reply, views
from messaging.inbox.models import InboxItem
from tests.messaging.inbox.acting import actors, do

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.mark.parametrize("kind", ["safety", "screen"])
def test_what_is_about_safety_is_not_closed_unacknowledged(opened, new_staff, kind):
    item, alba = opened(kind), new_staff()
    with pytest.raises(items.NotYet):
        do(items.resolve, item, alba)
    with pytest.raises(items.NotYet):
        do(items.resolve, item, alba, "handled")
    assert do(items.claim, item, alba).state == "claimed"
    with pytest.raises(items.NotYet):
        do(items.resolve, item, alba)
    do(items.acknowledge, item, alba, "assessed_low")
    done = do(items.resolve, item, alba)
    assert (done.state, done.done_by, done.disposition) == ("done", alba.id, "assessed_low")


@pytest.mark.parametrize("kind", ["handoff", "reply", "delivery"])
def test_anything_else_is_closed_at_once(opened, new_staff, kind):
    alba = new_staff()
    done = do(items.resolve, opened(kind), alba)
    assert (done.state, done.disposition) == ("done", "handled")


@pytest.mark.parametrize("disposition", ["", "nonsense", "Handled", "handled", "replied", "assessed", "x" * 100])
def test_an_acknowledgement_says_what_was_done(opened, new_staff, desk, disposition):
    item = opened()
    with pytest.raises(ValueError, match="what was done"):
        do(items.acknowledge, item, new_staff(), disposition)
    assert desk.item(item.id).acknowledged_at is None


@pytest.mark.parametrize("disposition", ["nonsense", "x" * 100])
def test_so_does_a_closing(opened, new_staff, desk, disposition):
    item = opened("reply")
    with pytest.raises(ValueError, match="what was done"):
        do(items.resolve, item, new_staff(), disposition)
    assert desk.item(item.id).state == "open"


def test_every_disposition_is_known_in_words():
    assert set(items.dispositions()) >= {
        "handled",
        "replied",
        "reached_by_phone",
        "could_not_reach",
    }


def test_the_first_acknowledgement_counts(opened, new_staff):
    item, alba, ben = opened(), new_staff(), new_staff("Ben Ito")
    first = do(items.acknowledge, item, alba, "reached_by_phone")
    second = do(items.acknowledge, item, ben, "assessed_plan")
    assert (second.acknowledged_by, second.acknowledged_at) == (alba.id, first.acknowledged_at)
    assert second.disposition == "assessed_plan"


def test_claiming_and_acknowledging_leave_the_clock_alone(opened, new_staff):
    item, alba = opened(), new_staff()
    assert do(items.claim, item, alba).answer_by == item.answer_by
    assert do(items.acknowledge, item, alba, "in_person").answer_by == item.answer_by


def test_an_item_handed_over_keeps_its_clock_and_is_unread(opened, new_staff, desk, clinic):
    item, alba, ben = opened(), new_staff(), new_staff("Ben Ito")
    do(items.claim, item, alba)
    timers = {timer.id: timer.try_after for timer in desk.timers(item.id) if timer.kind == "escalate"}
    handed_over = do(items.hand_over, item, alba, ben)
    assert (handed_over.owner_id, handed_over.state, handed_over.answer_by) == (ben.id, "open", item.answer_by)
    assert handed_over.acknowledged_at is None
    assert {timer.id: timer.try_after for timer in desk.timers(item.id) if timer.kind == "escalate"} == timers
    with db.unit_of_work(clinic.id) as session:
        assert [item.id for item in views.listing(session, clinic.id, view="mine", staff=ben)] == [item.id]


def test_an_item_reopened_is_owed_again_with_a_new_clock(opened, new_staff, desk):
    item, alba = opened(), new_staff()
    do(items.acknowledge, item, alba, "in_person")
    do(items.resolve, item, alba)
    with time_machine.travel(clock.now() + timedelta(hours=3), tick=False):
        again = do(reopening.reopen, item, alba)
        assert (again.state, again.done_at, again.done_by) == ("claimed", None, None)
        assert again.answer_by == clock.now() + timedelta(minutes=15)
        with pytest.raises(items.NotYet):
            do(items.resolve, item, alba)
    assert [timer.try_after for timer in desk.timers(item.id) if timer.kind == "escalate"] == [again.answer_by]


def test_reopening_what_is_open_changes_nothing(opened, new_staff):
    item = opened()
    assert do(reopening.reopen, item, new_staff()).answer_by == item.answer_by
    assert [event for event, _ in actors(item)] == ["opened"]


def test_closing_twice_closes_once(opened, new_staff):
    item, alba, ben = opened("reply"), new_staff(), new_staff("Ben Ito")
    do(items.resolve, item, alba)
    assert do(items.resolve, item, ben).done_by == alba.id


def test_the_history_names_who_did_what_in_order(opened, new_staff):
    item, alba, ben = opened(), new_staff(), new_staff("Ben Ito")
    with db.unit_of_work(db.EVERY) as session:  # in one breath, so that ids do not tell the order
        row = session.get_one(InboxItem, item.id)
        items.claim(session, row, alba)
        items.hand_over(session, row, alba, ben)
        items.acknowledge(session, row, ben, "in_person")
        items.resolve(session, row, ben)
    assert actors(item) == [
        ("opened", "system:inbox"),
        ("claimed", f"staff:{alba.id}"),
        ("handed_over", f"staff:{alba.id}"),
        ("acknowledged", f"staff:{ben.id}"),
        ("resolved", f"staff:{ben.id}"),
    ]


def test_a_reply_settles_the_replies_of_its_conversation_and_nothing_else(opened, new_staff, clinic, desk):
    alba = new_staff()
    with db.unit_of_work(clinic.id) as session:
        here = conversations.of_number(session, clinic, "+13035550117")
        there = conversations.of_number(session, clinic, "+13035550118")
    reply, safety, other = (
        opened("reply", conversation_id=here.id),
        opened("safety", conversation_id=here.id),
        opened("reply", conversation_id=there.id),
    )
    with db.unit_of_work(clinic.id) as session:
        settle_on_reply.answered(session, here, alba, settle=True)
    settled = desk.item(reply.id)
    assert (settled.state, settled.disposition, settled.acknowledged_by) == ("done", "replied", alba.id)
    assert [desk.item(item.id).state for item in (safety, other)] == ["open", "open"]


@both
def test_of_two_who_take_an_item_at_once_one_has_it_and_the_other_is_told(opened, new_staff, clinic, desk):
    people = [new_staff(), new_staff("Ben Ito")]
    item, start, outcomes = opened("reply"), threading.Barrier(2), []

    def take(colleague) -> None:
        start.wait()
        try:
            with db.unit_of_work(clinic.id) as session:
                (held,) = item_state.hold(session, clinic.id, [item.id])
                items.claim_as_shown(session, held, colleague, None)
            outcomes.append(("has it", colleague.id))
        except items.Taken as taken:
            outcomes.append(("told", taken.owner_id))

    at_once = [threading.Thread(target=take, args=(colleague,)) for colleague in people]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    owner = desk.item(item.id).owner_id
    assert sorted(outcomes) == [("has it", owner), ("told", owner)]
    assert desk.events(item.id) == ["opened", "claimed"]


def test_taking_what_is_ones_own_or_what_the_page_showed_is_fine(opened, new_staff, desk):
    alba, ben, item = new_staff(), new_staff("Ben Ito"), opened("reply")
    do(items.claim_as_shown, item, alba, None)
    do(items.claim_as_shown, item, alba, None)
    do(items.claim_as_shown, item, ben, alba.id)
    assert desk.item(item.id).owner_id == ben.id
    with pytest.raises(items.Taken):
        do(items.claim_as_shown, item, alba, None)
    do(items.resolve, item, ben)
    with pytest.raises(items.Refused, match="already_done"):
        do(items.claim_as_shown, item, alba, ben.id)


def test_nothing_is_handed_to_somebody_who_has_left(opened, new_staff, clinic, desk):
    alba, gone, item = new_staff(), new_staff("Ben Ito"), opened()
    with db.unit_of_work(clinic.id) as session:
        session.merge(gone).active = False
    gone.active = False
    with pytest.raises(items.Refused, match="nobody"):
        do(items.hand_over, item, alba, gone)
    assert desk.item(item.id).owner_id is None
