"""What somebody said about being texted, and a number that is somebody else's."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging import outbox
from messaging.consent import ledger
from messaging.models import ConsentEntry, Message, Patient, PatientNumber
from messaging.people import directory
from reminders import appointments

NUMBER = "+12025550147"


def outgoing(house: Any, patient: Patient) -> list[str]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = select(Message.state).where(Message.patient_id == patient.id, Message.direction == "out")
        return list(session.scalars(rows))


def remind(house: Any, patient: Patient) -> Message:
    house.count += 1
    with db.unit_of_work(house.clinic.id) as session:
        return outbox.text_patient(
            session,
            house.clinic,
            session.get_one(Patient, patient.id),
            kind="reminder",
            programme="reminders",
            body="See you on Monday.",
            dedupe=f"r{house.count}",
        )


def said(house: Any, number: str) -> dict[str, str]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return ledger.state(session, house.clinic, number)


def textable(house: Any, patient: Patient) -> str | None:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        number = directory.textable_number(session, session.get_one(Patient, patient.id))
        return number.number if number else None


def book(house: Any, patient: Patient) -> None:
    record = appointments.VisitRecord(
        "V1", "", clock.now() + timedelta(days=3), "America/Denver", clock.now() - timedelta(days=9)
    )
    with db.unit_of_work(house.clinic.id) as session:
        appointments.save(session, house.clinic, session.get_one(Patient, patient.id), record)


def test_a_spoken_opt_out_holds_at_once_and_says_what_it_means(house: Any) -> None:
    patient = house.patient(number=NUMBER)
    book(house, patient)
    remind(house, patient)
    browser = house.signed_in(house.staff(role="front_desk"))
    form = {
        "event": "revoked",
        "programme": "all",
        "who": "patient",
        "how": "spoken",
        "words": "no more texts",
    }
    browser.post(f"/patients/{patient.id}/consent", **form)
    assert set(said(house, NUMBER).values()) == {"revoked"}
    assert outgoing(house, patient) == ["cancelled"]
    page = browser.get(f"/patients/{patient.id}/phones").text
    assert "No reminder goes out any more for" in page
    assert "no more texts" in page
    assert "The patient" in page
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        lines = session.scalars(select(ConsentEntry).where(ConsentEntry.event == "revoked")).all()
        assert {line.source for line in lines} == {"spoken"}
        details = str(session.scalars(select(audit.AuditEntry.detail)).all())
    assert "no more texts" not in details


def test_an_opt_out_of_one_programme_leaves_the_others(house: Any) -> None:
    patient = house.patient(number=NUMBER)
    form = {"event": "revoked", "programme": "screening", "who": "parent", "how": "written"}
    house.signed_in(house.staff()).post(f"/patients/{patient.id}/consent", **form)
    assert said(house, NUMBER) == {"reminders": "granted", "screening": "revoked", "care_team": "granted"}


def test_a_spoken_yes_brings_texts_back_but_not_after_a_stop_by_text(house: Any) -> None:
    patient = house.patient(number=NUMBER)
    browser = house.signed_in(house.staff())
    yes = {"event": "granted", "programme": "reminders", "who": "patient", "how": "spoken"}
    browser.post(f"/patients/{patient.id}/consent", **(yes | {"event": "revoked", "programme": "all"}))
    assert browser.post(f"/patients/{patient.id}/consent", **yes).status_code == 303
    assert said(house, NUMBER)["reminders"] == "granted"
    with db.unit_of_work(house.clinic.id) as session:
        ledger.record(session, house.clinic, NUMBER, "revoked", source="text", actor="operator")
    refused = browser.post(f"/patients/{patient.id}/consent", **yes)
    assert refused.status_code == 422
    assert "text START" in refused.text
    assert said(house, NUMBER)["reminders"] == "revoked"


@pytest.mark.parametrize(
    "wrong",
    [
        {"programme": ""},
        {"programme": "all", "event": "granted"},
        {"who": "nobody"},
        {"how": ""},
        {"at": "2999-01-01T10:00"},
        {"number": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_an_entry_without_who_how_and_what_is_not_written(house: Any, wrong: dict[str, str]) -> None:
    patient = house.patient(number=NUMBER)
    form = {"event": "revoked", "programme": "reminders", "who": "patient", "how": "spoken"} | wrong
    assert house.signed_in(house.staff()).post(f"/patients/{patient.id}/consent", **form).status_code == 422
    assert set(said(house, NUMBER).values()) == {"granted"}


def test_a_wrong_person_is_marked_and_taken_back_on_the_patients_page(house: Any) -> None:
    patient = house.patient(number=NUMBER)
    remind(house, patient)
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        number = session.scalars(select(PatientNumber)).one()
    browser = house.signed_in(house.staff())
    path = f"/patients/{patient.id}/phones/{number.id}/line"
    browser.post(path, line="wrong")
    assert textable(house, patient) is None
    assert outgoing(house, patient) == ["cancelled"]
    assert "It is theirs after all" in browser.get(f"/patients/{patient.id}/phones").text
    browser.post(path, line="right")
    assert textable(house, patient) == NUMBER
    assert browser.post(f"/patients/{house.patient().id}/phones/{number.id}/line").status_code == 404
