"""A hospital's feed tells of stays: kept once by their own key in any order, planned around and texted by nobody."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete

from config import db
from interchange import jobs
from messaging.models import Clinic, Message, Patient
from reminders import merging
from reminders.models import Appointment, EmergencyVisit, InpatientStay, Reminder
from tests.interchange.messages import PID, explained, header, visit
from tests.interchange.resources import PATIENT, bundle
from tests.webhooks.ehr_world import SOON, World, both
from web.presenters import feed_acts

ADMITTED, MOVED, LEFT = "20260310140000+0000", "20260309140000+0000", "20260314160000+0000"


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def adt(
    event: str, second: int, *, kind: str = "I", number: str = "S1", happened: str = "", admitted: str = ADMITTED,
    discharged: str = "",
) -> str:  # fmt: skip
    """An ADT message about a stay, written at that second of the last day."""
    fields = {2: kind, 19: f"{number}^^^GEN" if number else "", 44: admitted, 45: discharged}
    pv1 = "|".join(["PV1", "1", *(fields.get(place, "") for place in range(2, 46))])
    head = header(event, control_id=f"{event}{number}{second}").replace(
        "|20260301120000|", f"|202603201200{second:02}+0000|"
    )
    return "\r".join([head, f"EVN|{event}|{happened or admitted}", PID, pv1])


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    return World(clinic, zone="America/Denver")


@pytest.fixture
def ana(world: World) -> Patient:
    """The patient whom the feed knows: its first booking has added them, and is gone."""
    world.hear(visit("S12", start=SOON))
    (patient,) = world.rows(Patient)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(Reminder))
        session.execute(delete(Appointment))
    return patient


def facts(world: World) -> list[tuple[str, datetime | None, datetime | None]]:
    return [(row.state, row.admitted_at, row.discharged_at) for row in world.rows(InpatientStay)]


@both
def test_a_stay_is_kept_once_from_its_admission_to_its_discharge_and_nothing_follows(
    world: World, ana: Patient
) -> None:
    assert world.hear(adt("A01", 1), adt("A01", 1)) == ["AA", "AA"]
    assert facts(world) == [("kept", at(10, 14), None)]
    world.hear(adt("A03", 5, discharged=LEFT), adt("A08", 2, admitted=MOVED))
    (row,) = world.rows(InpatientStay)
    assert (row.patient_id, row.source, row.external_id) == (ana.id, "ehr.books", "BOOKS|ELM|S1^GEN")
    assert facts(world) == [("kept", at(10, 14), at(14, 16))]
    world.hear(adt("A08", 6, admitted=MOVED))
    assert facts(world) == [("kept", at(9, 14), at(14, 16))]
    for model in (Appointment, Reminder, Message, EmergencyVisit):
        assert world.rows(model) == []


def test_a_discharge_that_comes_before_its_admission_is_no_less_one(world: World, ana: Patient) -> None:
    world.hear(adt("A03", 5, admitted="", discharged=LEFT, kind=""), adt("A01", 1))
    assert facts(world) == [("kept", at(10, 14), at(14, 16))]


@both
@pytest.mark.parametrize("late", [False, True])
def test_an_admission_and_a_discharge_are_taken_back_whichever_message_comes_first(
    world: World, ana: Patient, late: bool
) -> None:
    told = [adt("A01", 1), adt("A11", 2, kind=""), adt("A03", 3, number="S2", discharged=LEFT)]
    told += [adt("A13", 4, number="S2")]
    world.hear(*(reversed(told) if late else told))
    assert sorted(facts(world)) == [("cancelled", at(10, 14), None), ("kept", at(10, 14), None)]


def test_who_becomes_an_inpatient_is_one_from_then_on_until_they_are_none_again(world: World, ana: Patient) -> None:
    world.hear(adt("A06", 1, happened="20260311080000+0000"))
    assert facts(world) == [("kept", at(11, 8), None)]
    world.hear(adt("A07", 2, kind="O", happened="20260313080000+0000"))
    assert facts(world) == [("kept", at(11, 8), at(13, 8))]


def test_where_only_days_are_told_the_days_of_admission_and_discharge_belong_to_the_stay(
    world: World, ana: Patient
) -> None:
    world.hear(adt("A03", 1, admitted="20260307", discharged="20260308"))
    # The clocks of Denver go forward on the 8th: it ends an hour sooner.
    assert facts(world) == [("kept", at(7, 7), at(9, 6))]


def test_an_emergency_department_a_clinic_and_a_stranger_bring_no_stay(world: World) -> None:
    world.hear(adt("A01", 1))
    world.hear(visit("S12", start=SOON), adt("A01", 2, kind="E"), adt("A04", 3, kind="O"), adt("A03", 4, kind="O"))
    assert world.rows(InpatientStay) == []


def test_a_profile_may_call_an_observation_by_its_own_class_or_keep_no_stays(house: Any, clinic: Clinic) -> None:
    world = World(clinic, inpatient=["OBS"])
    world.hear(visit("S12", start=SOON), adt("A01", 1), adt("A01", 2, kind="OBS", number="S2"))
    assert [row.external_id for row in world.rows(InpatientStay)] == ["BOOKS|ELM|S2^GEN"]


def test_a_merge_takes_stays_along(world: World, ana: Patient, new_patient: Any) -> None:
    world.hear(adt("A01", 1))
    stays = new_patient("Ann")
    with db.unit_of_work(world.clinic.id) as session:
        merging.merge(
            session, session.get_one(Clinic, world.clinic.id), session.get_one(Patient, stays.id),
            session.get_one(Patient, ana.id), "staff:1",
        )  # fmt: skip
    world.hear(adt("A03", 2, discharged=LEFT))
    assert [row.patient_id for row in world.rows(InpatientStay)] == [stays.id]
    assert facts(world) == [("kept", at(10, 14), at(14, 16))]


def test_explain_shows_a_stay_beside_the_acts_which_stay_as_they_were() -> None:
    answer = explained(adt("A03", 1, discharged=LEFT))
    assert [act["act"] for act in answer["acts"]] == ["patient.update"]
    (stay,) = answer["inpatient"]
    assert (stay["act"], stay["discharged_at"]) == ("inpatient.stay", "2026-03-14T16:00:00Z")
    shown = dict(feed_acts.told(answer, "America/Denver").acts[1].facts)
    assert shown["Admitted"].startswith("Mar 10, 2026")
    assert shown["Discharged"].startswith("Mar 14, 2026")
    assert explained(adt("A13", 1))["inpatient"][0]["discharged_at"] is None
    assert "inpatient" not in explained(adt("A08", 1, admitted=""))


ENCOUNTER: dict[str, Any] = {
    "resourceType": "Encounter", "id": "n1", "status": "in-progress", "class": {"code": "IMP"},
    "subject": {"reference": "Patient/p1"}, "period": {"start": "2026-03-10T14:00:00Z"},
}  # fmt: skip
PERSON = PATIENT | {"identifier": [{"system": "ELM", "value": "4711", "type": {"coding": [{"code": "MR"}]}}]}


def send(world: World, said: int, **changed: Any) -> None:
    encounter = ENCOUNTER | {"meta": {"lastUpdated": f"2026-03-20T12:00:{said:02}Z"}} | changed
    body = json.dumps(bundle(encounter, PERSON))
    assert world.post(body, **{"content-type": "application/fhir+json"}).status_code == 200
    jobs.drain()


@both
def test_an_encounter_that_is_sent_ends_in_the_same_stay(world: World, ana: Patient) -> None:
    period = {"start": "2026-03-10T14:00:00Z", "end": "2026-03-14T16:00:00Z"}
    send(world, 1)
    assert facts(world) == [("kept", at(10, 14), None)]
    send(world, 5, status="finished", period=period)
    send(world, 3)
    assert facts(world) == [("kept", at(10, 14), at(14, 16))]
    send(world, 6)
    assert facts(world) == [("kept", at(10, 14), None)]
    send(world, 7, status="entered-in-error")
    assert [state for state, *_ in facts(world)] == ["cancelled"]


@pytest.mark.parametrize(
    ("kind", "stays"),
    [("IMP", 1), ("ACUTE", 1), ("NONAC", 1), ("OBSENC", 1), ("AMB", 0), ("EMER", 0), ("SS", 0), ("HH", 0), ("VR", 0)],
)
def test_inpatients_and_who_is_under_observation_are_in_a_hospital(
    world: World, ana: Patient, kind: str, stays: int
) -> None:
    send(world, 1, **{"class": {"code": kind}})
    send(world, 2, id="n2", **{"class": [{"coding": [{"code": kind}]}]})  # as R5 says it
    send(world, 3, id="n3", status="planned", **{"class": {"code": kind}})
    assert len(world.rows(InpatientStay)) == 2 * stays


def test_a_stay_that_has_ended_and_does_not_say_when_had_done_so_when_that_was_written(
    world: World, ana: Patient
) -> None:
    send(world, 5, status="finished")
    assert facts(world) == [("kept", at(10, 14), datetime(2026, 3, 20, 12, 0, 5, tzinfo=UTC))]
    send(world, 6, id="n2", status="finished", meta={})
    assert facts(world)[1] == ("kept", at(10, 14), None)
    assert "end_missing" in world.problems()


def test_numbers_as_dates_of_an_encounter_are_told(world: World, ana: Patient) -> None:
    send(world, 1, period={"start": "2026-03-10T14:00:00Z", "end": 46095})
    assert facts(world) == [("kept", at(10, 14), None)]
    assert "time_unreadable" in world.problems()
    send(world, 2, id="n2", period={"start": 46091})
    assert len(facts(world)) == 1
    assert "start_unreadable" in world.problems()
