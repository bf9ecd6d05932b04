"""A clinician's own day: visits with their last screens, what is open for their panel, the handoffs they asked for."""

from typing import Any

import pytest
import time_machine

from config import audit, db
from messaging.models import Patient, Staff
from reminders import handoffs
from tests.web.boards.test_unreached import visit
from tests.web.boards.test_visits import NOON
from tests.web.presenters.test_screen_view import hand_in

LOW = [2, 2, 2, 2, 2, 1, 1, 0, 0]
ITEM_NINE = [0, 0, 0, 0, 0, 0, 0, 0, 1]


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(NOON):
        yield


@pytest.fixture
def doctor(house: Any) -> Staff:
    return house.staff("Dr Lindqvist", role="clinician", number="+12025550151")


def section(page: str, title: str) -> str:
    """The words of a section of the page, from its heading to the next section."""
    return page.split(f">{title}</h2>")[1].split("<section")[0]


def test_each_patient_of_today_has_their_last_screens_positive_ones_first(house: Any, doctor: Staff) -> None:
    patient = house.patient(first_name="Walter")
    visit(house, patient, days=0, hour=13, clinician="Dr Lindqvist")
    hand_in(house, patient, 20, ITEM_NINE)
    hand_in(house, patient, 2, LOW)
    hand_in(house, patient, 1, [0] * 7, "gad7")
    page = house.signed_in(doctor).get("/today").text
    assert "PHQ-9 12, positive" in page
    assert "GAD-7 0, negative" in page
    assert page.index("PHQ-9 12") < page.index("GAD-7 0")
    assert "answer to follow up" not in page  # an older one of the same questionnaire


def test_an_answer_that_must_be_followed_up_is_the_one_red_thing(house: Any, doctor: Staff) -> None:
    patient = house.patient(first_name="Walter")
    visit(house, patient, days=0, hour=13, clinician="Dr Lindqvist")
    hand_in(house, patient, 1, ITEM_NINE)
    page = house.signed_in(doctor).get("/today").text
    assert '<span class="mark safety num"><span aria-hidden="true">▲</span> PHQ-9 1, answer to follow up</span>' in page


def test_other_answers_to_a_form_already_handed_in_are_no_screen_of_their_own(house: Any, doctor: Staff) -> None:
    patient = house.patient(first_name="Walter")
    visit(house, patient, days=0, hour=13, clinician="Dr Lindqvist")
    hand_in(house, patient, 1, LOW)
    hand_in(house, patient, 1, [0] * 9)
    page = house.signed_in(doctor).get("/today").text
    assert "PHQ-9 12, positive" in page
    assert "PHQ-9 0" not in page
    hand_in(house, patient, 1, ITEM_NINE)  # unless somebody must follow them up
    assert "PHQ-9 1, answer to follow up" in house.signed_in(doctor).get("/today").text


def test_what_is_old_or_of_somebody_else_s_patient_is_not_shown(house: Any, doctor: Staff) -> None:
    mine, other = house.patient(first_name="Walter"), house.patient(first_name="Elsewhere")
    visit(house, mine, days=0, hour=13, clinician="Dr Lindqvist")
    visit(house, other, days=0, hour=13, clinician="Dr Okafor")
    hand_in(house, mine, 40, LOW)
    hand_in(house, other, 1, LOW)
    assert "PHQ-9" not in house.signed_in(doctor).get("/today").text.split("Open for my patients")[0]


def test_what_is_open_for_the_panel_stands_there_whoever_has_it(house: Any, doctor: Staff) -> None:
    rosa = house.staff("Rosa Delgado")
    mine = house.patient(first_name="Walter", panel="Dr Lindqvist")
    other = house.patient(first_name="Elsewhere", panel="Dr Okafor")
    for patient in (mine, other):
        house.item("screen", owner_id=rosa.id, patient_id=patient.id, summary="PHQ-9 is 12")
    page = house.signed_in(doctor).get("/today").text
    listed = section(page, "Open for my patients")
    assert "Walter Q." in listed
    assert "Rosa Delgado" in listed
    assert "Elsewhere" not in page


def test_what_is_due_next_for_them_is_not_said_twice(house: Any, doctor: Staff) -> None:
    mine = house.patient(first_name="Walter", panel="Dr Lindqvist")
    house.item("screen", owner_id=doctor.id, patient_id=mine.id, summary="PHQ-9 is 12")
    page = house.signed_in(doctor).get("/today").text
    assert "Walter Q." in section(page, "Due next for you")
    assert "Walter Q." not in section(page, "Open for my patients")
    assert "Nothing else is open" in section(page, "Open for my patients")


def test_handoffs_asked_for_say_how_they_stand_and_how_they_ended(house: Any, doctor: Staff) -> None:
    rosa = house.staff("Rosa Delgado", number="+12025550150")
    ended, running, stranger = (house.patient(first_name=name) for name in ("Walter", "Ada", "Elsewhere"))
    with db.unit_of_work(house.clinic.id) as session:
        asked = {
            patient.id: handoffs.request(
                session, house.clinic, session.get_one(Patient, patient.id), requested_by=audit.Actor.staff(who.id)
            )
            for patient, who in ((ended, doctor), (running, doctor), (stranger, house.staff("Dr Okafor")))
        }
        colleague = session.get_one(Staff, rosa.id)
        handoffs.accept(session, asked[ended.id], colleague)
        handoffs.end(session, asked[ended.id], audit.Actor.staff(rosa.id), "met")
    listed = section(house.signed_in(doctor).get("/today").text, "Handoffs I asked for")
    assert "Walter Quintana" in listed
    assert "Met" in listed
    assert "Ada Quintana" in listed
    assert "Elsewhere" not in listed


def test_a_day_with_nothing_says_so(house: Any, doctor: Staff) -> None:
    page = house.signed_in(doctor).get("/today").text
    assert "Nothing is open for the patients of your panel." in page
    assert "You have asked for none yet." in page


def test_nobody_else_has_these_sections(house: Any) -> None:
    for role in ("care_manager", "front_desk", "clinic_admin"):
        page = house.signed_in(house.staff(role=role)).get("/today").text
        assert "Open for my patients" not in page
        assert "Handoffs I asked for" not in page
