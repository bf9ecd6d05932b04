"""Answering a patient: once, never after they opted out, and never losing what was typed."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import db
from messaging import consent, conversations, outbox
from messaging.inbox.models import InboxItem
from messaging.models import Message


class Scene:
    """A patient has written, and Rosa has the item."""

    def __init__(self, house: Any) -> None:
        self.house, self.rosa, self.patient = house, house.staff(), house.patient()
        self.conversation = house.text_from(self.patient, "can i bring my daughter")
        about = {"patient_id": self.patient.id, "conversation_id": self.conversation.id}
        self.item = house.item(owner_id=self.rosa.id, **about)
        self.browser = house.signed_in(self.rosa)

    def reply(self, body: str, compose: str | None = None, **more: str) -> Any:
        form = {"body": body, "compose": compose or str(uuid4())} | more
        return self.browser.post(f"/inbox/{self.item.id}/reply", **form)

    def sent(self) -> list[Message]:
        with db.unit_of_work(db.EVERY) as session:
            out = select(Message).where(Message.direction == "out", Message.staff_id.is_(None))
            found = list(session.scalars(out.order_by(Message.id)))
            for one in found:
                assert one.body
            return found

    def opt_out(self) -> None:
        with db.unit_of_work(self.house.clinic.id) as session:
            number = session.merge(self.conversation).number or ""
            consent.record(session, self.house.clinic, number, "revoked", source="text", actor="patient")


@pytest.fixture
def scene(house: Any) -> Scene:
    return Scene(house)


def test_a_reply_goes_out_in_the_authors_name_and_settles_the_item(scene: Scene) -> None:
    assert scene.reply("Yes, of course. See you then.").status_code == 303
    (message,) = scene.sent()
    assert (message.kind, message.programme, message.author_id) == ("reply", "care_team", scene.rosa.id)
    assert scene.house.read(InboxItem, scene.item.id).state == "done"
    page = scene.browser.get(f"/inbox/{scene.item.id}").text
    assert "Yes, of course. See you then." in page
    assert "waiting to go out" in page


def test_pressing_send_twice_sends_once(scene: Scene) -> None:
    compose = str(uuid4())
    assert scene.reply("On my way", compose).status_code == 303
    assert scene.reply("On my way", compose).status_code == 303
    assert len(scene.sent()) == 1
    assert "was not sent twice" in scene.browser.get(f"/inbox/{scene.item.id}").text


def test_the_same_form_changed_afterwards_is_shown_again_and_not_swallowed(scene: Scene) -> None:
    compose = str(uuid4())
    scene.reply("At two", compose)
    again = scene.reply("At three", compose)
    assert again.status_code == 422
    assert "earlier version of this text has already been sent" in again.text
    assert "At three" in again.text
    assert compose not in again.text
    assert len(scene.sent()) == 1


def test_after_stop_the_composer_is_closed_with_the_number_to_call(scene: Scene) -> None:
    scene.opt_out()
    page = scene.browser.get(f"/inbox/{scene.item.id}").text
    assert "has opted out of texts" in page
    assert 'name="body"' not in page
    assert f'href="tel:+1202555{102:04}"' in page
    refused = scene.reply("but I have typed this")
    assert refused.status_code == 422
    assert "but I have typed this" in refused.text
    assert scene.sent() == []


@pytest.mark.parametrize(("body", "why"), [("   ", "nothing in the text"), ("a" * 1600, "longer than ten")])
def test_what_cannot_be_sent_is_kept_in_the_box(scene: Scene, body: str, why: str) -> None:
    refused = scene.reply(body)
    assert refused.status_code == 422
    assert why in refused.text
    assert body.strip() in refused.text
    assert scene.sent() == []


def test_two_people_do_not_answer_without_knowing(scene: Scene) -> None:
    seen = str(scene.browser.get(f"/inbox/{scene.item.id}").text.split('name="seen" value="')[1][:36])
    ben = scene.house.staff("Ben Okafor")
    with db.unit_of_work(scene.house.clinic.id) as session:
        outbox.text_conversation(
            session,
            scene.house.clinic,
            session.merge(scene.conversation),
            kind="reply",
            programme="care_team",
            body="Ben was faster",
            dedupe="compose:other",
            author_id=ben.id,
        )
    refused = scene.reply("Mine", seen=seen)
    assert refused.status_code == 422
    assert "Ben Okafor answered while you were writing" in refused.text
    newest = refused.text.split('name="seen" value="')[1][:36]
    assert scene.reply("Mine", seen=newest).status_code == 303
    assert len(scene.sent()) == 2


def test_typographic_characters_do_not_cost_a_segment(scene: Scene) -> None:
    scene.reply("We’re here — come in")
    assert scene.sent()[0].body == "We're here - come in"


def test_a_reply_does_not_settle_a_safety_item(scene: Scene) -> None:
    about = {"patient_id": scene.patient.id, "conversation_id": scene.conversation.id}
    safety = scene.house.item("safety", owner_id=scene.rosa.id, **about)
    scene.reply("I am calling you now")
    assert scene.house.read(InboxItem, safety.id).state == "open"


def test_a_first_text_can_be_written_to_a_patient_without_a_conversation(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item("screen", owner_id=rosa.id, patient_id=patient.id)
    browser = house.signed_in(rosa)
    assert browser.post(f"/inbox/{item.id}/reply", body="Hello", compose=str(uuid4())).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        conversation = conversations.of_patient(session, house.clinic, patient)
        assert conversation is not None
        assert [one.body for one in conversations.messages(session, conversation.id)] == ["Hello"]


def test_a_forms_address_is_not_shown_to_staff(scene: Scene) -> None:
    scene.house.text_from(scene.patient, "you sent http://localhost:8000/i/abcdefghijklmnopqrstuv again")
    page = scene.browser.get(f"/inbox/{scene.item.id}").text
    assert "abcdefghijklmnopqrstuv" not in page
    assert "/i/…" in page
