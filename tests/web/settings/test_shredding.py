"""The page of destroyed records: asked by one administrator, agreed by another, refused while something waits."""

from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging import conversations
from messaging.inbox import notes_and_calls
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from reminders.shredding import shred_list
from tests.web.presenters.test_screen_view import START, hand_in

PAGE = "/settings/destroyed"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Any:
    """A clinic on either database."""
    return request.getfixturevalue("house_on_postgresql" if request.param == "postgresql" else "house")


def administrator(house: Any, name: str) -> Any:
    return house.signed_in(house.staff(name, role="clinic_admin"))


def ask(browser: Any, typed: str, **form: str) -> Any:
    return browser.post(PAGE, **({"record": typed, "again": typed, "act": "shred"} | form))


def answer(house: Any, browser: Any, act: str) -> Any:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        request = session.scalar(select(shred_list.Shredding.id).where(shred_list.Shredding.done_at.is_(None)))
    return browser.post(f"{PAGE}/{request}/{act}")


def is_destroyed(house: Any, patient: Patient) -> bool:
    return house.read(Patient, patient.id).shredded_at is not None


def history(house: Any) -> Patient:
    """A patient of whom much was said, with nothing that waits any more."""
    patient = house.patient(record="MRN-77", number="+12025550177")
    talk = house.text_from(patient, "I drink every night")
    hand_in(house, patient, 3, START)
    house.item("reply", patient_id=patient.id, conversation_id=talk.id)
    colleague = house.staff("Rosa")
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        notes_and_calls.write_note(session, clinic, colleague, patient_id=patient.id, words="prefers mornings")
        for item in session.scalars(select(InboxItem)):
            item.state, item.done_at, item.done_by = "done", clock.now(), colleague.id
            item.acknowledged_at, item.disposition = clock.now(), "no_reply_needed"
    return patient


def test_one_administrator_asks_and_another_agrees(place: Any) -> None:
    ada, ben = administrator(place, "Ada"), administrator(place, "Ben")
    patient = history(place)
    assert ask(ada, "MRN-77").status_code == 303
    assert not is_destroyed(place, patient)
    page = ada.get(PAGE).text
    assert "T. Q." in page
    assert "MRN-77" in page
    assert "Agree and destroy" not in page, "whoever asked cannot agree"
    assert answer(place, ada, "agree").status_code == 303
    assert not is_destroyed(place, patient)
    assert "Agree and destroy" in ben.get(PAGE).text
    assert answer(place, ben, "agree").status_code == 303
    assert is_destroyed(place, patient)
    page = ben.get(PAGE).text
    assert "asked by Ada, agreed by Ben" in page
    assert "Quintana" not in page
    assert shred_list.parse(shred_list.own()) == shred_list.known()
    with db.unit_of_work(place.clinic.id, read_only=True) as session:
        acts = set(session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.act.like("patient.shred%"))))
    assert acts == {"patient.shred_asked", "patient.shredded"}


def test_where_there_is_one_administrator_it_happens_at_once(place: Any) -> None:
    ada, patient = administrator(place, "Ada"), history(place)
    assert ask(ada, "MRN-77").status_code == 303
    assert is_destroyed(place, patient)


def test_every_page_that_meets_a_destroyed_record_opens_and_says_so(place: Any) -> None:
    patient = history(place)
    ask(administrator(place, "Ada"), "MRN-77")
    rosa = place.signed_in(place.staff("Kim"))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        items = list(session.scalars(select(InboxItem.id)))
        texts = session.scalars(select(Message)).all()
    assert all(text.emptied_at for text in texts if text.patient_id == patient.id)
    own = [f"/patients/{patient.id}{part}" for part in ("", "/messages", "/scores", "/summary", "/safety-plan")]
    lists = [
        "/inbox",
        "/inbox?view=done",
        "/today",
        "/visits",
        "/reach",
        "/readings",
        "/caseload",
        "/handoffs",
        "/team",
    ]
    for path in (*own, *(f"/inbox/{item}" for item in items), *lists):
        page = rosa.get(path)
        assert page.status_code in (200, 302, 303, 404), path
        for word in ("Teresa", "Quintana", "I drink", "prefers mornings", "MRN-77"):
            assert word not in page.text, (path, word)
    assert "Destroyed record" in rosa.get(f"/patients/{patient.id}").text
    assert all("No longer kept" in rosa.get(f"/inbox/{item}", follow_redirects=True).text for item in items)


def test_a_text_from_the_number_afterwards_is_a_stranger_s(place: Any) -> None:
    patient = history(place)
    ask(administrator(place, "Ada"), "MRN-77")
    with db.unit_of_work(place.clinic.id) as session:
        clinic = session.get_one(Clinic, place.clinic.id)
        talk = conversations.of_number(session, clinic, "+12025550177")
        assert talk.patient_id is None
        assert talk.number == "+12025550177"
    assert is_destroyed(place, patient)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"record": "MRN-99", "again": "MRN-99"}, "No record has this number"),
        ({"again": "MRN-78"}, "exactly as above"),
    ],
)
def test_what_was_typed_wrongly_is_said_and_kept(house: Any, form: dict[str, str], said: str) -> None:
    patient = history(house)
    answer = ask(administrator(house, "Ada"), "MRN-77", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{form.get("record", "MRN-77")}"' in answer.text
    assert not is_destroyed(house, patient)


def test_a_legal_hold_or_an_open_item_refuses_it_and_says_why(house: Any) -> None:
    ada, patient = administrator(house, "Ada"), history(house)
    house.item("safety", patient_id=patient.id)
    ada.post(PAGE, record="MRN-77", act="hold")
    refused = ask(ada, "MRN-77")
    assert refused.status_code == 422
    assert "under legal hold" in refused.text
    assert "not done in the inbox" in refused.text
    assert not is_destroyed(house, patient)
    ada.post(PAGE, record="MRN-77", act="release")
    assert "under legal hold." not in ask(ada, "MRN-77").text


def test_a_request_can_be_taken_back_and_is_not_another_clinic_s(house: Any, another_house: Any) -> None:
    ada, _, patient = administrator(house, "Ada"), administrator(house, "Ben"), history(house)
    ask(ada, "MRN-77")
    elsewhere = another_house()
    stranger = administrator(elsewhere, "Eve")
    assert answer(house, stranger, "agree").status_code == 404
    assert answer(house, ada, "take-back").status_code == 303
    assert "Agree and destroy" not in ada.get(PAGE).text
    assert not is_destroyed(house, patient)


@pytest.mark.parametrize("role", ["care_manager", "front_desk", "auditor"])
def test_only_administrators_may(house: Any, role: str) -> None:
    browser = house.signed_in(house.staff("Kim", role=role))
    assert browser.get(PAGE).status_code == 403
    assert ask(browser, "MRN-77").status_code == 403
