"""One open reply for each conversation."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from config import db
from messaging import people
from messaging.inbox import items
from messaging.inbox.models import InboxItem


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
        staff = people.add_staff(session, world.clinic, name="Kim", email="kim@clinic.example")
        items.acknowledge(session, session.scalars(select(InboxItem)).one(), staff, "handled")
    world.text("another one")
    assert [one.summary for one in world.items] == ["I have a question", "another one"]


def test_new_words_wake_a_reply_that_sleeps(world: Any) -> None:
    world.text("I have a question")
    with db.unit_of_work(db.EVERY) as session:
        item = session.scalars(select(InboxItem)).one()
        item.state, item.snoozed_until = "snoozed", datetime.now(UTC) + timedelta(days=1)
    world.text("one more thing")
    assert [one.state for one in world.items] == ["open"]
