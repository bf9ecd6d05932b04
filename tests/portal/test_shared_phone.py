"""Two patients' own pages on one phone: a choice is that patient's on whose page it was pressed."""

from datetime import date, timedelta

import pytest

from config import db
from intake_links import links
from messaging.models import ConsentEntry, Patient
from tests.intake_links.test_binding import Tab

SECOND_BORN = date(1990, 12, 5)
PRESSES = {
    "language": ({"language": "es"}, lambda patient: patient.language == "es"),
    "privacy": ({"level": "generic"}, lambda patient: patient.privacy == "generic"),
    "hours": ({"from": "10:00", "until": "15:00"}, lambda patient: "10:00" in str(patient.wishes)),
}


@pytest.fixture
def second(ward):
    """The second patient's id and the address of their own page."""
    patient_id = ward.patient(record="r2", first_name="Al", number="+12015550148", birth_date=SECOND_BORN)
    with db.unit_of_work(db.EVERY) as session:
        clinic = ward.both(session)[0]
        url = links.issue(session, clinic, session.get_one(Patient, patient_id), [])[1]
    return patient_id, "/i/" + url.rsplit("/", 1)[1]


@pytest.mark.parametrize("page", PRESSES)
def test_a_choice_in_the_first_tab_is_the_first_patients(inside, ward, second, page):
    fields, holds = PRESSES[page]
    first = Tab(inside.get(f"/i/me/{page}"))
    inside.enter(second[1], born=SECOND_BORN)
    first.post(**fields)
    assert first.path.startswith("/i/me")
    assert (holds(ward.see(Patient)), holds(ward.see(Patient, second[0]))) == (True, False)


@pytest.mark.parametrize("page", PRESSES)
def test_a_choice_after_the_browser_forgot_waits_for_the_right_birth_date(inside, ward, second, page):
    fields, holds = PRESSES[page]
    first = Tab(inside.get(f"/i/me/{page}"))
    inside.client.delete_cookie("__Host-wt_links", domain="care.example.org")
    inside.enter(second[1], born=SECOND_BORN)
    first.post(**fields)
    assert inside.heading == "Please tell us again who you are"
    first.post(day=5, month=12, year=1990)
    first.post(day=27, month=3, year=1981)
    assert (holds(ward.see(Patient)), holds(ward.see(Patient, second[0]))) == (True, False)


def test_stopping_all_texts_is_asked_again_and_not_lost_after_half_an_hour(inside, ward, second, travel):
    first = Tab(inside.get("/i/me/texts"))
    inside.enter(second[1], born=SECOND_BORN)
    travel.shift(timedelta(minutes=31))
    first.post(say="revoked:all")
    first.post(day=27, month=3, year=1981)
    stopped = {event.patient_id for event in ward.all(ConsentEntry) if event.event == "revoked"}
    assert stopped == {ward.patient_id}


def test_confirming_and_leaving_in_the_first_tab_leave_the_second_patients_visit_alone(inside, ward, second):
    visits = [ward.visit(timedelta(days=2)), ward.visit(timedelta(days=2), second[0], "V2")]
    first = Tab(inside.get("/i/me"))
    inside.enter(second[1], born=SECOND_BORN)
    first.post(act="confirm")
    assert [ward.state(visit) for visit in visits] == ["confirmed", "booked"]
