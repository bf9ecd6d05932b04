"""Reactions and robots at the door: no opt-out, no alarm, no item;
and what is written beside them does all it always does."""

from typing import Any

import pytest
from sqlalchemy import select

from config import db
from messaging import conversations, outbox
from messaging.consent import ledger
from messaging.models import Message
from messaging.people import directory
from reminders.models import Appointment
from tests.webhooks.test_handle_text import _visit

PATIENT, STRANGER = "+13035550101", "+13035550199"
ASKED = "Hi Ana, your visit at Elm Clinic is tomorrow at 9:00 AM. Reply Y to confirm. Reply STOP to end texts."


@pytest.fixture
def asked(world: Any) -> Message:
    """A text of ours that the patient has."""
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, "1")
        text = outbox.text_patient(
            session, world.clinic, patient, kind="reply", programme="care_team", body=ASKED, dedupe="asked"
        )
        text.state = "delivered"
        return text


def _consents(world: Any, number: str = PATIENT) -> set[str]:
    with db.unit_of_work(db.EVERY) as session:
        return set(ledger.state(session, world.clinic, number).values())


@pytest.mark.parametrize(
    "text", [f"Liked “{ASKED}”", f"👍 to “{ASKED}”", f"Le gustó “{ASKED}”", f"Removed a heart from “{ASKED}”"]
)
def test_a_tapback_opts_nobody_out_and_rings_nobody(world: Any, asked: Message, text: str) -> None:
    _visit(world)
    world.text(text)
    assert _consents(world) == {"granted"}
    assert world.items == []
    assert [message.id for message in world.outbound] == [asked.id]
    assert world.rows(Appointment)[0].state == "booked"
    (message,) = world.inbound
    assert message.body == text
    assert {"kind.reaction", f"{conversations.REACTS_TO}{asked.id}"} <= set(message.reading)


def test_the_same_words_about_a_text_of_somebody_else_are_read_as_always(world: Any, asked: Message) -> None:
    world.text(f"Liked “{ASKED}”", From=STRANGER)
    assert len(world.items) == 1


def test_what_stands_beside_a_tapback_alarms_and_stops(world: Any, asked: Message) -> None:
    world.text(f"Liked “{ASKED}” I want to die")
    assert [item.kind for item in world.items] == ["safety"]
    world.text(f"Disliked “{ASKED}”\nSTOP")
    assert _consents(world) == {"revoked"}


def test_a_picture_with_a_tapback_reaches_a_human(world: Any, asked: Message) -> None:
    world.text(f"Liked “{ASKED}”", NumMedia="1", MediaUrl0="https://a.example/1", MediaContentType0="image/png")
    assert len(world.items) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Sorry, I can't talk right now.",
        "Auto-reply: I am out of the office until Monday. If this is an emergency call 911.",
        "Recipient has opted out.",
    ],
)
def test_a_robot_rings_nobody_and_is_filed(world: Any, text: str) -> None:
    assert world.post(world.form(text)).status_code == 200
    assert world.receipts[0].lane == "default"
    world.drain()
    assert world.items == world.outbound == []
    assert _consents(world) == {"granted"}
    assert "kind.robot" in world.inbound[0].reading


def test_a_robot_of_a_stranger_gets_no_answer(world: Any) -> None:
    world.text("Sorry, I can't talk right now.", From=STRANGER)
    assert world.outbound == []


def test_words_after_a_robots_reach_a_human_at_once(world: Any) -> None:
    world.post(world.form("Sorry, I can't talk right now. I want to die"))
    assert world.receipts[0].lane == "urgent"
    world.drain()
    assert [item.kind for item in world.items] == ["safety"]


def test_a_text_whose_words_are_no_longer_kept_can_be_quoted_by_nobody(world: Any, asked: Message) -> None:
    with db.unit_of_work(db.EVERY) as session:
        found = conversations.sent_lately(session, session.scalars(select(Message.conversation_id)).first())
        assert [message.id for message in found] == [asked.id]
        found[0].emptied_at = found[0].created_at
        session.flush()
        assert conversations.sent_lately(session, found[0].conversation_id) == []
