"""One open reply for each conversation."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.inbox import escalation, items, snoozing
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Staff
from messaging.people import directory
from reminders.models import Appointment
from tests.webhooks.test_handle_text import _visit as visit


def test_one_reply_waits_for_each_conversation_and_its_clock_runs_on(world: Any) -> None:
    world.text("I have a question")
    first = world.items[0].answer_by
    world.text("about my bill")
    (item,) = world.items
    assert item.summary == "I have a question\nabout my bill"
    assert item.answer_by == first


def test_after_an_answer_new_words_are_a_new_item(world: Any) -> None:
    world.text("I have a question")
    with db.unit_of_work(db.EVERY) as session:
        staff = directory.add_staff(session, world.clinic, name="Kim", email="kim@clinic.example")
        items.acknowledge(session, session.scalars(select(InboxItem)).one(), staff, "handled")
    world.text("another one")
    assert [item.summary for item in world.items] == ["I have a question", "another one"]


def test_a_courtesy_is_shown_with_what_sleeps_and_lets_it_sleep(world: Any) -> None:
    world.text("I have a question")
    _sleep(world)
    world.text("thanks!")
    (item,) = world.items
    assert (item.state, item.summary) == ("snoozed", "I have a question\nthanks!")


def test_a_confirmation_that_a_rule_has_handled_lets_everything_sleep(world: Any) -> None:
    world.text("I have a question")
    _sleep(world)
    visit(world)
    world.text("Y")
    assert world.rows(Appointment)[0].state == "confirmed"
    assert [item.state for item in world.items] == ["snoozed"]


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ("one more thing", {}),
        ("Y thanks, is parking free?", {}),
        ("I can't make it, I have surgery that day", {}),
        ("I want to die", {}),
        (
            "thanks",
            {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m/1", "MediaContentType0": "image/png"},
        ),
        ("", {}),
        ("STOP", {"OptOutType": "STOP"}),
        ("qwertz 12", {}),
    ],
)
def test_anything_else_wakes_what_sleeps(world: Any, words: str, more: dict[str, str]) -> None:
    world.text("I have a question")
    _sleep(world)
    visit(world)
    world.text(words, **more)
    assert "snoozed" not in [item.state for item in world.items]


def test_words_wake_whatever_sleeps_of_the_patient(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, "1")
        items.open_item(
            session,
            world.clinic,
            kind="delivery",
            about="x:1",
            dedupe="x",
            summary="x",
            patient_id=patient.id,
        )
        items.open_item(session, world.clinic, kind="delivery", about="x:2", dedupe="y", summary="y")
    _sleep(world)
    world.text("what happened to my text?")
    assert [(item.kind, item.state) for item in world.items] == [
        ("delivery", "open"),
        ("delivery", "snoozed"),
        ("reply", "open"),
    ]


def test_woken_after_its_time_its_clock_starts_anew_else_it_runs_on(world: Any) -> None:
    world.text("I have a question")
    first = world.items[0].answer_by
    _sleep(world, days=2)
    world.text("one more thing")
    assert world.items[0].answer_by == first
    _sleep(world, days=2)
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(InboxItem)).one().answer_by = datetime.now(UTC) - timedelta(hours=1)
    world.text("and another")
    assert world.items[0].answer_by > datetime.now(UTC) + timedelta(hours=3)


def test_a_robots_text_never_stops_the_clock(world: Any) -> None:
    visit(world)
    world.text("Y thanks, is parking free?")
    assert [message.kind for message in world.outbound] == ["automatic"]
    (item,) = world.items
    assert (item.state, item.acknowledged_at) == ("open", None)


def test_new_words_go_to_who_answered_last(world: Any) -> None:
    kim = _colleague(world, "Kim")
    _colleague(world, "Ana")
    world.text("I have a question")
    _settle(world, kim)
    world.text("another one")
    assert (world.items[1].owner_id, world.items[1].reason) == (kim.id, ["answered_last"])
    assert items.reasons(world.items[1]) == ["dealt with this conversation last"]


@pytest.mark.parametrize("away", ["left", "off duty", "long ago", "of another role"])
def test_but_not_to_somebody_who_is_not_here_any_more(world: Any, away: str) -> None:
    kim = _colleague(world, "Kim")
    world.text("I have a question")
    _settle(world, kim)
    with db.unit_of_work(db.EVERY) as session:
        staff, item = session.get_one(Staff, kim.id), session.scalars(select(InboxItem)).one()
        if away == "left":
            staff.active = False
        elif away == "off duty":
            today = datetime.now(ZoneInfo("America/Denver"))
            staff.hours = {f"{today + timedelta(days=3):%a}".lower(): ["08:00", "17:00"]}
        elif away == "of another role":
            staff.role = "clinician"
        else:
            item.done_at = datetime.now(UTC) - timedelta(days=31)
    world.text("another one")
    assert (world.items[1].owner_id, world.items[1].reason) == (None, [])


def _colleague(world: Any, name: str) -> Staff:
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_staff(
            session, world.clinic, name=name, email=f"{name}@clinic.example", number="+13035550170"
        )


def _settle(world: Any, staff: Staff) -> None:
    with db.unit_of_work(db.EVERY) as session:
        items.resolve(session, session.scalars(select(InboxItem)).one(), staff)


def _sleep(world: Any, days: int = 1) -> None:
    """A colleague sets everything aside that waits."""
    with db.unit_of_work(db.EVERY) as session:
        kim = session.scalar(select(Staff)) or directory.add_staff(
            session, world.clinic, name="Kim", email="kim@clinic.example"
        )
        for item in session.scalars(select(InboxItem)):
            snoozing.snooze(session, item, kim, datetime.now(UTC) + timedelta(days=days))


@pytest.mark.parametrize("line", ["opted out", "opts out with it", "landline"])
def test_a_crisis_from_a_number_that_cannot_be_texted_asks_for_a_call_at_once(world: Any, line: str) -> None:
    words = "I want to die"
    if line == "opted out":
        world.text("STOP")
    elif line == "landline":
        with db.unit_of_work(db.EVERY) as session:
            directory.learn_line(session, world.clinic, "+13035550101", "landline", "operator")
    else:
        words = "please stop texting me, I want to die"
    world.text(words)
    (item,) = [item for item in world.items if item.kind == "safety"]
    assert "call now" in item.summary
    assert item.summary.endswith(words)
    assert [message for message in world.outbound if message.kind == "stopped"] == []


HOUR = timedelta(hours=1)


def _at_risk(world: Any, **about: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        items.open_item(session, world.clinic, kind="safety", about="screen:1", dedupe="s", summary="x", **about)


def _patient_id(world: Any) -> Any:
    with db.unit_of_work(db.EVERY) as session:
        return directory.find_by_record(session, world.clinic, "1").id


def _reply(world: Any) -> InboxItem:
    return next(item for item in world.items if item.kind == "reply")


def test_whoever_was_at_risk_lately_waits_no_longer_than_a_positive_screen(world: Any) -> None:
    _at_risk(world, patient_id=_patient_id(world))
    world.text("I keep driving past the quarry")
    item = _reply(world)
    assert item.answer_by - item.created_at == HOUR
    assert items.reasons(item)[0] == "was at risk in the last 30 days: owed as soon as a positive screen"


def test_what_they_had_asked_before_is_hastened_with_their_next_words(world: Any) -> None:
    world.text("I have a question")
    assert _reply(world).answer_by - _reply(world).created_at == 4 * HOUR
    _at_risk(world, patient_id=_patient_id(world))
    world.text("I keep driving past the quarry")
    item = _reply(world)
    assert item.answer_by - item.created_at < HOUR + timedelta(minutes=5)
    assert item.reason[0] == "lately_at_risk"


def test_a_crisis_of_another_or_of_long_ago_hastens_nothing(world: Any) -> None:
    _at_risk(world)
    world.text("I have a question")
    assert _reply(world).reason == []
    patient_id = _patient_id(world)
    with db.unit_of_work(db.EVERY) as session:
        for item in session.scalars(select(InboxItem)):
            item.patient_id, item.created_at = patient_id, datetime.now(UTC) - timedelta(days=31)
    world.text("and one more")
    assert _reply(world).reason == []


def test_why_it_is_owed_sooner_outlives_its_routing(world: Any) -> None:
    _colleague(world, "Kim")
    _at_risk(world, patient_id=_patient_id(world))
    world.text("I keep driving past the quarry")
    with db.unit_of_work(db.EVERY) as session:
        escalation.fire(session, session.scalars(select(Timer).where(Timer.kind == "route")).all())
    assert _reply(world).owner_id is not None
    assert _reply(world).reason[0] == "lately_at_risk"
    assert len(_reply(world).reason) > 1


def test_overdue_it_rings_a_phone_as_a_positive_screen_would(world: Any) -> None:
    _colleague(world, "Kim")
    _at_risk(world, patient_id=_patient_id(world))
    world.text("I keep driving past the quarry")
    late = _reply(world).answer_by + timedelta(seconds=1)
    with time_machine.travel(late), db.unit_of_work(db.EVERY) as session:
        timers = select(Timer).where(Timer.item_id == _reply_id(session)).order_by(Timer.id)
        escalation.fire(session, session.scalars(timers).all())
        events = items.history(session, session.get_one(InboxItem, _reply_id(session)))
    assert "escalated" in [event.event for event in events]
    assert "overdue" not in [event.event for event in events]


def _reply_id(session: Any) -> Any:
    return session.scalars(select(InboxItem.id).where(InboxItem.kind == "reply")).one()
