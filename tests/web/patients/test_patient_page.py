"""A patient's page."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config import audit, clock, db
from reminders import appointments


def test_the_page_shows_visits_with_what_is_planned_and_why(house: Any) -> None:
    patient = house.patient()
    now = clock.now()
    visit = appointments.VisitRecord(
        "V1", "", now + timedelta(days=5), "America/Denver", now - timedelta(days=9), clinician="Dr Osei"
    )
    with db.unit_of_work(house.clinic.id) as session:
        appointments.save(session, house.clinic, patient, visit)
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}").text
    for words in (
        "Teresa Quintana",
        "Dr Osei",
        "planned",
        "not confirmed yet",
        "</span> agreed",
        "(202) 555-01",
    ):
        assert words in page
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
    assert "patient.opened" in acts


def test_a_shared_phone_is_not_shown_as_one_persons_conversation(house: Any) -> None:
    patient = house.patient(number="+12025550177")
    house.patient(number="+12025550177", first_name="Min")
    house.text_from(patient, "who is this")
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}").text
    assert "who is this" not in page
    assert "Several people share this phone" in page


def test_another_clinics_patient_does_not_exist(house: Any, another_house: Any) -> None:
    foreign = another_house().patient()
    assert house.signed_in(house.staff()).get(f"/patients/{foreign.id}").status_code == 404
