"""What staff do with a visit from the patient's page: book, confirm, move, cancel, and take that back."""

from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging.consent import ledger
from messaging.models import Patient
from reminders import appointments
from reminders.models import Appointment, Reminder

DENVER = ZoneInfo("America/Denver")


@pytest.fixture
def desk(house: Any) -> Any:
    patient = house.patient()
    now = clock.now()
    at = (now + timedelta(days=6)).astimezone(DENVER).replace(hour=10, minute=0, second=0, microsecond=0)
    record = appointments.VisitRecord("V1", "", at, "America/Denver", now - timedelta(days=9), clinician="Dr Osei")
    with db.unit_of_work(house.clinic.id) as session:
        visit = appointments.save(session, house.clinic, session.get_one(Patient, patient.id), record)[0]
    return house, house.signed_in(house.staff()), patient, visit


def local(at: Any) -> str:
    return f"{at.astimezone(DENVER):%Y-%m-%dT%H:%M}"


def stands(house: Any, visit: Appointment) -> tuple[str, Any]:
    now = house.read(Appointment, visit.id)
    return now.state, now.starts_at


def steps(house: Any, visit: Appointment) -> set[str]:
    """The states of the texts around the visit as it stands."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        revision = session.get_one(Appointment, visit.id).revision
        rows = select(Reminder.state).where(Reminder.appointment_id == visit.id, Reminder.revision == revision)
        return set(session.scalars(rows))


def acts(house: Any) -> list[str]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(audit.AuditEntry.act)))


def test_a_visit_is_confirmed_and_that_is_taken_back(desk: Any) -> None:
    house, browser, patient, visit = desk
    page = f"/patients/{patient.id}/visits"
    assert browser.post(f"{page}/{visit.id}/confirm").status_code == 303
    assert stands(house, visit)[0] == "confirmed"
    assert "Undo" in browser.get(page).text
    assert browser.post(f"{page}/{visit.id}/undo").status_code == 303
    assert stands(house, visit)[0] == "booked"
    assert "planned" in steps(house, visit)
    assert "appointment.confirmed" in acts(house)


def test_a_move_says_first_what_they_will_be_told_and_is_taken_back(desk: Any) -> None:
    house, browser, patient, visit = desk
    page, later = f"/patients/{patient.id}/visits/{visit.id}", visit.starts_at + timedelta(days=1)
    asked = browser.post(f"{page}/move", at=local(later))
    assert asked.status_code == 200
    assert "3 days before the visit" in asked.text
    assert "Alder Street Clinic" in asked.text.split("What they will be told")[1]
    assert stands(house, visit) == ("booked", visit.starts_at), "nothing was done yet"
    assert browser.post(f"{page}/move", at=local(later), sure="1").status_code == 303
    assert stands(house, visit) == ("booked", later)
    assert browser.post(f"{page}/undo").status_code == 303
    assert stands(house, visit) == ("booked", visit.starts_at)


def test_a_cancelled_visit_says_nothing_more_and_is_taken_back(desk: Any) -> None:
    house, browser, patient, visit = desk
    page = f"/patients/{patient.id}/visits/{visit.id}"
    assert "Nothing is texted about it" in browser.get(f"{page}/cancel").text
    assert browser.post(f"{page}/cancel").status_code == 303
    assert stands(house, visit)[0] == "cancelled"
    assert "planned" not in steps(house, visit)
    assert browser.post(f"{page}/undo").status_code == 303
    assert stands(house, visit) == ("booked", visit.starts_at)
    assert "planned" in steps(house, visit)


def test_what_has_moved_on_is_not_put_back(desk: Any) -> None:
    house, browser, patient, visit = desk
    page = f"/patients/{patient.id}/visits/{visit.id}"
    browser.post(f"{page}/cancel")
    with db.unit_of_work(house.clinic.id) as session:
        back = appointments.VisitRecord(
            "V1", "", visit.starts_at + timedelta(days=2), "America/Denver", visit.booked_at, clinician="Dr Osei"
        )
        appointments.save(session, house.clinic, session.get_one(Patient, patient.id), back)
    answer = browser.post(f"{page}/undo")
    assert answer.status_code == 409
    assert "has moved on" in answer.text
    assert stands(house, visit)[1] == visit.starts_at + timedelta(days=2)


def test_a_colleague_elsewhere_cannot_undo_what_they_did_not_do(desk: Any) -> None:
    house, browser, patient, visit = desk
    page = f"/patients/{patient.id}/visits/{visit.id}"
    browser.post(f"{page}/cancel")
    assert house.signed_in(house.staff("Ben Carter")).post(f"{page}/undo").status_code == 409


def test_a_visit_is_booked_once_with_what_they_will_be_told(desk: Any) -> None:
    house, browser, patient, visit = desk
    at, once = visit.starts_at + timedelta(days=14), str(uuid4())
    form = {"at": local(at), "clinician": "Dr Osei", "place": "Room 4", "once": once}
    asked = browser.post(f"/patients/{patient.id}/visits", **form)
    assert asked.status_code == 200
    assert "before the visit" in asked.text
    for _ in range(2):
        assert browser.post(f"/patients/{patient.id}/visits", **form, sure="1").status_code == 303
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        booked = session.scalars(select(Appointment).where(Appointment.source == "staff")).all()
    assert [(visit.starts_at, visit.place) for visit in booked] == [(at, "Room 4")]


@pytest.mark.parametrize("at", ["", "soon", "2020-01-01T10:00", "2199-01-01T10:00"])
def test_a_moment_that_cannot_be_is_refused_and_nothing_typed_is_lost(desk: Any, at: str) -> None:
    house, browser, patient, _ = desk
    answer = browser.post(f"/patients/{patient.id}/visits", at=at, place="Room 4", sure="1")
    assert answer.status_code == 422
    assert 'value="Room 4"' in answer.text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        assert session.scalars(select(Appointment).where(Appointment.source == "staff")).all() == []


def test_who_opted_out_will_be_told_nothing_and_that_is_said(desk: Any) -> None:
    house, browser, patient, visit = desk
    with db.unit_of_work(house.clinic.id) as session:
        number = session.merge(patient).numbers[0].number or ""
        ledger.record(session, house.clinic, number, "revoked", source="text", actor="x")
    page = browser.get(f"/patients/{patient.id}/visits").text
    assert "planned" in steps(house, visit)
    assert "goes out" not in page
    assert 'before the visit: <span class="quiet">opted out of texts' in page
    later = local(visit.starts_at + timedelta(days=1))
    assert "Opted out of texts" in browser.post(f"/patients/{patient.id}/visits/{visit.id}/move", at=later).text


def test_who_asked_to_change_may_keep_the_time_after_all(desk: Any) -> None:
    house, browser, patient, visit = desk
    with db.unit_of_work(house.clinic.id) as session:
        appointments.ask_change(session, session.get_one(Appointment, visit.id), "x")
    assert "They keep this time" in browser.get(f"/patients/{patient.id}/visits").text
    browser.post(f"/patients/{patient.id}/visits/{visit.id}/confirm")
    assert stands(house, visit)[0] == "confirmed"


def test_from_a_case_it_leads_back_to_the_case(desk: Any) -> None:
    house, browser, patient, visit = desk
    item = house.item(patient_id=patient.id)
    assert f"/visits/{visit.id}/move" in browser.get(f"/inbox/{item.id}").text
    answer = browser.post(f"/patients/{patient.id}/visits/{visit.id}/confirm", item=str(item.id))
    assert answer.location == f"/inbox/{item.id}"


def test_a_consultant_looks_and_changes_nothing(desk: Any) -> None:
    house, _, patient, visit = desk
    browser = house.signed_in(house.staff(role="psychiatric_consultant"))
    assert "Book a visit" not in browser.get(f"/patients/{patient.id}/visits").text
    assert browser.post(f"/patients/{patient.id}/visits/{visit.id}/cancel").status_code == 403
