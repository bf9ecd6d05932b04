"""What routing knows of an item: where the visit is, who dealt with the patient before, what was screened."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from config import clock, db
from messaging import jobs
from messaging.inbox import items, needs
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from reminders.models import Appointment


@pytest.fixture
def opened(clinic):
    """Opens an item about a patient; what routing may ask of a screen goes with it."""

    def opened(kind="screen", screened=None, **more) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            item = items.open_item(
                session, clinic, kind=kind, about="screen:1", dedupe=f"x:{db.new_id()}", summary="x", **more
            )
            item.screened = json.dumps(screened) if screened else None
            return item

    return opened


@pytest.fixture
def rules(clinic):
    """Lets the clinic follow these rules."""

    def rules(*routes) -> None:
        clinic.rules = {"routes": list(routes)}
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(Clinic).values(rules=clinic.rules))

    return rules


def visit(clinic, patient, place: str, in_hours: int, state: str = "booked") -> None:
    now = clock.now()
    with db.unit_of_work(clinic.id) as session:
        session.add(
            Appointment(
                clinic_id=clinic.id,
                patient_id=patient.id,
                source="x",
                external_id=str(db.new_id()),
                starts_at=now + timedelta(hours=in_hours),
                zone=clinic.zone,
                booked_at=now,
                place=place,
                state=state,
                created_at=now,
                updated_at=now,
            )
        )


def need(clinic, item):
    with db.unit_of_work(clinic.id) as session:
        row = session.get_one(InboxItem, item.id)
        patient = session.get(Patient, row.patient_id) if row.patient_id else None
        return needs.of_item(session, clinic, row, patient)


def test_the_place_is_that_of_the_nearest_visit_that_holds(clinic, new_patient, opened, rules):
    rules({"name": "x", "to": "on_duty"})
    patient = new_patient()
    for place, hours, state in (("North", 30, "booked"), ("South", -2, "arrived"), ("East", 1, "cancelled")):
        visit(clinic, patient, place, hours, state)
    assert need(clinic, opened(patient_id=patient.id)).place == "South"
    assert need(clinic, opened()).place is None


def test_who_dealt_with_the_patient_last_is_a_care_manager_who_is_still_here(
    clinic, new_patient, new_staff, opened, rules
):
    rules({"name": "x", "to": "existing"})
    patient = new_patient()
    rosa, ines = new_staff("Rosa"), new_staff("Ines", role="clinician")
    for staff in (rosa, ines):
        item = opened("reply", patient_id=patient.id)
        with db.unit_of_work(clinic.id) as session:
            items.acknowledge(session, session.get_one(InboxItem, item.id), staff, "replied")
    assert need(clinic, opened(patient_id=patient.id)).existing == rosa.id
    with db.unit_of_work(db.EVERY) as session:
        session.merge(rosa).active = False
    assert need(clinic, opened(patient_id=patient.id)).existing is None


def test_a_clinic_without_rules_asks_for_nothing_more(clinic, new_patient, opened):
    patient = new_patient()
    visit(clinic, patient, "North", 1)
    asked_for = need(clinic, opened(patient_id=patient.id, screened={"instrument": "phq9", "bands": ["minimal"]}))
    assert (asked_for.place, asked_for.instrument) == (None, None)


def test_an_item_goes_by_the_band_of_its_screen_and_says_by_which_rule(clinic, new_staff, opened, desk, rules):
    new_staff("Alba")
    ben = new_staff("Ben")
    by_band = {
        "name": "Severe",
        "to": "people",
        "people": [ben.email],
        "instrument": "phq9",
        "band": "severe",
    }
    rules(by_band)
    bands = ["minimal", "mild", "moderate", "moderately_severe", "severe"]
    severe = opened(screened={"instrument": "phq9", "bands": bands})
    mild = opened(screened={"instrument": "phq9", "bands": bands[:2]})
    jobs.fire_timers()
    stored = desk.item(severe.id)
    assert (stored.owner_id, stored.reason) == (ben.id, ["route:Severe", "on_duty"])
    assert desk.item(mild.id).owner_id != ben.id
    assert stored.screened_ct is not None
    assert b"severe" not in stored.screened_ct
