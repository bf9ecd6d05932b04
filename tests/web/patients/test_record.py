"""Closing a record, and how open texts may be: asked for on one page, confirmed, written down, and to be taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging import outbox
from messaging.models import Message, Patient
from reminders import appointments, withdrawing
from reminders.models import Appointment


def now(patient: Patient) -> Patient:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(Patient, patient.id)


def waits(house: Any, patient: Patient) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        outbox.text_patient(
            session, house.clinic, session.get_one(Patient, patient.id),
            kind="reminder", programme="reminders", body="See you on Monday.", dedupe="r",
        )  # fmt: skip


def test_closing_says_first_what_it_takes_back_and_can_be_undone(house: Any) -> None:
    patient = house.patient()
    waits(house, patient)
    browser = house.signed_in(house.staff(role="front_desk"))
    path = f"/patients/{patient.id}/record"
    page = browser.get(path).text
    assert '<span class="num">1</span> text waiting to leave' in page
    assert browser.post(f"{path}/state", state="deceased", sure="yes").status_code == 303
    assert now(patient).state == "deceased"
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Message.state)).all() == ["cancelled"]
    page = browser.get(path).text
    assert "Nothing is texted any more." in page
    assert "Open the record again" in page
    browser.post(f"{path}/state", state="active", sure="yes")
    assert now(patient).state == "active"


@pytest.mark.parametrize("form", [{"state": "deceased"}, {"sure": "yes"}, {"state": "gone", "sure": "yes"}])
def test_nothing_is_closed_unless_it_was_confirmed(house: Any, form: dict[str, str]) -> None:
    patient = house.patient()
    answer = house.signed_in(house.staff()).post(f"/patients/{patient.id}/record/state", **form)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert now(patient).state == "active"


def test_the_privacy_script_stands_in_both_languages_and_the_choice_is_kept(house: Any) -> None:
    patient, rosa = house.patient(), house.staff()
    browser, path = house.signed_in(rosa), f"/patients/{patient.id}/record"
    page = browser.get(path).text
    assert "it is not encrypted on its way" in page
    assert 'lang="es">Un texto lo puede leer quien tenga' in page
    assert "has not been asked yet" in page
    assert browser.post(f"{path}/privacy", level="generic", how="spoken").status_code == 303
    assert (now(patient).privacy, now(patient).privacy_by) == ("generic", f"staff:{rosa.id}")
    assert "This is what the patient chose" in browser.get(path).text
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        line = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "patient.privacy")).one()
    assert line.detail["source"] == "spoken"


@pytest.mark.parametrize("form", [{"level": "generic"}, {"how": "spoken"}, {"level": "all", "how": "spoken"}])
def test_a_choice_without_its_level_or_its_source_is_not_kept(house: Any, form: dict[str, str]) -> None:
    patient = house.patient()
    answer = house.signed_in(house.staff()).post(f"/patients/{patient.id}/record/privacy", **form)
    assert answer.status_code == 422
    assert now(patient).privacy == "place"
    assert now(patient).privacy_by is None


def test_details_wait_for_the_number_s_first_answer_and_the_page_says_so(house: Any) -> None:
    patient = house.patient(privacy="details")
    browser, path = house.signed_in(house.staff()), f"/patients/{patient.id}/record"
    assert "texts leave the place out" in browser.get(path).text
    house.text_from(patient, "hello")
    assert "texts leave the place out" not in browser.get(path).text


def test_another_clinic_and_who_may_not_change_patients_are_refused(house: Any, another_house: Any) -> None:
    patient = house.patient()
    other = another_house()
    path = f"/patients/{patient.id}/record"
    assert other.signed_in(other.staff()).get(path).status_code == 404
    auditor = house.signed_in(house.staff(role="auditor"))
    assert auditor.get(path).status_code == 403
    assert auditor.post(f"{path}/state", state="inactive", sure="yes").status_code == 403
    assert now(patient).state == "active"


def test_the_patient_s_page_leads_there(house: Any) -> None:
    patient = house.patient()
    browser = house.signed_in(house.staff())
    assert f"/patients/{patient.id}/record" in browser.get(f"/patients/{patient.id}").text
    assert f"/patients/{patient.id}/consent" in browser.get(f"/patients/{patient.id}/phones").text


def quiet_visit(house: Any, patient: Patient) -> Appointment:
    at = clock.now()
    facts = {"external_id": "V1", "record": "", "zone": "America/Denver", "booked_at": at}
    visit = appointments.VisitRecord(starts_at=at + timedelta(days=4), **facts)
    with db.unit_of_work(house.clinic.id) as session:
        there = appointments.save(session, house.clinic, session.get_one(Patient, patient.id), visit)[0]
        withdrawing.quiet(session, there, f"patient:{patient.id}")
        return there


def wished(visit: Appointment) -> bool:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(Appointment, visit.id).quiet_at is not None


def test_a_visit_they_want_no_texts_about_says_so_and_a_colleague_takes_it_back(house: Any) -> None:
    patient = house.patient()
    visit, browser = quiet_visit(house, patient), house.signed_in(house.staff(role="front_desk"))
    page = browser.get(f"/patients/{patient.id}").text
    assert "No texts about this visit: the patient asked for that" in page
    assert "They want texts again" in page
    assert browser.post(f"/patients/{patient.id}/visits/{visit.id}/texts").status_code == 303
    assert not wished(visit)
    assert "They want texts again" not in browser.get(f"/patients/{patient.id}").text


def test_who_may_not_change_patients_and_another_clinic_lift_no_wish(house: Any, another_house: Any) -> None:
    patient = house.patient()
    visit, path = quiet_visit(house, patient), f"/patients/{patient.id}/visits"
    assert house.signed_in(house.staff(role="auditor")).post(f"{path}/{visit.id}/texts").status_code == 403
    other = another_house()
    stranger = other.signed_in(other.staff())
    assert stranger.post(f"{path}/{visit.id}/texts").status_code == 404
    assert wished(visit)
