"""No text says more than a text may, whatever was typed into a room, a clinic's name or a patient's wish."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.consent import ledger
from messaging.models import Clinic, Message, Patient
from messaging.wording import clinic_names, clinic_words, text_templates
from reminders import appointments, phrasing
from reminders.models import Handoff
from tests.web.settings.test_clinic import admin, now, post

ANSWERS = (
    "confirmed",
    "change_requested",
    "arrived",
    "late",
    "handoff_ready",
    "handoff_soon",
    "missed_visit",
)
TELLING = ["Psychiatry", "suicide watch", "Salud Mental", "Therapy", "psiquiatría", "Detox", "Counseling"]


@pytest.fixture
def patient(house: Any) -> Patient:
    saved = house.patient(record="A-1")
    with db.unit_of_work(house.clinic.id) as session:
        number = session.get_one(Patient, saved.id).numbers[0].number or ""
        ledger.record(session, house.clinic, number, "granted", source="staff", actor="operator", patient_id=saved.id)
    return saved  # type: ignore[no-any-return]


def met(house: Any, place: str) -> tuple[str, str]:
    """The page after a handoff was asked for at `place`, and the text the patient got once it was accepted."""
    rosa = house.signed_in(house.staff(number="+12025550150"))
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    assert desk.post("/handoffs", record="A-1", place=place).status_code == 303
    page = desk.get("/handoffs").text
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        handoff = session.query(Handoff).one()
    assert rosa.post(f"/handoffs/{handoff.id}/accept").status_code == 303
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        [text] = session.scalars(select(Message).where(Message.kind == "handoff"))
        return page, text.body or ""


@pytest.mark.parametrize(
    "place",
    ["Room 4 Psychiatry, suicide watch", "Behavioral Health, 2nd floor", "the THERAPY room", "Salud mental, piso 2",
     "PHQ-9 desk", "Dr. Lee, addiction", "Psy\u00adchiatry"],
)  # fmt: skip
def test_a_room_that_tells_a_specialty_is_for_colleagues_and_not_for_the_text(
    house: Any, patient: Patient, place: str
) -> None:
    page, text = met(house, place)
    assert "the patient&#39;s text will not name it" in page
    assert "in a few minutes" in text
    assert not text_templates.lint(text)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.query(Handoff).one().place == place


@pytest.mark.parametrize("place", ["Room 4", "the front desk", "2nd floor, blue door"])
def test_a_plain_room_is_named(house: Any, patient: Patient, place: str) -> None:
    page, text = met(house, place)
    assert f"go to {place}" in text
    assert "will not name it" not in page


def test_who_wants_nothing_said_is_told_no_room_no_name_and_no_clinic(house: Any, patient: Patient) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Patient, patient.id).privacy = "generic"
    text = met(house, "Room 4")[1]
    assert text.startswith("We are ready for you. Please ask at the front desk")
    assert not re.search("Room 4|Teresa|Alder|care team", text)


@pytest.mark.parametrize("language", text_templates.LANGUAGES)
@pytest.mark.parametrize("key", ANSWERS)
def test_every_answer_has_words_for_who_wants_nothing_said(
    house: Any, patient: Patient, key: str, language: str
) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        wants = session.get_one(Patient, patient.id)
        wants.privacy, wants.language = "generic", language
        values = phrasing.about_clinic(house.clinic, wants) | {"day": "DAY", "time": "TIME", "date": "DATE"}
        text = phrasing.say(clinic_words.of(session, house.clinic.id), key, wants, values | {"place": "PLACE"})
    assert not re.search("Teresa|Alder|DAY|TIME|DATE|PLACE", text)
    assert text != text_templates.texts("en")[key]
    assert text_templates.segments(text).segments == 1


@pytest.mark.parametrize("word", TELLING)
def test_a_visit_at_such_a_place_is_spoken_of_without_it(house: Any, patient: Patient, word: str) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        wants = session.get_one(Patient, patient.id)
        wants.privacy = "details"
        record = appointments.VisitRecord(
            record="A-1", starts_at=clock.now() + timedelta(days=2), zone="America/Denver", place=f"{word} 3",
            booked_at=clock.now(), external_id="V1",
        )  # fmt: skip
        visit = appointments.save(session, house.clinic, wants, record)[0]
        values = phrasing.words(house.clinic, wants, visit, clock.now())
        text = phrasing.say(clinic_words.of(session, house.clinic.id), "reminder_hours", wants, values)
    assert "place" not in values
    assert text.startswith(f"Hi Teresa, we will see you {values['day']} at")
    assert not text_templates.lint(text)


@pytest.mark.parametrize(
    "name", ["Lakeside Psychiatry & Addiction", "Elm Behavioral Health", "Clínica de Salud Mental"]
)
def test_a_clinics_name_that_tells_a_specialty_stands_in_no_text(house: Any, patient: Patient, name: str) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Clinic, house.clinic.id).name = name
    text = met(house, "Room 4")[1]
    assert "your care team at your clinic is ready" in text
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        assert clinic_names.in_texts(clinic, "es-MX") == "su clínica"
        clinic.rules = clinic.rules | {"text_name": "Lakeside Clinic"}
        assert clinic_names.in_texts(clinic, "es") == "Lakeside Clinic"
        assert clinic_words.sample(clinic, "en")["clinic"] == "Lakeside Clinic"


def test_the_clinics_page_asks_for_a_name_for_texts_and_every_text_uses_it(house: Any) -> None:
    browser = admin(house)
    post(browser, name="Lakeside Psychiatry & Addiction")
    page = browser.get("/settings/clinic").text
    assert "give a name for texts" in page
    assert "your visit at your clinic is" in page
    answer = post(browser, edit=1, name="Lakeside Psychiatry & Addiction", text_name="Lakeside Mental Health")
    assert answer.status_code == 422
    assert "names a specialty" in answer.text
    post(browser, edit=1, name="Lakeside Psychiatry & Addiction", text_name="Lakeside Clinic")
    page = browser.get("/settings/clinic").text
    assert "give a name for texts" not in page
    assert "your visit at Lakeside Clinic is" in page
    looked = re.search(r'name="looked" value="([^"]+)"', page)
    browser.post("/settings/draft/clinic/publish", looked=looked[1] if looked else "", edit="2", why="as agreed")
    assert now(house).rules["text_name"] == "Lakeside Clinic"


def test_an_ordinary_name_is_said_as_it_is(house: Any) -> None:
    for name in (
        "Alder Street Clinic",
        "St. Mary's Family Medicine",
        "Salud Para Todos",
        "Medicina Interna Sur",
    ):
        assert clinic_names.choose("", name, "en") == name
    for name in ("Addiction Medicine of Elm", "Suboxone Clinic"):
        assert clinic_names.choose("", name, "en") == "your clinic"
