"""Two records of one person become one: everything follows, the stricter consent wins, and both numbers lead there."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import audit, clock, db
from intake_links.models import Screen
from messaging.consent import ledger
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Conversation, Message, Patient
from messaging.people import bulk_save, contact_details, directory
from reminders import appointments, merging
from reminders.models import Appointment
from service import tables
from tests.web.presenters.test_screen_view import START, hand_in
from web import words

OLD, NEW = "+12025550141", "+12025550142"


@pytest.fixture(params=["sqlite", "postgresql"])
def pair(request: pytest.FixtureRequest) -> Any:
    """A clinic, a browser, and two records of Teresa: one that stays, and one that goes with all of hers."""
    where = "house_on_postgresql" if request.param == "postgresql" else "house"
    house = request.getfixturevalue(where)
    stays = house.patient(record="MRN-1", number=NEW)
    goes = house.patient(
        record="MRN-2", number=OLD, details=contact_details.ContactDetails("12 Elm St"), privacy="generic"
    )
    house.text_from(goes, "it is me")
    house.item("safety", patient_id=goes.id, summary="I can't go on")
    hand_in(house, goes, 3, START)
    browser = house.signed_in(house.staff())
    browser.post(f"/patients/{goes.id}/note", words="prefers mornings")
    browser.post("/drafts", item=f"patient:{goes.id}", body="Good mor", compose=str(uuid4()), quietly="1")
    at = clock.now() + timedelta(days=5)
    with db.unit_of_work(house.clinic.id) as session:
        visit = appointments.VisitRecord("V1", "", at, "America/Denver", clock.now())
        appointments.save(session, house.clinic, session.get_one(Patient, goes.id), visit)
    return house, browser, stays, goes


def merge(pair: Any, **form: str) -> Any:
    _, browser, stays, _ = pair
    facts = {"other": "MRN-2", "merge": "1", "stays": str(stays.id), "sure": "yes"}
    return browser.post(f"/patients/{stays.id}/merge", **(facts | form))


def test_everything_follows_to_the_record_that_stays(pair: Any) -> None:
    house, browser, stays, goes = pair
    assert merge(pair).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        for model in (*merging.FOLLOWS.values(), Conversation):
            assert session.scalars(select(model).where(model.patient_id == goes.id)).all() == []
        for model in (Message, InboxItem, Screen, Contact, Appointment):
            assert session.scalars(select(model).where(model.patient_id == stays.id)).all(), model
        kept = session.get_one(Patient, stays.id)
        assert {number.number for number in kept.numbers} == {OLD, NEW}
        used = directory.textable_number(session, kept)
        assert used is not None
        assert used.number == NEW, "texts go on to the number of the record that stays"
        assert (kept.address, kept.privacy) == ("12 Elm St", "generic")
    page = browser.get(f"/patients/{stays.id}/messages").text
    assert "prefers mornings" in page
    assert ">Good mor</textarea>" in page
    assert "go on" in browser.get(f"/patients/{stays.id}").text


def test_an_opt_out_on_one_phone_holds_for_the_person_on_every_phone(pair: Any) -> None:
    house, _, _, _ = pair
    with db.unit_of_work(house.clinic.id) as session:
        ledger.record(session, house.clinic, OLD, "revoked", source="text", actor="x", programmes=["care_team"])
    page = pair[1].post(f"/patients/{pair[2].id}/merge", other="MRN-2").text
    assert "The stricter consent wins" in page
    merge(pair)
    with db.unit_of_work(house.clinic.id) as session:
        for number in (OLD, NEW):
            state = ledger.state(session, house.clinic, number)
            assert (state["care_team"], state["reminders"]) == ("revoked", "granted")


def test_both_record_numbers_lead_there_and_a_file_that_has_both_changes_nothing(pair: Any) -> None:
    house, browser, stays, goes = pair
    merge(pair)
    assert browser.post("/patients", wanted="MRN-2").location == f"/patients/{stays.id}"
    assert "MRN-1" in browser.get(f"/patients/{goes.id}").text
    facts: dict[str, Any] = {"last_name": "Quintana", "birth_date": date(1985, 3, 2)}
    rows = [
        directory.PatientRecord(record="MRN-1", first_name="Teresa", number=NEW, **facts),
        directory.PatientRecord(record="MRN-2", first_name="Tere", number="+12025550143", **facts),
    ]
    with db.unit_of_work(house.clinic.id) as session:
        bulk_save.save_patients(session, house.clinic, rows)
        directory.save_patient(session, house.clinic, rows[1])
    with db.unit_of_work(house.clinic.id) as session:
        kept = session.get_one(Patient, stays.id)
        assert kept.first_name == "Teresa"
        assert {number.number for number in kept.numbers} == {OLD, NEW}
        assert directory.patients_with_number(session, house.clinic, "+12025550143") == []


def test_a_search_finds_one_person_and_the_merge_is_in_the_audit(pair: Any) -> None:
    house, browser, stays, _ = pair
    assert browser.post("/patients", wanted="teresa").text.count('class="hit"') == 2
    merge(pair)
    assert browser.post("/patients", wanted="teresa").location == f"/patients/{stays.id}"
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        acts = list(session.scalars(select(audit.AuditEntry.act)))
    assert acts.count("patient.merged") == 2


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"sure": ""}, "they are one person"),
        ({"stays": ""}, "Choose which record stays"),
        ({"other": "MRN-1"}, "this record itself"),
        ({"other": "MRN-9"}, "No other record fits that"),
    ],
)
def test_nothing_is_merged_by_mistake(house: Any, form: dict[str, str], said: str) -> None:
    stays, goes = house.patient(record="MRN-1"), house.patient(record="MRN-2")
    answer = merge((house, house.signed_in(house.staff()), stays, goes), **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert house.read(Patient, goes.id).merged_into is None


def test_the_other_record_is_found_by_name_and_told_by_two_identifiers(house: Any) -> None:
    stays = house.patient(record="MRN-1", birth_date=date(1985, 3, 2))
    house.patient(record="MRN-2", birth_date=date(1985, 3, 2))
    house.patient(record="MRN-3", birth_date=date(1990, 1, 1))
    browser = house.signed_in(house.staff())
    page = browser.get(f"/patients/{stays.id}/merge").text
    assert "Possibly the same person" in page
    assert (page.count('value="MRN-2"'), page.count('value="MRN-3"')) == (1, 0)
    found = browser.post(f"/patients/{stays.id}/merge", other="teresa").text
    assert found.count('class="hit"') == 2
    assert "Mar 2, 1985" in found
    assert "Jan 1, 1990" in found
    assert "Which record stays?" in browser.post(f"/patients/{stays.id}/merge", other="MRN-3").text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        (entry,) = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "patients.searched"))
        assert entry.detail == {"kind": "name", "found": 3}


def test_two_birth_dates_are_said_loudly(house: Any) -> None:
    stays = house.patient(record="MRN-1")
    house.patient(record="MRN-2", birth_date=date(1990, 1, 1))
    page = house.signed_in(house.staff()).post(f"/patients/{stays.id}/merge", other="MRN-2").text
    assert "The birth dates differ" in page


def test_the_front_desk_does_not_merge(house: Any) -> None:
    patient = house.patient()
    desk = house.signed_in(house.staff(role="front_desk"))
    assert desk.get(f"/patients/{patient.id}/merge").status_code == 403


def test_no_table_with_a_patient_is_left_behind() -> None:
    others = {"patient", "patient_number", "patient_name", "conversation"}  # moved by their own rules
    others |= {
        "feed_patient",
        "feed_visit",
        "patient_merge",
        "shredding",  # what was asked for one record is never done to another
    }  # whoever is meant by it is followed to the record that stays
    with_patient = {
        table.name
        for table in tables.METADATA.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "patient"
    }
    assert with_patient - others == {model.__tablename__ for model in merging.FOLLOWS.values()}


def test_whatever_follows_is_said_of_one_and_of_several() -> None:
    for table in ("merged", "merged_one"):
        assert set(words.table_of(table)) == set(merging.FOLLOWS)
