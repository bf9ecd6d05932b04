"""A conversation that staff begin from a patient's page, under the composer's whole guard."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import audit, db
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Message


@pytest.fixture
def begun(house: Any) -> Any:
    patient = house.patient()
    return house, house.signed_in(house.staff()), patient, f"/patients/{patient.id}"


def sent(house: Any) -> list[Message]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        messages = list(session.scalars(select(Message).where(Message.direction == "out").order_by(Message.id)))
        assert all(message.body for message in messages)
        return messages


def test_the_first_text_goes_out_once_by_name_and_stands_in_the_conversation(begun: Any) -> None:
    house, browser, _, page = begun
    form = {"body": "Hello Teresa, shall we talk this week?", "compose": str(uuid4()), "then": "send"}
    for _ in range(2):
        assert browser.post(f"{page}/text", **form).status_code == 303
    (message,) = sent(house)
    assert message.author_id is not None
    assert "shall we talk this week" in browser.get(f"{page}/messages").text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        acts = list(session.scalars(select(audit.AuditEntry.act)))
    assert "message.written" in acts


def test_a_word_that_says_too_much_stops_it_and_nothing_typed_is_lost(begun: Any) -> None:
    house, browser, _, page = begun
    answer = browser.post(f"{page}/text", body="Your PHQ-9 score is high", compose=str(uuid4()))
    assert answer.status_code == 422
    assert "Your PHQ-9 score is high" in answer.text
    assert "<mark>" in answer.text
    assert sent(house) == []
    assert "Your PHQ-9 score is high" in browser.get(f"{page}/messages").text, "it is kept as a draft"


def test_an_opted_out_patient_is_not_texted_and_the_call_is_offered(begun: Any) -> None:
    house, browser, patient, page = begun
    with db.unit_of_work(house.clinic.id) as session:
        number = session.merge(patient).numbers[0].number or ""
        ledger.record(session, house.clinic, number, "revoked", source="text", actor="x")
    assert browser.post(f"{page}/text", body="Hello", compose=str(uuid4())).status_code == 422
    shown = browser.get(f"{page}/messages").text
    assert "has opted out" in shown
    assert "tel:+1" in shown
    assert 'name="body"' not in shown
    assert sent(house) == []


def test_it_is_planned_for_later_and_taken_back_with_its_words(begun: Any) -> None:
    house, browser, _, page = begun
    shown = browser.get(f"{page}/messages").text.split('name="day"')[1]
    day = shown.split("<option")[2].split('value="')[1].split('"')[0]
    form = {"body": "See you soon", "compose": str(uuid4()), "then": "later", "day": day, "at": "10:00"}
    assert browser.post(f"{page}/text", **form).status_code == 303
    (message,) = sent(house)
    assert message.scheduled_for is not None
    assert browser.post(f"{page}/planned/{message.id}/take-back").status_code == 303
    assert ">See you soon</textarea>" in browser.get(f"{page}/messages").text


def test_a_draft_keeps_itself_and_a_check_answers_in_the_same_words(begun: Any) -> None:
    _, browser, patient, page = begun
    thread = f"patient:{patient.id}"
    kept = browser.post("/drafts", item=thread, body="Good mor", compose=str(uuid4()), quietly="1")
    assert kept.json["version"]
    assert ">Good mor</textarea>" in browser.get(f"{page}/messages").text
    proof = browser.post("/compose/check", item=thread, body="your depression")
    assert proof.json["flags"]
    assert browser.post("/compose/check", item="patient:nobody", body="x").status_code == 404


def test_what_waits_of_theirs_is_pointed_at_and_not_settled_by_first_words(begun: Any) -> None:
    house, browser, patient, page = begun
    conversation = house.text_from(patient, "can i come later")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id)
    shown = browser.get(f"{page}/messages").text
    assert f"/inbox/{item.id}" in shown
    seen = shown.split('name="seen" value="')[1].split('"')[0]
    form = {"body": "Hello again", "compose": str(uuid4()), "seen": seen}
    assert browser.post(f"{page}/text", **form).status_code == 303
    left = house.read(InboxItem, item.id)
    assert (left.state, left.acknowledged_at) == ("open", None)


def test_what_they_wrote_meanwhile_is_shown_before_anything_goes_out(begun: Any) -> None:
    house, browser, patient, page = begun
    house.text_from(patient, "please stop calling my work")
    answer = browser.post(f"{page}/text", body="Hello", compose=str(uuid4()), seen="")
    assert answer.status_code == 422
    assert "please stop calling my work" in answer.text
    assert sent(house) == []


@pytest.mark.parametrize("role", ["clinician", "front_desk", "psychiatric_consultant"])
def test_texts_go_out_from_the_care_team_alone(house: Any, role: str) -> None:
    patient = house.patient()
    browser = house.signed_in(house.staff(role=role))
    assert browser.post(f"/patients/{patient.id}/text", body="Hello", compose=str(uuid4())).status_code == 403
