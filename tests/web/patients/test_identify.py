"""Whose number it is."""

from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging import conversations, number_owner, outbox
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import ConsentEntry, Conversation, Message, Patient
from messaging.people import directory
from web.models import Draft

NUMBER = "+12025550147"


def stranger(house: Any, body: str = "is this the clinic") -> tuple[Conversation, InboxItem]:
    house.count += 1
    with db.unit_of_work(house.clinic.id) as session:
        conversation = conversations.of_number(session, house.clinic, NUMBER)
        message = conversations.file_inbound(
            session, house.clinic, conversation, body=body, provider_sid=f"SX{house.count}", reading=[]
        )
    item = house.item(conversation_id=conversation.id, about=f"message:{message.id}")
    return conversation, item


def draft(house: Any, staff: Any, thread: str, body: str) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        row = Draft(
            clinic_id=house.clinic.id,
            key_id=house.clinic.key_id,
            staff_id=staff.id,
            thread=thread,
            body=body,
            compose_id=db.new_id(),
            updated_at=clock.now(),
        )
        session.add(row)


def outgoing(house: Any, patient: Patient) -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = select(Message.state).where(Message.patient_id == patient.id, Message.direction == "out")
        return list(session.scalars(rows))


def remind(house: Any, patient: Patient) -> Message:
    house.count += 1
    with db.unit_of_work(house.clinic.id) as session:
        return outbox.text_patient(
            session,
            house.clinic,
            session.get_one(Patient, patient.id),
            kind="reminder",
            programme="reminders",
            body="See you on Monday.",
            dedupe=f"r{house.count}",
        )


def said(house: Any, number: str) -> dict[str, str]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return ledger.state(session, house.clinic, number)


def textable(house: Any, patient: Patient) -> str | None:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        number = directory.textable_number(session, session.get_one(Patient, patient.id))
        return number.number if number else None


def test_a_number_is_looked_up_chosen_confirmed_and_only_then_given(house: Any) -> None:
    patient = house.patient(record="A-1", number="+12025550111")
    conversation, item = stranger(house)
    browser = house.signed_in(house.staff())
    assert "Whose number is this?" in browser.get(f"/inbox/{item.id}?view=everyone").text
    page = browser.get(f"/inbox/{item.id}/who").text
    assert "(202) 555-0147" in page
    assert "is this the clinic" in page
    assert "It is theirs" in browser.post(f"/inbox/{item.id}/who", wanted="quintana").text
    assert "It is theirs" in browser.post(f"/inbox/{item.id}/who", wanted="A-1").text
    chosen = browser.post(f"/inbox/{item.id}/who/chosen", patient=str(patient.id)).text
    assert "Give this number to Teresa Quintana?" in chosen
    assert "(202) 555-0111" in chosen
    assert house.read(InboxItem, item.id).patient_id is None
    browser.post(f"/inbox/{item.id}/who/merge", patient=str(patient.id), where="before")
    assert house.read(InboxItem, item.id).patient_id == patient.id
    assert house.read(Conversation, conversation.id).patient_id == patient.id
    assert textable(house, patient) == "+12025550111"
    assert set(said(house, NUMBER).values()) == {"unknown"}
    assert outgoing(house, patient) == []
    case = browser.get(f"/inbox/{item.id}?view=everyone").text
    assert "said whose number it is" in case
    assert "Separate again" in case


def test_reminders_go_to_the_new_number_only_where_that_was_said_and_agreed(house: Any) -> None:
    patient = house.patient()
    _, item = stranger(house)
    browser = house.signed_in(house.staff())
    form = {"patient": str(patient.id), "where": "here", "agreed": "yes", "how": "spoken"}
    browser.post(f"/inbox/{item.id}/who/merge", **form)
    assert textable(house, patient) == NUMBER
    assert said(house, NUMBER) == {"reminders": "granted", "screening": "unknown", "care_team": "unknown"}
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        line = session.scalars(select(ConsentEntry).where(ConsentEntry.source == "spoken")).one()
        assert line.wording


def test_a_number_without_agreement_gets_answers_but_no_reminders(house: Any) -> None:
    patient = house.patient(number=None)
    conversation, item = stranger(house)
    house.signed_in(house.staff()).post(f"/inbox/{item.id}/who/merge", patient=str(patient.id))
    with pytest.raises(outbox.MayNotText, match="no consent"):
        remind(house, patient)
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert outbox.closed(session, session.get_one(Conversation, conversation.id)) is None


def test_a_merge_is_taken_back_whole(house: Any) -> None:
    patient = house.patient(number="+12025550111")
    conversation, item = stranger(house)
    browser = house.signed_in(house.staff())
    browser.post(f"/inbox/{item.id}/who/merge", patient=str(patient.id), where="here", agreed="yes", how="spoken")
    remind(house, patient)
    browser.post(f"/inbox/{item.id}/separate")
    assert house.read(InboxItem, item.id).patient_id is None
    assert house.read(Conversation, conversation.id).patient_id is None
    assert textable(house, patient) == "+12025550111"
    assert outgoing(house, patient) == ["cancelled"]
    assert browser.post(f"/inbox/{item.id}/separate").status_code == 404
    page = browser.get(f"/inbox/{item.id}?view=everyone").text
    assert "Whose number is this?" in page
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        acts = set(session.scalars(select(audit.AuditEntry.act)))
    assert {"number.merged", "number.separated"} <= acts


def test_a_case_that_was_always_the_patients_cannot_be_separated(house: Any) -> None:
    patient = house.patient()
    item = house.item(patient_id=patient.id, conversation_id=house.text_from(patient, "hello").id)
    browser = house.signed_in(house.staff())
    assert "Separate again" not in browser.get(f"/inbox/{item.id}?view=everyone").text
    assert browser.post(f"/inbox/{item.id}/separate").status_code == 404


def test_who_comes_second_is_shown_how_it_stands(house: Any) -> None:
    teresa, ada = house.patient(), house.patient(first_name="Ada")
    _, item = stranger(house)
    rosa, ben = house.signed_in(house.staff()), house.signed_in(house.staff("Ben Carter"))
    rosa.post(f"/inbox/{item.id}/who/merge", patient=str(teresa.id))
    for answer in (
        ben.post(f"/inbox/{item.id}/who/merge", patient=str(ada.id)),
        ben.get(f"/inbox/{item.id}/who"),
    ):
        assert answer.status_code == 303
    assert house.read(InboxItem, item.id).patient_id == teresa.id


def test_drafts_go_along_and_none_is_lost(house: Any) -> None:
    patient, rosa, ben = house.patient(), house.staff(), house.staff("Ben Carter")
    conversation, item = stranger(house)
    draft(house, rosa, f"conversation:{conversation.id}", "begun here")
    draft(house, ben, f"conversation:{conversation.id}", "second")
    draft(house, ben, f"patient:{patient.id}", "first")
    house.signed_in(rosa).post(f"/inbox/{item.id}/who/merge", patient=str(patient.id))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        left = {(kept.staff_id, kept.thread): kept.body for kept in session.scalars(select(Draft))}
    thread = f"patient:{patient.id}"
    assert left == {(rosa.id, thread): "begun here", (ben.id, thread): "first\n\nsecond"}


def test_somebody_new_is_put_on_file_with_a_temporary_record_number(house: Any) -> None:
    conversation, item = stranger(house)
    browser = house.signed_in(house.staff())
    browser.post(
        f"/inbox/{item.id}/who/new",
        first_name="Lucía",
        last_name="Benavides",
        birth_date="1969-11-02",
        language="es",
        record="",
    )
    patient_id = house.read(Conversation, conversation.id).patient_id
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        patient = session.get_one(Patient, patient_id)
        assert (patient.first_name, patient.language, patient.birth_date) == ("Lucía", "es", "1969-11-02")
        assert (patient.record or "").startswith("T-")
    assert set(said(house, NUMBER).values()) == {"unknown"}
    assert f"/patients/{patient_id}" in browser.post("/patients", wanted="lucia").text


def test_what_is_wrong_with_a_new_patient_is_said_and_what_was_typed_stays(house: Any) -> None:
    house.patient(record="A-1")
    _, item = stranger(house)
    browser = house.signed_in(house.staff())
    for form, words in (
        ({"first_name": "Lu", "last_name": "", "language": "en"}, "Last name"),
        ({"first_name": "Lu", "last_name": "B", "language": "en", "record": "A-1"}, "already on file"),
        ({"first_name": "Lu", "last_name": "B", "language": "en", "birth_date": "2999-01-01"}, "Birth date"),
    ):
        page = browser.post(f"/inbox/{item.id}/who/new", **form)
        assert page.status_code == 422
        assert words in page.text
        assert 'value="Lu"' in page.text


def test_it_was_teresa_files_one_text_and_leaves_the_phone_shared(house: Any) -> None:
    teresa, min_ = house.patient(number=NUMBER), house.patient(number=NUMBER, first_name="Min")
    conversation, item = stranger(house)
    _, other = stranger(house, "and this")
    browser = house.signed_in(house.staff())
    case = browser.get(f"/inbox/{item.id}?view=everyone").text
    assert "It was Teresa" in case
    assert "It was Min" in case
    browser.post(f"/inbox/{item.id}/who/one", patient=str(teresa.id))
    assert house.read(InboxItem, item.id).patient_id == teresa.id
    assert house.read(InboxItem, other.id).patient_id is None
    assert house.read(Conversation, conversation.id).patient_id is None
    assert browser.post(f"/inbox/{other.id}/who/one", patient=str(house.patient().id)).status_code == 404
    assert browser.post(f"/inbox/{other.id}/who/merge", patient=str(min_.id)).status_code == 303
    assert house.read(InboxItem, other.id).patient_id is None


def test_none_of_them_silences_reminders_and_texts_nobody(house: Any) -> None:
    teresa, min_ = house.patient(number=NUMBER), house.patient(number=NUMBER, first_name="Min")
    _, item = stranger(house, "wrong number")
    remind(house, teresa)
    house.signed_in(house.staff()).post(f"/inbox/{item.id}/who/none")
    assert outgoing(house, teresa) == ["cancelled"]
    for patient in (teresa, min_):
        assert textable(house, patient) is None
        with pytest.raises(outbox.MayNotText, match="wrong person"):
            remind(house, patient)


@pytest.mark.parametrize("role", ["front_desk", "clinic_admin", "psychiatric_consultant"])
def test_only_who_works_the_inbox_says_whose_a_number_is(house: Any, role: str) -> None:
    _, item = stranger(house)
    browser = house.signed_in(house.staff(role=role))
    for path in ("who", "who/merge", "who/none", "separate"):
        assert browser.post(f"/inbox/{item.id}/{path}").status_code == 403


def test_another_clinics_item_and_patient_do_not_exist(house: Any, another_house: Any) -> None:
    other = another_house()
    foreign = other.patient()
    _, item = stranger(house)
    assert (
        house.signed_in(house.staff()).post(f"/inbox/{item.id}/who/merge", patient=str(foreign.id)).status_code == 422
    )
    assert other.signed_in(other.staff()).get(f"/inbox/{item.id}/who").status_code == 404


def test_a_temporary_record_number_is_nobodys(house: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        records = {number_owner.temporary_record(session, house.clinic) for _ in range(50)}
    assert len(records) == 50
