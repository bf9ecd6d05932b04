"""Warm handoffs through their page."""

import re
from typing import Any

import pytest

from config import db
from messaging.inbox import items
from messaging.models import Clinic, Message
from reminders import handoffs
from reminders.models import Appointment, Handoff


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
    assert "They are there" in browser.get("/handoffs").text
    assert browser.post(f"{path}/met").status_code == 303
    assert only(house).state == "met"
    assert re.search(r"<td>Met</td>", browser.get("/handoffs").text)
    page = desk.get("/handoffs").text
    assert "What became of those you asked for" in page
    assert "<td>Met</td>" not in page  # what stands above is not said twice


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
    assert only(house).colleague_id == okafor.id


def test_somebody_is_found_by_name_without_it_standing_in_an_address(house: Any) -> None:
    house.patient(first_name="Walter", last_name="Ng", record="A-7")
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    page = desk.post("/handoffs/find", wanted="walter").text
    patient = re.search(r"/handoffs\?patient=([0-9a-f-]{36})", page)
    assert patient
    assert "Walter Ng" in page
    chosen = desk.get(f"/handoffs?patient={patient[1]}").text
    assert "For <b>Walter Ng</b>" in chosen
    assert "Nobody fits" in desk.post("/handoffs/find", wanted="Nobody").text


def asked(house: Any, **form: Any) -> tuple[Any, Any]:
    """A browser of Rosa, who is asked, and one of the doctor, who asks."""
    rosa = house.signed_in(house.staff(number="+12025550150"))
    doctor = house.signed_in(house.staff("Dr Okafor", role="clinician"))
    house.patient(record="A-1")
    assert doctor.post("/handoffs", record="A-1", **form).status_code == 303
    return rosa, doctor


def test_several_reasons_and_a_note_reach_the_colleague_and_not_the_desk(house: Any) -> None:
    rosa, doctor = asked(house, reason=["grief", "sleep"], note="Lost her brother")
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    for browser, reads in ((rosa, True), (doctor, True), (desk, False)):
        page = browser.get("/handoffs").text
        assert ("Grief or loss · Sleep" in page) is reads
    assert "Lost her brother" in rosa.get("/handoffs").text
    assert "Lost her brother" not in desk.get("/handoffs").text


@pytest.mark.parametrize("form", [{"reason": "gossip"}, {"language": "tlh"}, {"modality": "pigeon"}])
def test_what_the_form_does_not_offer_is_refused(house: Any, form: dict[str, str]) -> None:
    house.patient(record="A-1")
    browser = house.signed_in(house.staff())
    assert browser.post("/handoffs", record="A-1", **form).status_code in (400, 422)
    with db.unit_of_work(db.EVERY) as session:
        assert session.query(Handoff).count() == 0


def test_two_taps_ask_once_and_two_answers_count_once(house: Any) -> None:
    rosa, doctor = asked(house)
    assert doctor.post("/handoffs", record="A-1").status_code == 303
    path = f"/handoffs/{only(house).id}"
    for act in ("accept", "accept", "arrived", "arrived", "met", "met"):
        assert rosa.post(f"{path}/{act}").status_code == 303, act
    assert only(house).state == "met"
    assert rosa.post(f"{path}/left").status_code == 409


def test_in_ten_minutes_and_why_not_are_said_on_the_requesters_page(house: Any) -> None:
    rosa, doctor = asked(house)
    ben = house.signed_in(house.staff("Ben Okafor", number="+12025550152"))
    path = f"/handoffs/{only(house).id}"
    assert ben.post(f"{path}/decline", why="with_patient").status_code == 303
    assert ben.post(f"{path}/decline", why="lazy").status_code == 400
    assert rosa.post(f"{path}/accept", minutes="10").status_code == 303
    page = doctor.get("/handoffs").text
    assert "Ben Okafor: cannot" in page
    assert re.search(r"Rosa Delgado is coming\s*at <span", page)


def test_another_time_is_booked_as_a_visit(house: Any) -> None:
    rosa, _ = asked(house)
    path = f"/handoffs/{only(house).id}"
    assert rosa.post(f"{path}/accept").status_code == 303
    assert rosa.post(f"{path}/scheduled", at="1999-01-01T10:00").status_code == 422
    assert rosa.post(f"{path}/scheduled", at="2199-05-05T10:00").status_code == 303
    handoff = only(house)
    assert (handoff.state, handoff.visit_id is not None) == ("scheduled", True)
    with db.unit_of_work(db.EVERY) as session:
        visit = session.get_one(Appointment, handoff.visit_id)
        assert (visit.state, visit.starts_at.year) == ("booked", 2199)


def test_a_colleague_who_cannot_come_after_all_says_so(house: Any) -> None:
    rosa, _ = asked(house)
    path = f"/handoffs/{only(house).id}"
    assert rosa.post(f"{path}/accept").status_code == 303
    assert "I cannot come after all" in rosa.get("/handoffs").text
    assert rosa.post(f"{path}/release").status_code == 303
    assert only(house).state == "asked"


def test_the_report_counts_by_site_hour_requester_and_reason(house: Any) -> None:
    rosa, doctor = asked(house, reason="grief")
    assert "No handoff was asked for" not in doctor.get("/handoffs/report").text
    path = f"/handoffs/{only(house).id}"
    for act in ("accept", "met"):
        rosa.post(f"{path}/{act}")
    page = doctor.get("/handoffs/report?days=7").text
    for words in ("Dr Okafor", "Grief or loss", "100%", "Referrals that were not warm"):
        assert words in page
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    assert "Grief or loss" not in desk.get("/handoffs/report").text


def test_the_report_counts_referrals_by_the_same_with_the_time_until_somebody_was_in_touch(house: Any) -> None:
    _, doctor = asked(house, reason="sleep", modality="later")
    rosa = house.signed_in(house.staff("Ben Carter", number="+12025550151"))
    rosa.post(f"/handoffs/{only(house).id}/met")
    page = doctor.get("/handoffs/report").text
    for by in ("site", "hour", "requester", "reason"):
        assert f"Referrals that were not warm by {by}" in page
        assert f"Warm handoffs by {by}" not in page
    assert 'data-name="Until in touch">0 min' in page


def test_an_empty_report_says_so(house: Any) -> None:
    assert "No handoff was asked for" in house.signed_in(house.staff()).get("/handoffs/report").text


def test_the_desk_sees_and_closes_whom_to_walk_with(house: Any) -> None:
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    rosa = house.signed_in(house.staff(number="+12025550150"))
    house.patient(record="A-1", number=None)
    assert desk.post("/handoffs", record="A-1", place="Room 4").status_code == 303
    assert rosa.post(f"/handoffs/{only(house).id}/accept").status_code == 303
    page = desk.get("/desk").text
    assert "Please walk with them to Room 4" in page
    item = re.search(r'href="(/desk/[0-9a-f-]{36})', page)
    assert item
    assert "Teresa Quintana" in desk.get(item[1]).text
    assert desk.post(f"{item[1]}/settle").status_code == 303
    assert "Please walk with them to Room 4" not in desk.get("/desk").text


def test_a_positive_screen_proposes_a_handoff_and_texts_nobody(house: Any) -> None:
    patient = house.patient(record="A-1")
    rosa = house.signed_in(house.staff(number="+12025550150"))
    with db.unit_of_work(house.clinic.id) as session:
        items.open_item(
            session, house.clinic, kind="screen", about="screen:1", dedupe="s", summary="x", patient_id=patient.id
        )
    page = rosa.get(f"/handoffs?patient={patient.id}").text
    assert re.search(r'value="screen"\s+checked', page)
    with db.unit_of_work(db.EVERY) as session:
        assert session.query(Handoff).count() == 0
        assert session.query(Message).count() == 0


def test_the_desks_page_hears_that_something_has_changed_and_nothing_else(house: Any) -> None:
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    assert 'data-live="/handoffs/poll?unattended=1"' in desk.get("/handoffs").text
    told = desk.get("/handoffs/poll?unattended=1")
    assert set(told.json) == {"list", "talk", "here", "rows", "me"}
    same = {"If-None-Match": told.headers["ETag"]}
    assert desk.get("/handoffs/poll?unattended=1", headers=same).status_code == 304
    house.patient(record="A-1")
    assert desk.post("/handoffs", record="A-1").status_code == 303
    assert desk.get("/handoffs/poll?unattended=1", headers=same).status_code == 200
    assert house.browser().get("/handoffs/poll?unattended=1").status_code == 401
