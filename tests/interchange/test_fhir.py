"""FHIR R4 appointments and patients as acts; what is right by R4 is judged by the field's own models."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from tests.interchange.resources import (
    APPOINTMENT,
    MR,
    PATIENT,
    act,
    bundle,
    explained,
    observation,
    problems,
    response,
)


@pytest.mark.parametrize("resource", [APPOINTMENT, PATIENT, observation(), response(), bundle(APPOINTMENT, PATIENT)])
def test_what_these_tests_send_is_fhir_by_the_judge(resource: dict[str, Any]) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert problems(resource) == []


def test_an_appointment_is_told_whole() -> None:
    assert explained(APPOINTMENT) == {
        "ack": "ok",
        "acts": [
            {
                "act": "visit.book",
                "key": "urn:oid:1.2.3|V7",
                "start": "2026-03-10T15:00:00Z",
                "local": "2026-03-10T15:00",
                "minutes": 30,
                "patient": {"identifier": "p1", "authority": None, "reference": "Patient/p1"},
                "place": "Elm",
                "clinician": "Dana Hart",
                "kind": "Follow-up",
            }
        ],
        "problems": [],
    }


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        ("booked", "visit.book"),
        ("arrived", "visit.arrived"),
        ("checked-in", "visit.arrived"),
        ("fulfilled", "visit.arrived"),
        ("cancelled", "visit.cancel"),
        ("entered-in-error", "visit.cancel"),
        ("noshow", "visit.no_show"),
        ("proposed", "ignore"),
        ("pending", "ignore"),
        ("waitlist", "ignore"),
    ],
)
def test_each_status_has_its_act(status: str, happened: str) -> None:
    assert act(APPOINTMENT | {"status": status})["act"] == happened


@pytest.mark.parametrize(("status", "problem"), [("parked", "status_unsupported"), (None, "status_missing")])
def test_a_status_that_r4_has_not_is_refused(status: str | None, problem: str) -> None:
    answer = explained(APPOINTMENT | {"status": status})
    assert (answer["ack"], answer["acts"]) == ("refused", [])
    assert problems(APPOINTMENT | {"status": status}) == [problem]


def test_the_key_is_an_identifier_with_its_system_else_the_resource_s_id() -> None:
    two = [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}]
    assert act(APPOINTMENT | {"identifier": two})["key"] == "urn:a|1"
    assert act(APPOINTMENT | {"identifier": two}, appointment_system="urn:b")["key"] == "urn:b|2"
    assert act(APPOINTMENT | {"identifier": []})["key"] == "Appointment/a1"
    nameless = {name: value for name, value in APPOINTMENT.items() if name not in ("id", "identifier")}
    assert (explained(nameless)["ack"], problems(nameless)) == ("refused", ["key_missing"])


@pytest.mark.parametrize(
    ("written", "start", "told"),
    [
        ("2026-03-10T15:00:00Z", "2026-03-10T15:00:00Z", []),
        ("2026-03-10T09:00:00.000-06:00", "2026-03-10T15:00:00Z", []),
        ("2026-03-10T09:00:00", "2026-03-10T15:00:00Z", []),
        ("2026-11-01T01:30:00", "2026-11-01T07:30:00Z", ["clock_repeats"]),
        ("2026-03-10", None, ["start_without_hour"]),
    ],
)
def test_f10_dates_without_hours_and_times_in_utc(written: str, start: str | None, told: list[str]) -> None:
    resource = {name: value for name, value in APPOINTMENT.items() if name != "end"} | {"start": written}
    assert (act(resource)["start"], problems(resource)) == (start, told)


@pytest.mark.parametrize(
    ("written", "problem"), [("soon", "start_unreadable"), ("", "start_missing"), (46091, "start_unreadable")]
)
def test_a_booked_appointment_without_a_start_is_refused(written: object, problem: str) -> None:
    assert problems(APPOINTMENT | {"start": written}) == [problem]
    assert act(APPOINTMENT | {"start": written, "status": "cancelled"})["act"] == "visit.cancel"


def test_since_when_a_visit_is_booked_is_told_as_an_instant_or_not_at_all() -> None:
    assert act(APPOINTMENT | {"created": "2026-02-01T09:00:00-07:00"})["booked"] == "2026-02-01T16:00:00Z"
    for unclear in ("2026-02-01", "2026-02-01T09:00:00", "soon", None):
        assert "booked" not in act(APPOINTMENT | {"created": unclear})


def test_a_duration_that_contradicts_the_end_is_told() -> None:
    assert (act(APPOINTMENT | {"minutesDuration": 45})["minutes"], problems(APPOINTMENT | {"minutesDuration": 45})) == (
        45,
        ["minutes_differ"],
    )
    assert act(APPOINTMENT | {"minutesDuration": None})["minutes"] == 30


def test_several_patients_and_none() -> None:
    both = [{"actor": {"reference": "Patient/p1"}}, {"actor": {"reference": "Patient/p2"}}]
    assert problems(APPOINTMENT | {"participant": both}) == ["several_patients"]
    assert problems(APPOINTMENT | {"participant": []}) == ["patient_missing"]


def test_a_patient_is_followed_to_what_came_along() -> None:
    assert explained(bundle(PATIENT, APPOINTMENT))["acts"][1]["patient"] == MR
    by_url = [{"actor": {"reference": "urn:uuid:0"}}]
    assert explained(bundle(PATIENT, APPOINTMENT | {"participant": by_url}))["acts"][1]["patient"] == MR
    inside = APPOINTMENT | {"contained": [PATIENT], "participant": [{"actor": {"reference": "#p1"}}]}
    assert act(inside)["patient"] == MR
    absolute = [{"actor": {"reference": "https://ehr.example/fhir/Patient/p1"}}]
    assert act(APPOINTMENT | {"participant": absolute})["patient"]["authority"] == "https://ehr.example/fhir"
    logical = [{"actor": {"type": "Patient", "identifier": {"system": "urn:oid:4.5", "value": "4711"}}}]
    assert act(APPOINTMENT | {"participant": logical})["patient"]["identifier"] == "4711"
    lost = [{"actor": {"type": "Patient", "reference": "urn:uuid:77"}}]
    assert problems(APPOINTMENT | {"participant": lost}) == ["patient_unclear"]


def test_f12_labels_of_protected_records_are_told() -> None:
    labelled = APPOINTMENT | {"meta": {"security": [{"code": "42CFRPart2"}]}}
    assert act(labelled)["labels"] == ["42CFRPart2"]


# Patients.


def test_a_patient_is_told_whole() -> None:
    told = act(PATIENT)
    assert (told["act"], told["patient"]) == ("patient.update", MR)
    assert told["identifiers"][-1] == {"identifier": "p1", "authority": None, "reference": "Patient/p1"}
    assert told["person"] == {
        "last_name": "RIVER",
        "first_name": "ANA",
        "birth_date": "1980-01-02",
        "sex": "female",
        "language": "es-us",
        "phones": [{"number": "+13035550101", "kind": "mobile", "texts": None}],
    }
    assert act(PATIENT, patient_system="urn:oid:9.9")["patient"]["identifier"] == "0815"


@pytest.mark.parametrize(
    "death",
    [
        {"deceasedBoolean": True},
        {"deceasedBoolean": "true"},
        {"deceasedDateTime": "2026-01-05T10:00:00Z"},
        {"deceasedDateTime": 46027},
    ],
)
def test_one_that_died_is_told(death: dict[str, Any]) -> None:
    assert [told["act"] for told in explained(PATIENT | death)["acts"]] == ["patient.update", "patient.deceased"]
    assert explained(PATIENT | {"deceasedBoolean": False})["acts"][-1]["act"] == "patient.update"


def test_a_link_is_a_merge() -> None:
    other = {"reference": "Patient/p9"}
    (_, gone) = explained(PATIENT | {"link": [{"other": other, "type": "replaced-by"}]})["acts"]
    assert (gone["act"], gone["patient"]["identifier"], gone["merged"]) == ("patient.merge", "p9", MR)
    (_, stays) = explained(PATIENT | {"link": [{"other": other, "type": "replaces"}]})["acts"]
    assert (stays["patient"], stays["merged"]["identifier"]) == (MR, "p9")
    assert act(PATIENT | {"link": [{"other": other, "type": "seealso"}]})["act"] == "patient.update"


@pytest.mark.parametrize("born", ["1980", "0980-01-01", 29222])
def test_an_impossible_birth_date_is_left_out(born: object) -> None:
    assert problems(PATIENT | {"birthDate": born}) == ["birth_date_unreadable"]


@pytest.mark.parametrize("offset", ["+25:00", "-14:30", "+05:75"])
def test_an_offset_that_no_clock_has_is_no_start(offset: str) -> None:
    assert problems(APPOINTMENT | {"start": f"2026-03-10T09:00:00{offset}"}) == ["start_unreadable"]
