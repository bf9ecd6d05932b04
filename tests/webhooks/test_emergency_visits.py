"""A hospital's feed tells of emergency visits: kept once by its own key, seen by the care manager, texted to nobody."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from config import clock, db
from interchange import jobs
from messaging.models import Clinic, Message, Patient
from reminders import emergency, merging
from reminders.models import Appointment, EmergencyCover, EmergencyVisit, Reminder
from tests.interchange.messages import PID, explained, header, visit
from tests.interchange.resources import PATIENT, bundle
from tests.webhooks.ehr_world import SOON, World, both
from web.presenters import feed_acts

NOW = clock.now().replace(microsecond=0)


def adt(event: str, *, number: str = "E77", kind: str = "E", ago: timedelta = timedelta(hours=3), at: int = 0) -> str:
    """An ADT message about a visit that began so long ago, written at that second."""
    began = f"{NOW - ago:%Y%m%d%H%M%S}+0000"
    pv1 = f"PV1|1|{kind}|ED^1" + "|" * 16 + f"{number}^^^GEN" + "|" * 25 + began
    head = header(event, control_id=f"{event}{number}{at}").replace("|20260301120000|", f"|202603011200{at:02}|")
    return "\r".join([head, f"EVN|{event}|{began}", PID, pv1])


ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter", "id": "e1", "status": "in-progress",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "EMER"},
    "subject": {"reference": "Patient/p1"}, "period": {"start": f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"},
}  # fmt: skip


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    return World(clinic)


@pytest.fixture
def ana(world: World) -> Patient:
    """The patient whom the feed knows: its first booking has added them, and is gone."""
    world.hear(visit("S12", start=SOON))
    (patient,) = world.rows(Patient)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(Reminder))
        session.execute(delete(Appointment))
    return patient


@both
def test_an_emergency_visit_is_kept_once_however_often_and_by_whichever_event_it_is_told(
    world: World, ana: Patient
) -> None:
    assert world.hear(adt("A04"), adt("A08", at=1), adt("A01", at=2), adt("A03", at=3)) == ["AA"] * 4
    (row,) = world.rows(EmergencyVisit)
    assert (row.patient_id, row.source, row.state) == (ana.id, "ehr.books", "kept")
    assert row.at == NOW - timedelta(hours=3)
    world.hear(adt("A04", number="E78", ago=timedelta(hours=1)))
    assert len(world.rows(EmergencyVisit)) == 2
    assert world.rows(Appointment) == []
    assert world.rows(Reminder) == []
    assert world.rows(Message) == []


def test_a_ward_is_no_emergency_department_and_going_on_to_one_takes_nothing_back(world: World, ana: Patient) -> None:
    world.hear(adt("A01", kind="I", number="W1"))
    assert world.rows(EmergencyVisit) == []
    world.hear(adt("A04"), adt("A01", kind="I", at=1), adt("A11", kind="I", at=2))
    assert [row.state for row in world.rows(EmergencyVisit)] == ["kept"]


@both
def test_a_visit_taken_back_is_none_whichever_message_comes_first(world: World, ana: Patient) -> None:
    world.hear(adt("A04"), adt("A11", at=1), adt("A11", number="E78", at=5), adt("A04", number="E78", at=4))
    assert [row.state for row in world.rows(EmergencyVisit)] == ["cancelled", "cancelled"]
    world.hear(adt("A04", at=9))
    assert sorted(row.state for row in world.rows(EmergencyVisit)) == ["cancelled", "kept"]
    with db.unit_of_work(world.clinic.id) as session:
        assert len(emergency.of_patient(session, ana.id)) == 1


def test_nobody_becomes_a_patient_of_the_clinic_by_an_emergency_visit(world: World) -> None:
    world.hear(adt("A04"))
    assert world.rows(EmergencyVisit) == []
    assert world.rows(Patient) == []


def test_a_visit_without_a_number_is_known_by_whose_it_is_and_its_beginning(world: World, ana: Patient) -> None:
    world.hear(adt("A04", number=""), adt("A08", number="", at=1), adt("A04", number="4711", at=2))
    assert len(world.rows(EmergencyVisit)) == 1


def test_a_profile_may_call_emergencies_by_another_class_or_keep_none(house: Any, clinic: Clinic) -> None:
    world = World(clinic, emergency=["ED"])
    world.hear(visit("S12", start=SOON), adt("A04"), adt("A04", kind="ED", number="E2"))
    assert [row.external_id for row in world.rows(EmergencyVisit)] == ["BOOKS|ELM|E2^GEN"]


@both
def test_an_encounter_of_class_emergency_is_kept_and_one_that_was_an_error_is_taken_back(
    world: World, ana: Patient
) -> None:
    person = PATIENT | {"identifier": [{"system": "ELM", "value": "4711", "type": {"coding": [{"code": "MR"}]}}]}

    def post(**changed: Any) -> None:
        body = bundle(ENCOUNTER | changed, person)
        assert world.post(json.dumps(body), **{"content-type": "application/fhir+json"}).status_code == 200
        jobs.drain()

    post()
    post(status="finished")
    (row,) = world.rows(EmergencyVisit)
    assert (row.patient_id, row.state) == (ana.id, "kept")
    post(status="entered-in-error")
    post(id="e2", **{"class": {"code": "AMB"}})
    assert [row.state for row in world.rows(EmergencyVisit)] == ["cancelled"]


def test_whom_the_feed_knows_is_covered_once_and_a_merge_takes_all_of_it_along(
    world: World, ana: Patient, new_patient: Any
) -> None:
    world.hear(adt("A04"), adt("A08", at=1))
    (covered,) = world.rows(EmergencyCover)
    assert (covered.patient_id, covered.source) == (ana.id, "ehr.books")
    stays = new_patient("Ann")
    with db.unit_of_work(world.clinic.id) as session:
        merging.merge(
            session, session.get_one(Clinic, world.clinic.id), session.get_one(Patient, stays.id),
            session.get_one(Patient, ana.id), "staff:1",
        )  # fmt: skip
    assert [row.patient_id for row in world.rows(EmergencyVisit)] == [stays.id]
    assert [row.patient_id for row in world.rows(EmergencyCover)] == [stays.id]
    world.hear(adt("A03", at=9))
    assert [row.patient_id for row in world.rows(EmergencyVisit)] == [stays.id]


def test_explain_shows_it_beside_the_acts_which_stay_as_they_were() -> None:
    answer = explained(adt("A04"))
    assert [act["act"] for act in answer["acts"]] == ["patient.update"]
    assert [act["act"] for act in answer["emergency"]] == ["emergency.visit"]
    told = feed_acts.told(answer, "America/Denver").acts
    assert [act.what.split(":")[0] for act in told][1:] == [
        "Keep that they are in an emergency department, if they are known"
    ]
    assert "emergency" not in explained(adt("A04", kind="O"))
    assert explained(adt("A11"))["acts"] == [{"act": "ignore"}]
