"""A form sent by text: in the patient's language, by day, once, and in words that give nothing away."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from config import db
from intake_links.models import IntakeLink
from messaging.consent import ledger
from messaging.models import ConsentEntry, Message, Patient
from messaging.people import directory
from messaging.wording import text_templates
from reminders import planner
from tests.messaging.wording.test_clinic_words import say


def texts(house: Any) -> list[Message]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(Message).where(Message.direction == "out").order_by(Message.id)))


def links(house: Any) -> list[str]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(IntakeLink.state).order_by(IntakeLink.created_at, IntakeLink.id)))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("privacy", ["generic", "place", "details"])
def test_the_text_names_no_form_and_waits_for_the_day(house: Any, language: str, privacy: str) -> None:
    rosa, patient = house.staff(), house.patient(language=language, privacy=privacy)
    answer = house.signed_in(rosa).post(f"/patients/{patient.id}/form", instrument="phq9")
    assert (answer.status_code, answer.location) == (303, f"/patients/{patient.id}/messages")
    (text,) = texts(house)
    body = text.body or ""
    assert "/i/" in body
    assert text_templates.lint(body) == []
    assert "PHQ" not in body
    assert (text.programme, text.author_id) == ("screening", rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        open_hours = planner.cadence_of(session, house.clinic.id).open_hours
    assert open_hours.is_open(text.try_after, ZoneInfo("America/Denver"))
    assert links(house) == ["open"]


def test_the_text_is_worded_as_the_clinic_has_published_it(house: Any) -> None:
    say(house.clinic, "form_link", "{first_name}, before you come: {link} - {care_team}")
    house.signed_in(house.staff()).post(f"/patients/{house.patient().id}/form", instrument="phq9")
    (text,) = texts(house)
    assert (text.body or "").startswith("Teresa, before you come: http://localhost:8000/i/")
    assert "- your care team" in (text.body or "")


def test_two_open_links_never_exist_and_the_second_asks_first(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    browser = house.signed_in(rosa)
    browser.post(f"/patients/{patient.id}/form", instrument="gad7")
    refused = browser.post(f"/patients/{patient.id}/form", instrument="gad7")
    assert refused.status_code == 422
    assert "A form has been open for them since" in refused.text
    assert (links(house), len(texts(house))) == (["open"], 1)
    browser.post(f"/patients/{patient.id}/form", instrument="gad7", anew="yes")
    assert sorted(links(house)) == ["open", "withdrawn"]
    assert len(texts(house)) == 2


def test_from_a_case_one_comes_back_to_the_case(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    item = house.item(patient_id=patient.id, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    form = {"instrument": "phq9", "item": str(item.id), "view": "mine"}
    assert browser.post(f"/patients/{patient.id}/form", **form).location == f"/inbox/{item.id}?view=mine"
    assert "sent, not opened yet" in browser.get(f"/inbox/{item.id}").text


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("nothing", "Choose at least one form"),
        ("unknown", "Choose at least one form"),
        ("opted out", "has opted out"),
        ("no consent", "agreed to texts with forms"),
        ("landline", "can get texts"),
        ("no birth date", "no birth date"),
        ("inactive", "record is closed"),
    ],
)
def test_a_form_that_cannot_be_sent_says_why_and_leaves_no_link(house: Any, why: str, said: str) -> None:
    rosa = house.staff()
    patient = house.patient(**({"birth_date": None} if why == "no birth date" else {}))
    with db.unit_of_work(house.clinic.id) as session:
        kept = session.get_one(Patient, patient.id)
        number = kept.numbers[0].number or ""
        if why == "opted out":
            ledger.record(session, house.clinic, number, "revoked", source="text", actor="x")
        if why == "no consent":
            session.execute(delete(ConsentEntry))
        if why == "landline":
            directory.learn_line(session, house.clinic, number, "landline", "operator")
        if why == "inactive":
            kept.state = "inactive"
    wanted = {"nothing": {}, "unknown": {"instrument": "made-up"}}.get(why, {"instrument": "phq9"})
    refused = house.signed_in(rosa).post(f"/patients/{patient.id}/form", **wanted)
    assert refused.status_code == 422
    assert said in refused.text
    assert (links(house), texts(house)) == ([], [])


def test_only_the_care_team_sends_forms(house: Any) -> None:
    patient = house.patient()
    for role in ("clinician", "front_desk", "psychiatric_consultant"):
        browser = house.signed_in(house.staff(role=role))
        assert browser.post(f"/patients/{patient.id}/form", instrument="phq9").status_code == 403
