"""Whatever the address a signed text comes from or goes to, it is kept and reaches a human."""

from typing import Any

import pytest

from config import db
from messaging.models import Clinic
from messaging.people import directory
from reminders.models import Appointment
from service import health
from tests.webhooks.test_handle_text import _visit
from webhooks import fields

PATIENT = "+13035550101"
SERVICE = "MG" + "a" * 32


def _service(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Clinic, world.clinic.id).messaging_service_sid = SERVICE


@pytest.mark.parametrize("address", [f"rcs:{PATIENT}", f"whatsapp:{PATIENT}", f"sms:{PATIENT}"])
def test_a_number_of_another_channel_is_that_number(world: Any, address: str) -> None:
    _visit(world)
    world.text("Y", From=address, To="rcs:elm_clinic_agent")
    assert world.rows(Appointment)[0].state == "confirmed"
    (conversation,) = world.conversations
    assert conversation.number == PATIENT
    assert len(world.outbound) == 1


@pytest.mark.parametrize(
    "sender",
    ["CEDARLAB", "Anonymous", "22395", "messenger:1234567", "ana@mail.example", "Café 7", "12345678"],
)
def test_a_name_in_from_still_speaks_of_a_crisis_to_a_human_and_gets_no_text(world: Any, sender: str) -> None:
    world.text("I want to die", From=sender)
    (item,) = world.items
    assert item.kind == "safety"
    assert "I want to die" in item.summary
    assert world.outbound == []


def test_what_cannot_be_answered_says_so(world: Any) -> None:
    world.text("I want to die", From="Anonymous")
    assert world.items[0].summary.startswith("It came from a name and no number")


def test_whatsapp_to_the_clinics_number_is_the_clinics(world: Any) -> None:
    world.text("hello, a question", From=f"whatsapp:{PATIENT}", To=f"whatsapp:{world.clinic.number}")
    assert [item.summary for item in world.items] == ["hello, a question"]


def test_an_agent_is_found_by_its_messaging_service(world: Any) -> None:
    _service(world)
    with db.unit_of_work(db.EVERY) as session:
        directory.add_clinic(session, name="Oak Clinic", zone="America/Denver", number="+13035550177")
    world.text("hello, a question", To="rcs:elm_agent", MessagingServiceSid=SERVICE)
    assert [item.clinic_id for item in world.items] == [world.clinic.id]


def test_an_agent_of_nobody_is_kept_and_an_operator_sees_it(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        directory.add_clinic(session, name="Oak Clinic", zone="America/Denver", number="+13035550177")
    assert health.texts_to_nobody() == []
    world.text("I want to die", To="rcs:some_agent")
    assert [receipt.state for receipt in world.receipts] == ["ignored"]
    (complaint,) = health.texts_to_nobody()
    assert complaint.startswith("1 texts")
    assert "die" not in complaint


@pytest.mark.parametrize(
    "more", [{"ButtonType": "suggestion"}, {"ContentLabel": "x", "DeviceModel": "A1"}, {"EmojiHint": ""}]
)
def test_a_parameter_nobody_knows_does_not_change_what_was_said(world: Any, more: dict[str, str]) -> None:
    _visit(world)
    world.text("Y", **more)
    assert world.inbound[0].body == "Y"
    assert world.rows(Appointment)[0].state == "confirmed"
    assert world.items == []


def test_words_that_came_as_a_parameter_are_shown_and_alarm_all_the_same(world: Any) -> None:
    _visit(world)
    world.text("Y", CannotGoOn=" I want to die")
    assert world.inbound[0].body == "Y\n[CannotGoOn I want to die]"
    assert [item.kind for item in world.items] == ["safety"]
    assert world.receipts[0].lane == "urgent"


def test_names_that_are_no_parameters_are_words_as_before() -> None:
    form = {
        "AccountSid": "AC",
        "Body": "Hi ",
        "Dear I want to die": "",
        "From": PATIENT,
        "MessageSid": "SM" + "0" * 32,
    }
    read = fields.sms(form | {"To": "+13035550100"}, "AC")
    assert (read["Body"], read[fields.ALONE]) == ("Hi Dear I want to die", "Hi ")
