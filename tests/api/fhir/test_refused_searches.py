"""A search that is refused says why in FHIR's own terms: the field's own library reads it, and the place is named."""

import json
from typing import Any

from fhir.resources.R4B import get_fhir_model_class


def issues(answer: Any, status: int) -> list[dict[str, Any]]:
    assert (answer.status_code, answer.content_type) == (status, "application/fhir+json")
    outcome = json.loads(answer.text)
    get_fhir_model_class("OperationOutcome").model_validate(outcome)
    assert "`errors`" not in answer.text  # there is nothing of this name in an OperationOutcome
    issues: list[dict[str, Any]] = outcome["issue"]
    return issues


def test_a_value_that_cannot_be_is_named_by_its_parameter(ours: Any) -> None:
    (_, issue) = issues(ours.program().get("/fhir/Appointment", date="never"), 400)
    assert issue["location"] == ["http.date"]


def test_a_parameter_that_is_not_searched_by_is_not_repeated_and_those_that_are_stand_there(ours: Any) -> None:
    answer = ours.program().get("/fhir/Patient", name="River")
    (_, issue) = issues(answer, 400)
    assert "location" not in issue
    assert issue["diagnostics"].endswith("these are: _id, _count, _format")
    assert "River" not in answer.text


def test_a_scope_that_is_missing_is_named(ours: Any) -> None:
    (_, issue) = issues(ours.program("patients.read").get("/fhir/Task"), 403)
    assert issue["diagnostics"] == "tasks.read"
