"""FHIR R4 scores, bundles and outcomes: what cannot be is refused, and the rest lands."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from interchange import explaining
from tests.interchange.resources import (
    APPOINTMENT,
    PATIENT,
    act,
    bundle,
    explained,
    observation,
    outcome,
    problems,
    response,
)

# Scores.


@pytest.mark.parametrize(
    "value",
    [{"valueInteger": 14}, {"valueQuantity": {"value": 14.0}}, {"valueString": "14"}],
    ids=["integer", "quantity", "f11_string"],
)
def test_a_total_is_read_from_each_value_type(value: dict[str, Any]) -> None:
    told = act(observation(**value))
    assert (told["instrument"], told["total"], told["at"]) == ("phq9", 14, "2026-03-10T15:00:00Z")


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        (observation(valueInteger=28), "score_out_of_range"),
        (observation(valueQuantity={"value": 14, "comparator": ">"}), "score_unreadable"),
        (observation("69725-0", valueInteger=11), "score_out_of_range"),
        (observation("69737-5", valueInteger=11), "score_under_panel"),
        (observation(valueInteger=True), "score_unreadable"),
        (observation() | {"subject": None}, "patient_missing"),
        (observation() | {"status": "done"}, "status_unsupported"),
        (response(questionnaire="http://loinc.org/q/1-8"), "instrument_unknown"),
        (response(item=[{"linkId": "44250-9", "answer": [{"valueInteger": 9}]}]), "answer_unreadable"),
        (response(status="parked"), "status_unsupported"),
    ],
)
def test_a_score_that_cannot_be_is_refused(resource: dict[str, Any], problem: str) -> None:
    assert (explained(resource)["ack"], problems(resource)) == ("refused", [problem])


def test_a_number_as_the_day_of_a_score_is_told_and_left_out() -> None:
    numbered = observation(valueInteger=14) | {"effectiveDateTime": 45992}
    assert (act(numbered)["at"], problems(numbered)) == (None, ["time_unreadable"])


def test_components_are_scores_and_a_bare_panel_is_none() -> None:
    part = {"code": {"coding": [{"system": "http://loinc.org", "code": "44260-8"}]}}
    coded = part | {"valueCodeableConcept": {"coding": [{"code": "LA6570-1"}]}}
    assert act(observation("44249-1", component=[coded]))["value"] == 2
    assert act(observation("44249-1", hasMember=[])) == {"act": "ignore"}
    assert act(observation("1554-5")) == {"act": "ignore"}


@pytest.mark.parametrize(
    ("status", "state"), [("amended", "corrected"), ("entered-in-error", "withdrawn"), ("cancelled", "withdrawn")]
)
def test_corrections_and_withdrawals_are_told(status: str, state: str) -> None:
    assert act(observation() | {"status": status})["state"] == state
    assert act(observation() | {"status": "preliminary"}) == {"act": "ignore"}


def test_a_questionnaire_s_answers_are_one_score() -> None:
    told = act(response())
    assert (told["instrument"], told["answers"], told["state"]) == ("phq9", [1] * 9, "final")
    assert act(response(status="entered-in-error"))["state"] == "withdrawn"


# Bundles and outcomes.


def test_one_bad_entry_does_not_keep_the_rest() -> None:
    answer = explained(bundle(APPOINTMENT | {"status": "parked"}, PATIENT))
    assert (answer["ack"], [told["act"] for told in answer["acts"]]) == ("ok", ["patient.update"])
    (problem,) = answer["problems"]
    assert (problem["problem"], problem["where"]) == ("status_unsupported", "/entry/0/resource/status")
    assert explained(bundle(APPOINTMENT | {"status": "parked"}))["ack"] == "refused"


def test_what_stands_beside_a_visit_in_a_bundle_is_passed_over() -> None:
    location = {"resourceType": "Location", "id": "l1", "name": "Elm"}
    assert explained(bundle(location)) == {"ack": "ok", "acts": [{"act": "ignore"}], "problems": []}
    nameless = APPOINTMENT | {
        "participant": [{"actor": {"reference": "Patient/p1"}}, {"actor": {"reference": "Location/l1"}}]
    }
    assert explained(bundle(nameless, location))["acts"][0]["place"] == "Elm"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("4101", []),
        ("4107", ["patient_merged"]),
        ("4119", ["search_incomplete"]),
        ("4122", ["filter_ignored"]),
        ("4127", ["search_incomplete"]),
        ("4131", ["restricted"]),
        ("1", ["outcome_warning"]),
    ],
    ids=["nothing", "f3_merged", "incomplete", "f2_filter", "f1_too_many", "f9_break_the_glass", "f8_warning"],
)
def test_f8_an_outcome_inside_an_answer_is_heard(code: str, problem: list[str]) -> None:
    assert problems(bundle(APPOINTMENT, outcome(code))) == problem
    assert explained(bundle(APPOINTMENT, outcome(code)))["acts"][0]["act"] == "visit.book"


def test_an_outcome_that_is_an_error_is_refused() -> None:
    assert explained(outcome("1", "error"))["ack"] == "refused"
    assert explained(outcome("1", "warning"))["ack"] == "ok"


def test_f1_an_answer_that_goes_on_is_told() -> None:
    assert problems(bundle(APPOINTMENT, link=[{"relation": "next", "url": "x"}])) == ["more_pages"]


@pytest.mark.parametrize(
    ("resource", "problem"),
    [
        ({"resourceType": "Device"}, "resource_unknown"),
        ({}, "resource_unknown"),
        ({"resourceType": "Bundle", "entry": {}}, "resource_malformed"),
        ({"resourceType": "Bundle", "entry": [7]}, "resource_malformed"),
        ({"resourceType": "Bundle", "entry": [{"resource": {}}]}, "resource_malformed"),
        ({"resourceType": "Bundle", "entry": [{"resource": bundle(APPOINTMENT)}]}, "resource_unknown"),
    ],
)
def test_what_is_no_resource_of_ours_is_refused(resource: dict[str, Any], problem: str) -> None:
    assert (explained(resource)["ack"], problems(resource)) == ("refused", [problem])


def test_what_a_bundle_deletes_waits_for_a_person_and_the_rest_lands() -> None:
    deleted = {"request": {"method": "DELETE", "url": "Appointment/V8"}}
    both = bundle(APPOINTMENT) | {"entry": [*bundle(APPOINTMENT)["entry"], deleted]}
    assert (problems(both), [told["act"] for told in explained(both)["acts"]]) == (["entry_deletes"], ["visit.book"])
    assert explaining.fhir({"resource": both})["problems"][0]["weight"] == "held"


@pytest.mark.parametrize("line", [{}, {"resource": "x"}, {"resource": {}, "more": 1}, {"resource": {}, "profile": 3}])
def test_a_line_that_cannot_be_answered_is_told_why(line: dict[str, Any]) -> None:
    assert "error" in explaining.fhir(line)


# What changes a meaning in a way that is not known.

TURNED = {"modifierExtension": [{"url": "https://ehr.example/only-wished-for", "valueBoolean": True}]}
DEEP = {"participant": [*APPOINTMENT["participant"], {"status": "accepted", **TURNED}]}


@pytest.mark.parametrize(
    "resource",
    [
        APPOINTMENT | TURNED,
        APPOINTMENT | DEEP,
        APPOINTMENT | {"contained": [PATIENT | TURNED]},
        APPOINTMENT | {"implicitRules": "https://ehr.example/rules"},
        PATIENT | TURNED,
        observation() | TURNED,
        response() | TURNED,
        bundle(APPOINTMENT | TURNED),
        bundle(APPOINTMENT, implicitRules="https://ehr.example/rules"),
        bundle(APPOINTMENT) | {"entry": [{"resource": APPOINTMENT, **TURNED}]},
    ],
)
def test_nothing_is_done_with_what_holds_a_modifier_that_is_not_known(resource: dict[str, Any]) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    answer = explained(resource)
    assert (answer["ack"], answer["acts"], problems(resource)) == ("refused", [], ["modifier_unknown"])
    assert "ehr.example" not in str(answer)


def test_beside_a_modified_entry_the_rest_lands_and_a_modified_patient_says_nothing_of_a_visit() -> None:
    answer = explained(bundle(PATIENT | TURNED, APPOINTMENT))
    assert [told["act"] for told in answer["acts"]] == ["visit.book"]
    assert answer["acts"][0]["patient"]["identifier"] == "p1"
    assert "person" not in answer["acts"][0]
    assert [(each["problem"], each["where"]) for each in answer["problems"]] == [
        ("modifier_unknown", "/entry/0/resource/modifierExtension")
    ]


def test_a_modified_score_is_never_filed_and_one_that_may_be_an_alarm_is_told() -> None:
    told = explained(response(item=[{"linkId": "44260-8", "answer": [{"valueInteger": 2}]}], **TURNED))
    assert (told["ack"], told["acts"]) == ("refused", [])
    assert [(each["act"], each["kind"]) for each in told["attention"]] == [("score.unclear", "safety")]


def test_an_empty_modifier_and_one_nested_without_end_hold_nobody_up() -> None:
    assert explained(APPOINTMENT | {"modifierExtension": []})["ack"] == "ok"
    inner: dict[str, Any] = {}
    for _ in range(50_000):
        inner = {"extension": [inner]}
    assert explained(APPOINTMENT | inner)["acts"][0]["act"] == "visit.book"
