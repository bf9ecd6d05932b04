"""Notes and calls at the door: who may write them, where they stand, and what a call leads to."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Message, PatientNumber


def kept(house: Any) -> list[Contact]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(Contact).order_by(Contact.id)))


def test_a_note_stands_in_the_conversation_apart_and_is_never_sent(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    conversation = house.text_from(patient, "hello")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    answer = browser.post(f"/inbox/{item.id}/note", words="Call after three")
    assert (answer.status_code, answer.location) == (303, f"/inbox/{item.id}?view=mine")
    page = browser.get(f"/inbox/{item.id}").text
    assert re.search(r'<li class="noted note".*?Note, never sent.*?Call after three', page, re.DOTALL)
    assert "Rosa Delgado wrote a note" in page
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalars(select(Message).where(Message.direction == "out")).all() == []
    assert house.read(InboxItem, item.id).state == "open"
    assert "Call after three" in browser.get(f"/patients/{patient.id}").text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"act": "note", "words": "  "}, "A note needs words"),
        ({"act": "call"}, "Choose how the call ended"),
        ({"act": "call", "outcome": "reached", "minutes": "a few"}, "whole number"),
        ({"act": "call", "outcome": "reached", "minutes": "0"}, "whole number"),
        ({"act": "call", "outcome": "no_answer", "next_try": "2020-01-01T10:00"}, "later than now"),
        ({"act": "call", "outcome": "no_answer", "next_try": "soon"}, "later than now"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_says_why(house: Any, form: dict[str, str], said: str) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item(patient_id=patient.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    fields = {key: value for key, value in form.items() if key != "act"}
    for path in (f"/inbox/{item.id}", f"/patients/{patient.id}"):
        refused = browser.post(f"{path}/{form['act']}", **fields)
        assert refused.status_code == 422
        assert said in refused.text
    assert kept(house) == []


def test_a_call_that_reached_the_patient_offers_to_settle_the_reply(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    conversation = house.text_from(patient, "hello")
    item = house.item(patient_id=patient.id, conversation_id=conversation.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    assert "That answers it: settle" not in browser.get(f"/inbox/{item.id}").text
    browser.post(f"/inbox/{item.id}/call", outcome="reached", minutes="6", words="all well")
    page = browser.get(f"/inbox/{item.id}").text
    assert "That answers it: settle" in page
    assert house.read(InboxItem, item.id).state == "open"
    browser.post(f"/inbox/{item.id}/resolve", disposition="reached_by_phone")
    after = house.read(InboxItem, item.id)
    assert (after.state, after.disposition) == ("done", "reached_by_phone")


@pytest.mark.parametrize(("outcome", "prefilled"), [("reached", "reached_by_phone"), ("voicemail", "could_not_reach")])
def test_a_call_about_a_safety_item_leads_to_acknowledging_and_never_settles(
    house: Any, outcome: str, prefilled: str
) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item("safety", patient_id=patient.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    browser.post(f"/inbox/{item.id}/call", outcome=outcome)
    page = browser.get(f"/inbox/{item.id}").text
    assert "That answers it" not in page
    onward = re.search(r'href="([^"]+)#outcome"', page)
    assert onward is not None
    filled = browser.get(onward[1].replace("&amp;", "&")).text
    assert re.search(f'value="{prefilled}"[^>]* checked>', filled)
    after = house.read(InboxItem, item.id)
    assert (after.state, after.acknowledged_at) == ("open", None)


def test_a_number_out_of_service_can_be_marked_and_is_not_texted_again(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item(patient_id=patient.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    browser.post(f"/inbox/{item.id}/call", outcome="out_of_service")
    assert "as out of service" in browser.get(f"/inbox/{item.id}").text
    (call,) = kept(house)
    with db.unit_of_work(house.clinic.id) as session:
        number = session.scalars(select(PatientNumber)).one()
    browser.post(f"/contacts/{call.id}/line", number=str(number.id))
    assert house.read(PatientNumber, number.id).line == "dead"
    assert "as out of service" not in browser.get(f"/inbox/{item.id}").text


def test_one_wrong_number_does_not_take_a_shared_phone_from_the_others(house: Any) -> None:
    rosa, patient = house.staff(), house.patient(number="+12025550177")
    house.patient(number="+12025550177", first_name="Min")
    item = house.item(patient_id=patient.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    browser.post(f"/inbox/{item.id}/call", outcome="wrong_number")
    (call,) = kept(house)
    with db.unit_of_work(house.clinic.id) as session:
        number = session.scalars(select(PatientNumber).where(PatientNumber.patient_id == patient.id)).one()
    refused = browser.post(f"/contacts/{call.id}/line", number=str(number.id))
    assert refused.status_code == 422
    assert "Several patients gave this number" in refused.text
    assert house.read(PatientNumber, number.id).line == "unknown"


def test_a_struck_line_stays_readable_as_struck(house: Any) -> None:
    rosa, ben, patient = house.staff(), house.staff("Ben Carter"), house.patient()
    browser = house.signed_in(rosa)
    browser.post(f"/patients/{patient.id}/note", words="wrong chart")
    (note,) = kept(house)
    assert house.signed_in(ben).post(f"/contacts/{note.id}/strike").status_code == 422
    answer = browser.post(f"/contacts/{note.id}/strike")
    assert (answer.status_code, answer.location) == (303, f"/patients/{patient.id}/messages")
    assert "<s>wrong chart</s>" in browser.get(f"/patients/{patient.id}/messages").text


def test_the_next_try_is_read_by_the_clinics_clock(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    at = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT16:00")
    house.signed_in(rosa).post(f"/patients/{patient.id}/call", outcome="no_answer", next_try=at)
    (call,) = kept(house)
    assert call.next_try_at is not None
    assert call.next_try_at.hour in (22, 23)  # 16:00 in Denver


def test_who_may_not_read_words_neither_writes_nor_sees_notes(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    house.signed_in(rosa).post(f"/patients/{patient.id}/note", words="between us")
    desk = house.signed_in(house.staff(role="front_desk"))
    page = desk.get(f"/patients/{patient.id}").text
    assert desk.get(f"/patients/{patient.id}/messages").status_code == 403
    assert "between us" not in page
    assert "Notes and calls" not in page
    assert desk.post(f"/patients/{patient.id}/note", words="x").status_code == 403
    item = house.item(patient_id=patient.id)
    page = house.signed_in(house.staff(role="clinic_admin")).get(f"/inbox/{item.id}?view=everyone").text
    assert "between us" not in page


def test_an_administrator_reads_what_is_told_to_them_and_no_word_of_a_patient(house: Any) -> None:
    admin = house.signed_in(house.staff(role="clinic_admin"))
    told = house.item(
        patient_id=None, kind="delivery", about=f"webhook_endpoint:{uuid4()}", summary="Nothing gets through"
    )
    said = house.item(patient_id=house.patient().id, summary="I am in pain")
    pages = [admin.get(f"/inbox/{item.id}?view=everyone").text for item in (told, said)]
    pages.append(admin.get("/inbox?view=everyone").text)
    assert (
        "Nothing gets through</h2>" in pages[0] or "Nothing gets through" in pages[0].partition('data-part="said"')[2]
    )
    assert "Nothing gets through" in pages[2]
    assert not any("in pain" in page for page in pages)
    assert ["open to the care team only" in page for page in pages] == [False, True, False]


def test_another_clinics_line_does_not_exist(house: Any, another_house: Callable[[], Any]) -> None:
    other = another_house()
    patient = other.patient()
    other.signed_in(other.staff()).post(f"/patients/{patient.id}/note", words="theirs")
    (note,) = kept(other)
    browser = house.signed_in(house.staff())
    for path in (f"/contacts/{note.id}/strike", f"/contacts/{note.id}/line", f"/patients/{patient.id}/note"):
        assert browser.post(path, words="x").status_code == 404


def test_writing_something_down_leads_back_to_the_filter_it_was_done_in(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item(patient_id=patient.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    page = browser.get(f"/inbox/{item.id}?view=mine&kind=reply").text
    form = page[page.index(f'action="/inbox/{item.id}/note"') :]
    back = re.search(r'name="back" value="([^"]+)"', form)
    assert back is not None
    fields = {"words": "walks in the park", "view": "mine", "back": back[1].replace("&amp;", "&")}
    noted = browser.post(f"/inbox/{item.id}/note", **fields)
    assert "kind=reply" in noted.location
