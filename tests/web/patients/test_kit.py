"""Two identifiers and the crisis kit: on each case and the patient's page, and no more of it than a role may read."""

import json

import pytest
from sqlalchemy import select

from config import audit, db
from messaging.inbox.protocol import PROTOCOL
from messaging.models import Clinic, Patient, ProtocolTick, SafetyPlan
from messaging.people import contact_details, directory, safety_plans
from messaging.versions import publishing

HOME = contact_details.ContactDetails("12 Elm St, Denver, CO 80203", "Luis Quintana", "brother", "+12015550144")
PLAN = {"warning_signs": "I stop answering\nmy sister", "means": "Rosa keeps the pills"}
LINES = ("Call the patient.", "Ask about a plan and means.")


@pytest.fixture
def scene(house):
    rosa = house.staff()
    patient = house.patient(details=HOME, record="MRN-204")
    item = house.item("safety", owner_id=rosa.id, patient_id=patient.id, summary="I can't go on")
    return house, house.signed_in(rosa), patient, item


def publish(house, lines=LINES):
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        edit = publishing.save(session, clinic, PROTOCOL, {"lines": list(lines)}, edit=0, actor=audit.OPERATOR).edit
        publishing.publish(session, clinic, PROTOCOL, edit=edit, actor=audit.OPERATOR)


def acts(house):
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        rows = session.scalars(select(audit.AuditEntry).order_by(audit.AuditEntry.id))
        return [(row.act, json.dumps(row.detail)) for row in rows]


@pytest.mark.parametrize("where", ["case", "page"])
def test_two_identifiers_address_and_emergency_contact_stand_on_each_case_and_on_the_page(scene, where):
    _, browser, patient, item = scene
    text = browser.get(f"/inbox/{item.id}" if where == "case" else f"/patients/{patient.id}").text
    for expected in ("Mar 2, 1985", "MRN-204", "12 Elm St, Denver", "Luis Quintana", "brother", "tel:+12015550144"):
        assert expected in text


def test_address_and_emergency_contact_are_edited_audited_and_outlive_the_clinics_files(scene):
    house, browser, patient, _ = scene
    form = {"address": "7 Oak Ave", "emergency_name": "Ana", "emergency_phone": "(201) 555-0145"}
    assert browser.post(f"/patients/{patient.id}/details", **form).status_code == 303
    again = {"record": "MRN-204", "first_name": "Teresa", "last_name": "Quintana", "number": None, "birth_date": None}
    with db.unit_of_work(house.clinic.id) as session:
        directory.save_patient(session, house.clinic, directory.PatientRecord(**again, details=HOME))
    with db.unit_of_work(house.clinic.id) as session:
        kept = contact_details.of(session.get_one(Patient, patient.id))
    assert kept == contact_details.ContactDetails("7 Oak Ave", "Ana", "", "+12015550145")
    _act, detail = next(line for line in acts(house) if line[0] == "patient.details")
    assert "Oak" not in detail
    assert "address" in detail


def test_files_may_keep_the_details_again_once_that_is_chosen(scene):
    house, browser, patient, _ = scene
    browser.post(f"/patients/{patient.id}/details", address="7 Oak Ave", from_files="yes")
    again = {"record": "MRN-204", "first_name": "Teresa", "last_name": "Quintana", "number": None, "birth_date": None}
    with db.unit_of_work(house.clinic.id) as session:
        directory.save_patient(session, house.clinic, directory.PatientRecord(**again, details=HOME))
    with db.unit_of_work(house.clinic.id) as session:
        assert contact_details.of(session.get_one(Patient, patient.id)) == HOME


def test_what_is_too_long_is_not_lost(scene):
    _, browser, patient, _ = scene
    answer = browser.post(f"/patients/{patient.id}/details", address="x" * 241, emergency_name="Ana")
    assert answer.status_code == 422
    assert "x" * 241 in answer.text
    assert "Ana" in answer.text


def test_a_safety_plan_is_kept_version_by_version_and_stands_on_the_case(scene):
    house, browser, patient, item = scene
    page = f"/patients/{patient.id}/safety-plan"
    assert browser.post(page, **PLAN).status_code == 303
    assert "I stop answering" in browser.get(f"/inbox/{item.id}").text
    with db.unit_of_work(house.clinic.id) as session:
        first = session.scalars(select(SafetyPlan)).one()
    assert browser.post(page, seen=str(first.id), **PLAN | {"means": "Luis keeps the pills"}).status_code == 303
    text = browser.get(page).text
    assert "Rosa keeps the pills" in text
    assert "Luis keeps the pills" in text
    assert "holds now" in text
    assert [act for act, _ in acts(house)].count("safety_plan.written") == 2


def test_a_safety_plan_is_read_by_the_patient_only_once_somebody_says_so(scene):
    house, browser, patient, _ = scene
    page = f"/patients/{patient.id}/safety-plan"
    seen = ""
    for ticked, shared in (({}, {}), ({"shared": "on"}, PLAN), ({}, {})):
        assert browser.post(page, seen=seen, **PLAN, **ticked).status_code == 303
        assert ('name="shared" checked' in browser.get(page).text) == bool(ticked)
        with db.unit_of_work(house.clinic.id, read_only=True) as session:
            assert safety_plans.KIND.shared(session, patient.id) == shared
            seen = str(safety_plans.KIND.current(session, patient.id).id)


def test_of_two_who_write_a_plan_at_once_the_second_sees_both_and_loses_nothing(scene):
    _, browser, patient, _ = scene
    page = f"/patients/{patient.id}/safety-plan"
    browser.post(page, **PLAN)
    answer = browser.post(page, warning_signs="my own words")
    assert answer.status_code == 409
    assert "my own words" in answer.text
    assert "I stop answering" in answer.text
    assert "Rosa Delgado has written" in answer.text


def test_the_same_plan_saved_twice_is_one_version(scene):
    house, browser, patient, _ = scene
    for _ in range(2):
        browser.post(f"/patients/{patient.id}/safety-plan", **PLAN)
    with db.unit_of_work(house.clinic.id) as session:
        assert len(session.scalars(select(SafetyPlan)).all()) == 1


def test_the_protocol_is_ticked_by_name_and_acknowledges_nothing(scene):
    house, browser, _, item = scene
    publish(house)
    page = f"/inbox/{item.id}"
    assert all(line in browser.get(page).text for line in LINES)
    assert browser.post(f"{page}/protocol", done=LINES[0]).status_code == 303
    text = browser.get(page).text
    assert "Rosa Delgado did by the protocol: Call the patient." in text
    assert "Done, take back" in text
    assert house.read(type(item), item.id).acknowledged_at is None
    publish(house, lines=("Something else.",))
    assert LINES[0] in browser.get(page).text, "what was done stays, whatever the clinic writes later"
    browser.post(f"{page}/protocol", undo=LINES[0])
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalars(select(ProtocolTick)).all() == []
    assert {"item.protocol_done", "item.protocol_undone"} <= {act for act, _ in acts(house)}


def test_a_line_that_is_not_in_the_protocol_cannot_be_ticked(scene):
    house, browser, _, item = scene
    publish(house)
    assert browser.post(f"/inbox/{item.id}/protocol", done="made up").status_code == 303
    assert "protocol was changed" in browser.get(f"/inbox/{item.id}").text


def test_earlier_safety_items_stand_at_a_glance(scene):
    house, browser, patient, _ = scene
    later = house.item("safety", patient_id=patient.id, summary="again")
    assert "I can&#39;t go on" in browser.get(f"/inbox/{later.id}").text.split('id="kit-title"')[1]


def test_the_front_desk_sees_who_it_is_and_nothing_clinical(scene):
    house, browser, patient, _ = scene
    browser.post(f"/patients/{patient.id}/safety-plan", **PLAN)
    desk = house.signed_in(house.staff("Sam Whitfield", role="front_desk"))
    text = desk.get(f"/patients/{patient.id}").text
    assert "MRN-204" in text
    assert "12 Elm St" in text
    assert "I stop answering" not in text
    assert "Earlier safety items" not in text
    assert "t go on" not in text
    assert desk.get(f"/patients/{patient.id}/safety-plan").status_code == 403


def test_an_administrator_writes_the_protocol_with_a_draft_and_its_mistakes_at_the_field(house):
    admin = house.signed_in(house.staff("Ines Vogel", role="clinic_admin"))
    answer = admin.post("/settings/protocol", edit="0", lines="Call.\nCall.\n")
    assert answer.status_code == 422
    assert "two lines are the same" in answer.text
    assert "Call." in answer.text
    assert admin.post("/settings/protocol", edit="0", lines="Call.\n\nAsk.").status_code == 303
    assert "Ask." in admin.get("/settings/protocol").text
