"""A patient's page."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging.consent import ledger
from reminders import appointments


def test_the_page_shows_visits_with_what_is_planned_and_why(house: Any) -> None:
    patient = house.patient()
    now, zone = clock.now(), ZoneInfo("America/Denver")
    morning = (now + timedelta(days=5)).astimezone(zone).replace(hour=10, minute=0)
    visit = appointments.VisitRecord("V1", "", morning, zone.key, now - timedelta(days=9), clinician="Dr Osei")
    with db.unit_of_work(house.clinic.id) as session:
        appointments.save(session, house.clinic, patient, visit)
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}").text
    for words in (
        "Teresa Quintana",
        "Dr Osei",
        "3 days before the visit",
        "goes out ",
        "not confirmed yet",
        "</span> agreed",
        "(202) 555-01",
    ):
        assert words in page
    assert "72h" not in page
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
    assert "patient.opened" in acts


def test_a_shared_phone_is_not_shown_as_one_persons_conversation(house: Any) -> None:
    patient = house.patient(number="+12025550177")
    house.patient(number="+12025550177", first_name="Min")
    house.text_from(patient, "who is this")
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}/messages").text
    assert "who is this" not in page
    assert "Several people share this phone" in page


def test_another_clinics_patient_does_not_exist(house: Any, another_house: Any) -> None:
    foreign = another_house().patient()
    assert house.signed_in(house.staff()).get(f"/patients/{foreign.id}").status_code == 404


@pytest.mark.parametrize("role", ["care_manager", "front_desk", "psychiatric_consultant"])
def test_each_part_of_the_page_that_is_offered_can_be_opened(house: Any, role: str) -> None:
    patient, staff = house.patient(), house.staff(role=role)
    house.item(patient_id=patient.id, owner_id=staff.id)
    browser = house.signed_in(staff)
    page = browser.get(f"/patients/{patient.id}").text
    parts = re.findall(r'href="(/patients/[^"]+)"', page.split('class="tabs"')[1].split("</nav>")[0])
    assert len(parts) == (3 if role == "front_desk" else 6)
    for part in parts:
        shown = browser.get(part)
        assert shown.status_code == 200
        assert shown.text.count('aria-current="page"') >= 1


def test_an_opted_out_patient_reads_what_is_true(house: Any) -> None:
    patient = house.patient()
    with db.unit_of_work(house.clinic.id) as session:
        number = session.merge(patient).numbers[0].number or ""
        ledger.record(session, house.clinic, number, "revoked", source="text", actor="x")
    page = house.signed_in(house.staff()).get(f"/patients/{patient.id}").text
    assert "can be texted" not in page
    assert "texts go here" not in page
    assert "has opted out of texts" in page
