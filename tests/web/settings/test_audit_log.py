"""The audit log as a page: by person, patient, kind and days, as CSV, and who was told what of a patient."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db


def read_by(house: Any, patient: Any, name: str = "Rosa Delgado") -> Any:
    staff = house.staff(name)
    browser = house.signed_in(staff)
    browser.get(f"/patients/{patient.id}")
    return staff


def lines(page: str) -> str:
    log = page.split('<main id="main"')[1].split("</main>")[0]
    return log.split("<tbody>")[1] if "<tbody>" in log else ""


def acts(house: Any, act: str) -> list[audit.AuditEntry]:
    with db.unit_of_work(house.clinic.id) as session:
        return list(session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == act)))


@pytest.mark.parametrize("role", ["auditor", "clinic_admin"])
def test_the_log_is_narrowed_by_person_patient_kind_and_days(house: Any, role: str) -> None:
    patient, other = house.patient(), house.patient()
    rosa = read_by(house, patient)
    read_by(house, other, "Ben Okafor")
    browser = house.signed_in(house.staff("Kim Ost", role=role))
    everything = lines(browser.get("/audit").text)
    assert "Read the patient&#39;s page" in everything
    assert "Account: signed in" in everything
    assert "Rosa Delgado" in everything
    assert "Ben Okafor" in everything
    mine = lines(browser.get(f"/audit?who={rosa.id}&kind=read").text)
    assert "Read the patient&#39;s page" in mine
    assert "Ben Okafor" not in mine
    answer = browser.post("/audit", record=other.record, kind="read")
    assert answer.status_code == 303
    assert other.record not in answer.location
    assert "Ben Okafor" in lines(browser.get(answer.location).text)
    assert "Rosa Delgado" not in lines(browser.get(answer.location).text)
    tomorrow = (clock.now() + timedelta(days=2)).date()
    assert lines(browser.get(f"/audit?since={tomorrow}").text) == ""
    assert browser.post("/audit", record="nobody's").status_code == 404


def test_the_log_comes_as_csv_and_that_is_written_down(house: Any) -> None:
    patient = house.patient()
    rosa = read_by(house, patient)
    browser = house.signed_in(house.staff("Kim Ost", role="auditor"))
    answer = browser.get(f"/audit.csv?patient={patient.id}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["about"] for row in rows} == {f"patient:{patient.id}"}
    assert f"staff:{rosa.id}" in {row["actor"] for row in rows}
    assert "Teresa" not in answer.text
    assert len(acts(house, "audit.exported")) == 1


def test_a_report_says_who_was_told_what_of_a_patient(house: Any) -> None:
    patient = house.patient()
    read_by(house, patient)
    browser = house.signed_in(house.staff("Kim Ost", role="auditor"))
    page = browser.get(f"/audit/patients/{patient.id}").text
    assert "Read the patient&#39;s page" in page
    assert "Rosa Delgado" in page
    assert f"Record {patient.record}" in page
    assert "Quintana" not in page
    assert len(acts(house, "audit.disclosures")) == 1


def test_another_clinics_lines_are_not_there(house: Any, another_house: Any) -> None:
    theirs = another_house()
    patient = theirs.patient()
    ben = read_by(theirs, patient, "Ben Okafor")
    browser = house.signed_in(house.staff("Kim Ost", role="auditor"))
    assert "Ben Okafor" not in browser.get("/audit").text
    assert lines(browser.get(f"/audit?who={ben.id}").text) == ""
    assert browser.get(f"/audit?patient={patient.id}").status_code == 404
    assert browser.get(f"/audit/patients/{patient.id}").status_code == 404
    assert len(browser.get(f"/audit.csv?patient={patient.id}").text.splitlines()) == 1


def test_a_line_names_whom_it_is_about_and_no_id_stands_where_a_person_is_meant(house: Any) -> None:
    patient, rosa = house.patient(record="A-77"), house.staff("Rosa Delgado")
    with db.unit_of_work(house.clinic.id) as session:
        facts = {"to": str(rosa.id), "of": f"patient:{patient.id}", "both": [str(rosa.id), "0147"], "kind": "call"}
        audit.record(
            session, house.clinic.id, audit.Actor.staff(rosa.id), "item.moved", f"patient:{patient.id}", **facts
        )
    for role, called in (("auditor", "T. Q., record A-77"), ("clinic_admin", "T. Q., record A-77")):
        log = lines(house.signed_in(house.staff("Kim Ost", role=role)).get("/audit?kind=").text)
        line = next(part for part in log.split("<tr>") if "Inbox item: moved" in part)
        assert f">{called}</td>" in line, role
        assert f"both: Rosa Delgado, 0147, kind: call, of: {called}, to: Rosa Delgado" in line, role
        assert str(patient.id)[-8:] not in line
        assert str(rosa.id)[-8:] not in line
        assert "Quintana" not in log
        assert ">the clinic</td>" in log
        assert str(house.clinic.id)[-8:] not in log


def test_an_auditor_has_the_log_and_emergency_access_in_the_menu_of_each_page(house: Any) -> None:
    page = house.signed_in(house.staff("Kim Ost", role="auditor")).get("/today").text
    menu = page.split('<nav class="views"')[1].split("</nav>")[0]
    assert 'href="/audit"' in menu
    assert 'href="/emergency-access"' in menu
    manager = house.signed_in(house.staff()).get("/today").text
    assert 'href="/audit"' not in manager


def test_details_are_said_as_the_pages_say_them_and_the_file_keeps_them_as_they_are(house: Any) -> None:
    auditor = house.signed_in(house.staff("Nadia Ost", role="auditor"))
    rosa = house.staff()
    until = "2026-12-01T17:40:33Z"
    facts = {
        "role": "front_desk", "own": False, "until": until, "check_on": "2026-12-19", "owner": f"staff:{rosa.id}",
        "disposition": "reached_by_phone", "reason": "goals_met", "item": str(rosa.clinic_id), "edit": 2,
    }  # fmt: skip
    with db.unit_of_work(house.clinic.id) as session:
        audit.record(session, house.clinic.id, "operator", "item.tried", f"clinic:{house.clinic.id}", **facts)
    page = auditor.get("/audit").text
    for said in (
        "role: Front desk", "own: no", "until: Dec 1, 2026, 10:40:33 AM MST", "check on: Dec 19, 2026",
        "owner: Rosa Delgado", "disposition: Reached by phone", "reason: goals met", "draft, change: 2",
    ):  # fmt: skip
        assert said in page, said
    assert f"item: item {str(rosa.clinic_id)[-8:]}" in page
    file = auditor.get("/audit.csv").text
    assert f"until={until}" in file
    assert "disposition=reached_by_phone" in file
