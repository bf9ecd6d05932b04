"""The composer: who reads it, what it costs, what it offers, and texts that go out later."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Message
from messaging.wording import saved_replies
from reminders import appointments
from web.compose import send_reply, send_times

WORDS = "Good morning, could you call us today?"


def page(scene: Any) -> str:
    return str(scene.browser.get(f"/inbox/{scene.item.id}").text)


def replies(scene: Any) -> str:
    """What the page asks for as its saved replies are opened."""
    return str(scene.browser.get(f"/inbox/{scene.item.id}/replies").text)


def the_next_morning(scene: Any) -> dict[str, str]:
    with db.unit_of_work(scene.house.clinic.id) as session:
        by = send_reply.the_clock(session, scene.house.clinic, scene.patient)
    day, at = send_times.usual(by)
    return {"then": "later", "day": day, "at": at}


def plan(scene: Any, body: str = WORDS, **more: str) -> Any:
    return scene.reply(body, **(the_next_morning(scene) | more))


def test_it_says_who_will_read_it_and_in_which_language(scene: Any) -> None:
    assert re.search(r"Reply to Teresa&#39;s phone .*0102 <span class=\"quiet\">in English", page(scene))


def test_whoever_writes_in_another_language_than_the_records_is_answered_in_it(scene: Any) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(InboxItem, scene.item.id).reason = ["topic:medication", "said_in:es"]
        texts = {"en": "Please call us.", "es": "Por favor llámenos."}
        saved_replies.save(session, scene.house.clinic, session.merge(scene.rosa), name="Call", texts=texts)
    shown = page(scene)
    assert 'class="quiet">in Spanish, as they wrote; their record says English</span>' in shown
    assert replies(scene).index("Por favor llámenos.") < replies(scene).index("Please call us.")


def test_checking_says_what_stops_a_text_and_what_it_costs_and_keeps_nothing(scene: Any) -> None:
    answer = scene.browser.post("/compose/check", item=str(scene.item.id), body="Su depresión: mañana será mejor")
    assert answer.json["flags"][0]["word"] == "depresión"
    assert answer.json["flags"][0]["why"] == "names a diagnosis or a symptom"
    assert ["depresión", True] in answer.json["pieces"]
    assert "á makes it 70 characters each" in answer.json["cost"]
    assert scene.draft() is None
    assert scene.sent() == []


def test_letters_that_cost_a_segment_can_be_had_plainer(scene: Any) -> None:
    long = "Mañana será un buen día para usted y su familia, le esperamos en la clínica a las dos."
    form = {"compose": str(uuid4()), "body": long, "insert": "plain", "version": ""}
    shown = scene.browser.post(f"/inbox/{scene.item.id}/insert", **form).text
    assert "Mañana sera un buen dia para usted" in shown
    assert scene.sent() == []


def test_a_saved_reply_is_filled_for_this_patient_and_put_after_what_was_typed(scene: Any) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        texts = {"en": "Hi {first_name}, see you {day}.", "es": "Hola, {first_name}. Nos vemos {day}."}
        reply = saved_replies.save(session, scene.house.clinic, session.merge(scene.rosa), name="See you", texts=texts)
        now = clock.now()
        visit = appointments.VisitRecord("V1", scene.patient.record, now + timedelta(days=1), "America/Denver", now)
        appointments.save(session, scene.house.clinic, session.merge(scene.patient), visit)
    assert "Hi Teresa, see you tomorrow." in replies(scene)
    assert "see you tomorrow" not in page(scene)
    form = {"compose": str(uuid4()), "body": "Thank you.", "insert": f"{reply.id}:es", "version": ""}
    shown = scene.browser.post(f"/inbox/{scene.item.id}/insert", **form)
    assert shown.status_code == 200
    assert ">Thank you. Hola, Teresa. Nos vemos mañana.</textarea>" in shown.text
    assert scene.draft() == "Thank you. Hola, Teresa. Nos vemos mañana."


def test_without_a_script_a_button_shows_the_saved_replies_and_keeps_what_was_typed(scene: Any) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        texts = {"en": "Hi {first_name}, please call us."}
        saved_replies.save(session, scene.house.clinic, session.merge(scene.rosa), name="Call", texts=texts)
    listed = scene.browser.post(
        f"/inbox/{scene.item.id}/insert", compose=str(uuid4()), body="Thank you.", insert="list"
    )
    assert "Hi Teresa, please call us." in listed.text
    assert ">Thank you.</textarea>" in listed.text


def test_a_place_without_a_value_is_marked_and_stops_the_text(scene: Any) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        texts = {"en": "See you {day} at {time}."}
        saved_replies.save(session, scene.house.clinic, session.merge(scene.rosa), name="See you", texts=texts)
    assert "nothing to fill in for day, time" in replies(scene)
    refused = scene.reply("See you {day} at {time}.")
    assert "<mark>{day}</mark>" in refused.text
    assert refused.status_code == 422


@pytest.mark.parametrize(("privacy", "said"), [("generic", False), ("place", True)])
def test_a_saved_reply_says_no_more_of_a_visit_than_the_patient_wants(house: Any, privacy: str, said: bool) -> None:
    rosa, patient = house.staff(), house.patient(privacy=privacy)
    with db.unit_of_work(house.clinic.id) as session:
        saved_replies.save(
            session, house.clinic, session.merge(rosa), name="When", texts={"en": "It is {day}, {place}."}
        )
        now = clock.now()
        visit = appointments.VisitRecord("V1", "R2", now + timedelta(days=1), "America/Denver", now, place="Room 4")
        appointments.save(session, house.clinic, session.merge(patient), visit)
    item = house.item(owner_id=rosa.id, patient_id=patient.id)
    text = house.signed_in(rosa).get(f"/inbox/{item.id}/replies").text
    assert ("It is tomorrow, {place}." in text) is said
    assert "Room 4" not in text.split("Saved replies")[-1].split('data-part="beside"')[0]


def test_a_planned_text_leaves_at_its_hour_and_the_item_waits_meanwhile(scene: Any) -> None:
    assert plan(scene).status_code == 303
    (message,) = scene.sent()
    assert message.scheduled_for is not None
    assert message.try_after == message.scheduled_for > clock.now()
    assert message.expires_at is not None
    item = scene.house.read(InboxItem, scene.item.id)
    assert (item.state, item.disposition) == ("claimed", "replied")
    shown = page(scene)
    assert "goes out tomorrow 8:00 AM" in shown
    assert shown.count(WORDS) == 2  # once to see, once for a screen reader on its button


def test_an_hour_in_the_night_is_refused_with_the_next_that_may_be(scene: Any) -> None:
    refused = plan(scene, at="03:30")
    assert refused.status_code == 422
    assert "The next one is tomorrow 8:00 AM" in refused.text
    assert WORDS in refused.text
    assert scene.sent() == []


@pytest.mark.parametrize("wrong", [{"day": ""}, {"at": "soon"}, {"day": "2020-01-01"}])
def test_no_hour_or_a_past_one_sends_nothing(scene: Any, wrong: dict[str, str]) -> None:
    assert plan(scene, **wrong).status_code == 422
    assert scene.sent() == []


def take_back(scene: Any) -> Any:
    (message,) = scene.sent()
    return scene.browser.post(f"/inbox/{scene.item.id}/planned/{message.id}/take-back")


def test_taking_a_planned_text_back_gives_its_words_back_and_opens_the_reply_again(scene: Any) -> None:
    plan(scene)
    before = scene.house.read(InboxItem, scene.item.id).answer_by
    assert take_back(scene).status_code == 303
    assert scene.sent()[0].state == "cancelled"
    item = scene.house.read(InboxItem, scene.item.id)
    assert (item.acknowledged_at, item.disposition, item.answer_by) == (None, None, before)
    assert f">{WORDS}</textarea>" in page(scene)
    assert "can we talk" in scene.browser.get("/inbox?view=mine").text


def test_what_was_taken_back_stands_after_what_was_being_written(scene: Any) -> None:
    plan(scene)
    scene.browser.post("/drafts", item=str(scene.item.id), body="something else", compose=str(uuid4()), version="")
    take_back(scene)
    assert scene.draft() == f"something else\n{WORDS}"


def test_what_has_left_cannot_be_taken_back(scene: Any) -> None:
    plan(scene)
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Message, scene.sent()[0].id).state = "sending"
    take_back(scene)
    assert scene.sent()[0].state == "sending"
    assert "had left already" in page(scene)
    assert scene.draft() is None


def test_only_planned_texts_of_this_conversation_are_taken_back(scene: Any) -> None:
    scene.reply("right now")
    take_back(scene)
    assert scene.sent()[0].state == "queued"
    plan(scene, "for tomorrow")
    other = scene.house.patient(first_name="Joy")
    about = {"patient_id": other.id, "conversation_id": scene.house.text_from(other, "hi").id}
    elsewhere = scene.house.item(owner_id=scene.rosa.id, **about)
    scene.browser.post(f"/inbox/{elsewhere.id}/planned/{scene.sent()[1].id}/take-back")
    assert scene.sent()[1].state == "queued"


def test_a_patient_who_writes_again_is_said_beside_the_planned_text(scene: Any) -> None:
    plan(scene)
    assert "They have written since" not in page(scene)
    scene.house.text_from(scene.patient, "I am already here")
    assert "They have written since, so this will be held back" in page(scene)


def test_who_may_not_text_takes_nothing_back(scene: Any) -> None:
    plan(scene)
    scene.browser = scene.house.signed_in(scene.house.staff("Ben Okafor", role="clinician"))
    assert take_back(scene).status_code == 403
    assert "Take back to change" not in page(scene)
