"""Warm handoffs through their page."""

import re
from typing import Any

from config import db
from messaging.models import Clinic
from reminders import handoffs
from reminders.models import Handoff


def only(house: Any) -> Handoff:
    with db.unit_of_work(db.EVERY) as session:
        handoff: Handoff = session.query(Handoff).one()
        return handoff


def test_the_front_desk_asks_a_care_manager_accepts_and_they_meet(house: Any) -> None:
    rosa = house.staff(number="+12025550150")
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    house.patient(record="A-1")
    assert desk.post("/handoffs", record="A-1", place="Room 4").status_code == 303
    browser = house.signed_in(rosa)
    page = browser.get("/handoffs").text
    assert "Room 4" in page
    assert "Offered to you" in page
    path = f"/handoffs/{only(house).id}"
    assert browser.post(f"{path}/accept").status_code == 303
    assert only(house).state == "told"
    assert desk.post(f"{path}/arrived").status_code == 303
    assert only(house).state == "arrived"
    assert re.search(r"<td>Met</td>", desk.get("/handoffs").text)


def test_accepting_twice_says_that_it_has_moved_on(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        handoffs.request(session, house.clinic, patient, requested_by=f"staff:{rosa.id}")
    path = f"/handoffs/{only(house).id}/accept"
    assert house.signed_in(rosa).post(path).status_code == 303
    late = house.signed_in(ben).post(path)
    assert late.status_code == 409
    assert "has moved on" in late.text


def test_an_unknown_record_number_keeps_what_was_typed(house: Any) -> None:
    refused = house.signed_in(house.staff()).post("/handoffs", record="A-404", place="Room 9")
    assert refused.status_code == 422
    assert "Nobody here has that record number (MRN)" in refused.text
    assert 'value="A-404"' in refused.text
    assert 'value="Room 9"' in refused.text


def test_the_case_of_a_handoff_can_be_answered_where_it_is_read(house: Any) -> None:
    rosa, patient = house.staff(), house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        handoffs.request(session, house.clinic, patient, requested_by=f"staff:{rosa.id}")
    handoff = only(house)
    page = house.signed_in(rosa).get(f"/inbox/{handoff.item_id}").text
    assert f'action="/handoffs/{handoff.id}/accept"' in page


def test_another_clinics_handoff_does_not_exist(house: Any, another_house: Any) -> None:
    other = another_house()
    staff, patient = other.staff(), other.patient()
    with db.unit_of_work(other.clinic.id) as session:
        handoffs.request(session, other.clinic, patient, requested_by=f"staff:{staff.id}")
    browser = house.signed_in(house.staff())
    assert browser.post(f"/handoffs/{only(other).id}/accept").status_code == 404


def test_the_page_says_by_which_rule_it_was_offered_and_whoever_it_names_can_accept(house: Any) -> None:
    house.staff(number="+12025550150")
    okafor = house.staff("Dr Okafor", role="clinician", number="+12025550151")
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        clinic.rules = {"routes": [{"name": "Doctors first", "to": "role", "role": "clinician"}]}
        handoffs.request(session, clinic, patient, requested_by="operator")
    browser = house.signed_in(okafor)
    page = browser.get("/handoffs").text
    assert "Offered to you" in page
    assert "Doctors first" in page
    assert browser.post(f"/handoffs/{only(house).id}/accept").status_code == 303
    assert only(house).offered_to == okafor.id
