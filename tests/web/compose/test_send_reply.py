"""Answering a patient: once, never after they opted out, and never losing what was typed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from config import clock, db
from messaging import conversations
from messaging.inbox.models import InboxItem
from web.compose import send_reply


def test_a_reply_goes_out_in_the_authors_name_and_settles_the_item(scene: Any) -> None:
    assert scene.reply("Yes, of course. See you then.").status_code == 303
    (message,) = scene.sent()
    assert (message.kind, message.programme, message.author_id) == ("reply", "care_team", scene.rosa.id)
    assert scene.house.read(InboxItem, scene.item.id).state == "done"
    page = scene.browser.get(f"/inbox/{scene.item.id}").text
    assert "Yes, of course. See you then." in page
    assert "waiting to go out" in page


def test_pressing_send_twice_sends_once(scene: Any) -> None:
    compose = str(uuid4())
    assert scene.reply("On my way", compose).status_code == 303
    assert scene.reply("On my way", compose).status_code == 303
    assert len(scene.sent()) == 1
    assert "was not sent twice" in scene.browser.get(f"/inbox/{scene.item.id}").text


def test_the_same_form_changed_afterwards_is_shown_again_and_not_swallowed(scene: Any) -> None:
    compose = str(uuid4())
    scene.reply("At two", compose)
    again = scene.reply("At three", compose)
    assert again.status_code == 422
    assert "earlier version of this text has already been sent" in again.text
    assert "At three" in again.text
    assert compose not in again.text
    assert len(scene.sent()) == 1


def test_after_stop_the_composer_is_closed_with_the_number_to_call(scene: Any) -> None:
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
def test_what_cannot_be_sent_is_kept_in_the_box(scene: Any, body: str, why: str) -> None:
    refused = scene.reply(body)
    assert refused.status_code == 422
    assert why in refused.text
    assert body.strip() in refused.text
    assert scene.sent() == []


def test_two_people_do_not_answer_without_knowing(scene: Any) -> None:
    seen = scene.seen()
    scene.colleague_writes("Ben was faster")
    refused = scene.reply("Mine", seen=seen)
    assert refused.status_code == 422
    assert "Ben Okafor answered while you were writing" in refused.text
    assert '<blockquote class="msg out"><p>Ben was faster</p>' in refused.text
    assert "Send mine as well" in refused.text
    assert scene.draft() == "Mine"
    assert scene.reply("Mine", seen=scene.seen(refused)).status_code == 303
    assert len(scene.sent()) == 2
    assert scene.draft() is None


def test_what_the_patient_wrote_meanwhile_is_shown_once_before_anything_leaves(scene: Any) -> None:
    seen = scene.seen()
    scene.house.text_from(scene.patient, "sorry, I meant Friday")
    refused = scene.reply("Thursday it is", seen=seen)
    assert refused.status_code == 422
    assert "They wrote again while you were writing" in refused.text
    assert '<blockquote class="msg in"><p>sorry, I meant Friday</p>' in refused.text
    assert scene.sent() == []
    assert scene.reply("Friday it is", seen=scene.seen(refused)).status_code == 303


def test_a_text_filed_late_is_still_one_the_author_has_not_seen(scene: Any) -> None:
    scene.colleague_writes("Ben was faster")
    seen = scene.seen()
    with db.unit_of_work(scene.house.clinic.id) as session:
        late = clock.now() - timedelta(minutes=5)
        here = session.merge(scene.conversation)
        facts = {"body": "it was stuck", "provider_sid": "SMlate", "reading": []}
        conversations.file_inbound(session, scene.house.clinic, here, at=late, **facts)
    refused = scene.reply("Mine", seen=seen)
    assert "it was stuck" in refused.text
    assert refused.status_code == 422
    assert scene.reply("Mine", seen=scene.seen(refused)).status_code == 303


def test_pressing_send_again_after_a_colleague_wrote_is_not_taken_for_a_second_text(scene: Any) -> None:
    seen, compose = scene.seen(), str(uuid4())
    scene.reply("On my way", compose, seen=seen)
    scene.colleague_writes("Ben too")
    assert scene.reply("On my way", compose, seen=seen).status_code == 303
    assert len(scene.sent()) == 2


@pytest.mark.parametrize("then", ["wait", "send"])
def test_a_text_that_settles_nothing_leaves_the_item_waiting_for_the_patient(scene: Any, then: str) -> None:
    scene.reply("Which day?", then=then)
    item = scene.house.read(InboxItem, scene.item.id)
    assert (item.state, item.disposition) == ("claimed", "replied")
    assert "can we talk" in scene.browser.get("/inbox?view=waiting").text


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("About your depression", "depression"),
        ("Your PHQ-9 is due", "PHQ"),
        ("Our therapist will call", "therapist"),
        ("Take your sertraline", "sertraline"),
        ("Su terapia empieza hoy", "terapia"),
        ("See you {day}", "{day}"),
    ],
)
def test_words_that_would_tell_too_much_are_stopped_at_the_word(scene: Any, body: str, word: str) -> None:
    refused = scene.reply(body)
    assert refused.status_code == 422
    assert f"<mark>{word}</mark>" in refused.text
    assert "This cannot leave by text yet" in refused.text
    assert body in refused.text
    assert scene.sent() == []
    assert scene.draft() == body


def test_where_to_get_help_may_be_said(scene: Any) -> None:
    assert scene.reply("You can call or text 988 at any time, or call 911.").status_code == 303


def test_nobody_is_named_on_a_phone_that_several_share(scene: Any) -> None:
    number = scene.number()
    scene.house.patient(first_name="Will", last_name="Núñez", number=number)
    for body in ("Hola Teresa", "hola TERESA's mama", "for nunez", "Will?"):
        refused = scene.reply(body)
        assert refused.status_code == 422, body
        assert "several people read this phone" in refused.text
    assert scene.reply("We will call you today").status_code == 303


def test_line_ends_cost_what_they_cost_on_the_phone(scene: Any) -> None:
    scene.reply("One\r\ntwo\r\n")
    assert scene.sent()[0].body == "One\ntwo"


def test_two_browsers_at_the_same_moment_send_one_text_and_hold_the_other(scene_on_postgresql: Any) -> None:
    scene = scene_on_postgresql
    seen, ben = scene.seen(), scene.house.staff("Ben Okafor")
    start = Barrier(2)

    def write(who: Any, body: str) -> str:
        start.wait()
        with db.unit_of_work(scene.house.clinic.id) as session:
            item = session.get_one(InboxItem, scene.item.id)
            form = {"body": body, "compose": str(uuid4()), "seen": seen}
            notice, refused = send_reply.send(session, scene.house.clinic, who, item, form)
            return notice or (refused.problem or "" if refused else "")

    with ThreadPoolExecutor(2) as pool:
        outcomes = [sending.result() for sending in [pool.submit(write, scene.rosa, "a"), pool.submit(write, ben, "b")]]
    assert sorted(outcome == "sent" for outcome in outcomes) == [False, True]
    assert any("answered while you were writing" in outcome for outcome in outcomes)
    assert len(scene.sent()) == 1


def test_typographic_characters_do_not_cost_a_segment(scene: Any) -> None:
    scene.reply("We’re here — come in")
    assert scene.sent()[0].body == "We're here - come in"


def test_a_reply_does_not_settle_a_safety_item(scene: Any) -> None:
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
        assert [message.body for message in conversations.messages(session, conversation.id)] == ["Hello"]


def test_a_forms_address_is_not_shown_to_staff(scene: Any) -> None:
    scene.house.text_from(scene.patient, "you sent http://localhost:8000/i/abcdefghijklmnopqrstuv again")
    page = scene.browser.get(f"/inbox/{scene.item.id}").text
    assert "abcdefghijklmnopqrstuv" not in page
    assert "/i/…" in page
