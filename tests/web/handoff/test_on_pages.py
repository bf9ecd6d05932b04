"""How a handoff is said and ended on pages: by how they meet, on another day, in a patient's case."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.consent import ledger
from messaging.models import Patient
from reminders import handoff_steps
from reminders.cadence import cadence_definition
from reminders.models import Appointment, Handoff
from tests.reminders.conftest import cadence_version
from tests.web.boards.test_unreached import visit
from tests.web.handoff.test_handoffs import asked, only


def test_another_time_pressed_twice_is_booked_once_and_its_kind_is_one_of_the_cadences(house: Any) -> None:
    shipped = cadence_definition.default().model_dump(mode="json")
    definition = shipped | {"kinds": {"Intake": shipped["steps"][:1]}}
    with db.unit_of_work(db.EVERY) as session:
        session.add(cadence_version(house.clinic, definition, clock.now()))
    rosa, _ = asked(house)
    path = f"/handoffs/{only(house).id}"
    assert rosa.post(f"{path}/accept").status_code == 303
    assert "<option>Intake</option>" in rosa.get("/handoffs").text
    assert rosa.post(f"{path}/scheduled", at="2199-05-05T10:00", kind="Gossip").status_code == 400
    for _ in range(2):
        assert rosa.post(f"{path}/scheduled", at="2199-05-05T10:00", kind="Intake").status_code == 303
    booked = only(house).visit_id
    with db.unit_of_work(db.EVERY) as session:
        [visit] = session.scalars(select(Appointment))
        assert (visit.id, visit.kind) == (booked, "Intake")


def test_a_referral_stands_on_the_page_until_somebody_says_how_it_ended(house: Any) -> None:
    rosa, _ = asked(house, modality="later")
    handoff = only(house)
    page = rosa.get("/handoffs").text
    assert f'action="/handoffs/{handoff.id}/met"' in page
    assert rosa.post("/inbox/bulk", item=[str(handoff.item_id)], act="resolve").status_code == 303
    handoff_steps.drain()
    assert only(house).state == "referred"
    assert rosa.post(f"/handoffs/{handoff.id}/declined").status_code == 303
    assert only(house).state == "declined"


def test_what_can_be_pressed_is_said_by_how_they_meet(house: Any) -> None:
    rosa, _ = asked(house, modality="call")
    handoff = only(house)
    for page in (rosa.get("/handoffs").text, rosa.get(f"/inbox/{handoff.item_id}").text):
        assert "I&#39;ll call them" in page or "I'll call them" in page
        assert "I'm coming" not in page.replace("&#39;", "'").replace("says “I'm coming”", "")
    assert rosa.post(f"/handoffs/{handoff.id}/accept").status_code == 303
    assert "calling them" in rosa.get("/handoffs").text


def test_whoever_takes_on_a_patient_who_is_there_already_reads_so(house: Any) -> None:
    rosa, _ = asked(house)
    ben = house.signed_in(house.staff("Ben Okafor", number="+12025550152"))
    path = f"/handoffs/{only(house).id}"
    for act in ("accept", "arrived", "release"):
        assert rosa.post(f"{path}/{act}").status_code == 303
    assert ben.post(f"{path}/accept").status_code == 303
    assert "They are there already" in ben.get("/handoffs").text
    assert only(house).state == "arrived"


def test_the_case_of_a_patient_shows_how_their_handoff_goes(house: Any) -> None:
    patient = house.patient(record="A-1")
    reply = house.item("reply", patient_id=patient.id)
    rosa = house.signed_in(house.staff(number="+12025550150"))
    doctor = house.signed_in(house.staff("Dr Okafor", role="clinician"))
    assert 'aria-label="How it goes"' not in rosa.get(f"/inbox/{reply.id}").text
    assert doctor.post("/handoffs", record="A-1").status_code == 303
    assert rosa.post(f"/handoffs/{only(house).id}/accept").status_code == 303
    for item_id in (reply.id, only(house).item_id):
        page = rosa.get(f"/inbox/{item_id}").text
        strip = page[page.index('aria-label="How it goes"') :]
        assert strip.index("Asked") < strip.index("Accepted") < strip.index("There") < strip.index("</ol>")


def strip(page: Any) -> list[str]:
    """The steps of the first handoff on a page, without their moments."""
    steps = re.search(r'<ol class="steps small".*?</ol>', page.text, re.DOTALL)
    assert steps
    return [re.sub(r"<.*", "", each, flags=re.DOTALL).strip() for each in re.findall(r"<li[^>]*>(.*?)</li>", steps[0])]


@pytest.mark.parametrize(
    ("modality", "steps"),
    [
        ("in_person", ["Asked", "Accepted", "Patient told", "There", "Met"]),
        ("call", ["Asked", "Accepted", "Patient told", "Answered", "Met"]),
        ("later", ["Asked", "In touch"]),
    ],
)
def test_the_strip_has_the_steps_of_how_they_meet(house: Any, modality: str, steps: list[str]) -> None:
    rosa, _ = asked(house, modality=modality)
    assert strip(rosa.get("/handoffs")) == steps


def test_whoever_accepts_reads_who_goes_where_by_how_they_meet(house: Any) -> None:
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    rosa = house.signed_in(house.staff(number="+12025550150"))
    for record, modality, words in (
        ("A-1", "in_person", "the front desk is asked to walk with them"),
        ("A-2", "call", "so they do not expect your call"),
    ):
        patient = house.patient(record=record, number=None)
        assert desk.post("/handoffs", record=record, modality=modality).status_code == 303
        with db.unit_of_work(db.EVERY) as session:
            handoff_id = session.scalars(select(Handoff.id).where(Handoff.patient_id == patient.id)).one()
        rosa.post(f"/handoffs/{handoff_id}/accept")
        assert words in rosa.get("/handoffs").text


def test_who_has_a_visit_today_stands_in_the_order_of_the_day(house: Any) -> None:
    for name, hour in (("Noon", 12), ("Late", 15), ("Early", 8)):
        visit(house, house.patient(first_name=name), days=0, hour=hour)
    page = house.signed_in(house.staff("Dr Okafor", role="clinician")).get("/handoffs").text
    listed = re.findall(r"(Early|Noon|Late) \w+</option>", page)
    assert listed == ["Early", "Noon", "Late"]


def test_whoever_takes_back_what_the_patient_knows_of_is_asked_to_tell_them(house: Any) -> None:
    rosa = house.signed_in(house.staff(number="+12025550150"))
    doctor = house.signed_in(house.staff("Dr Okafor", role="clinician"))
    for record, told in (("A-1", True), ("A-2", False)):
        patient = house.patient(record=record)
        with db.unit_of_work(house.clinic.id) as session:
            number = session.get_one(Patient, patient.id).numbers[0].number or ""
            ledger.record(session, house.clinic, number, "granted", source="staff", actor="operator")
        assert doctor.post("/handoffs", record=record).status_code == 303
        with db.unit_of_work(db.EVERY) as session:
            handoff_id = session.scalars(select(Handoff.id).where(Handoff.patient_id == patient.id)).one()
        if told:
            assert rosa.post(f"/handoffs/{handoff_id}/accept").status_code == 303
        assert doctor.post(f"/handoffs/{handoff_id}/cancel").status_code == 303
        assert ("still expects somebody" in doctor.get("/handoffs").text) == told


def test_that_they_have_written_is_said_to_all_and_leads_only_who_may_read_it(house: Any) -> None:
    rosa, _ = asked(house)
    desk = house.signed_in(house.staff("Ida Frank", role="front_desk"))
    handoff = only(house)
    assert rosa.post(f"/handoffs/{handoff.id}/accept").status_code == 303
    assert "They have written" not in rosa.get("/handoffs").text
    with db.unit_of_work(house.clinic.id) as session:
        patient = session.get_one(Patient, handoff.patient_id)
    conversation = house.text_from(patient, "I cannot now")
    item = house.item("reply", patient_id=patient.id, conversation_id=conversation.id, summary="I cannot now")
    assert f'href="/inbox/{item.id}">Read it' in rosa.get("/handoffs").text
    page = desk.get("/handoffs").text
    assert "They have written" in page
    assert "Read it" not in page
    assert "I cannot now" not in page
    assert rosa.post("/inbox/bulk", item=[str(item.id)], act="resolve").status_code == 303
    assert "They have written" not in rosa.get("/handoffs").text
