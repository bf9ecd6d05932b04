"""A colleague who answers an alert by text is told to open it; the alert stays as loud as it was."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.models import Message, Staff
from messaging.people import directory

PHONE = "+13035550198"


@pytest.fixture
def alba(world: Any) -> Staff:
    with db.unit_of_work(world.clinic.id) as session:
        return directory.add_staff(session, world.clinic, name="Alba Reyes", email="alba@clinic.example", number=PHONE)


@pytest.fixture
def alerted(world: Any, alba: Staff) -> InboxItem:
    with db.unit_of_work(world.clinic.id) as session:
        staff = session.get_one(Staff, alba.id)
        item = items.open_item(
            session,
            world.clinic,
            kind="safety",
            about="message:1",
            dedupe="one",
            summary="An answer worries us",
        )
        dedupe = f"alert:{item.id}:0:{staff.id}"
        outbox.text_staff(session, world.clinic, staff, body="A new item needs you now.", dedupe=dedupe)
        return item


def _events(world: Any) -> list[str]:
    return [event.event for event in world.rows(ItemEvent)]


@pytest.mark.parametrize("words", ["on it", "ok", "Thanks, calling him now", "👍", "Y", "voy para allá"])
def test_an_answer_by_text_is_noted_and_acknowledges_nothing(world: Any, alerted: InboxItem, words: str) -> None:
    world.text(words, From=PHONE)
    (item,) = world.items
    assert item.id == alerted.id
    assert (item.state, item.acknowledged_at, item.level) == ("open", None, 0)
    assert item.summary == f"An answer worries us\nAlba Reyes, a colleague, by text: {words}"
    assert "answered_by_text" in _events(world)


def test_the_colleague_is_told_once_to_open_it_and_nothing_about_the_patient(world: Any, alerted: InboxItem) -> None:
    for words in ("on it", "really on it", "ok"):
        world.text(words, From=PHONE)
    _, text = world.outbound
    assert (text.kind, text.lane) == ("staff_alert", "urgent")
    assert text.body == (
        "Warmthread: texts to this number acknowledge nothing. Please open the case."
        f" https://clinic.example/inbox/{alerted.id}"
    )
    assert "This line is for patients" not in text.body


def test_a_colleague_who_texts_out_of_the_blue_is_read_by_a_human_and_is_no_unknown_number(
    world: Any, alba: Staff
) -> None:
    world.text("can somebody take my 3 pm?", From=PHONE)
    assert [item.summary for item in world.items] == ["Alba Reyes, a colleague, by text: can somebody take my 3 pm?"]
    assert world.outbound == []


def test_an_alert_of_last_week_is_not_what_is_answered(world: Any, alerted: InboxItem, alba: Staff) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        for text in session.scalars(select(Message).where(Message.staff_id == alba.id)):
            text.created_at = clock.now() - timedelta(days=7)
    world.text("on it", From=PHONE)
    assert len(world.items) == 2
    assert "answered_by_text" not in _events(world)


def test_a_crisis_from_a_colleagues_phone_is_a_crisis(world: Any, alerted: InboxItem) -> None:
    world.text("I want to die", From=PHONE)
    _, item = world.items
    assert item.kind == "safety"
    assert "from the phone of Alba Reyes, a colleague" in item.summary


def test_a_colleague_who_is_a_patient_too_speaks_as_a_patient(world: Any, alba: Staff, patients: Any) -> None:
    patients("9", PHONE, "Alba")
    world.text("I have a question about my pills", From=PHONE)
    assert [item.summary for item in world.items] == ["I have a question about my pills"]
