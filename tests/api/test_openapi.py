"""The description is of OpenAPI 3.1 and true: each operation is asked with what it allows and what it does not."""

import json
import re
from typing import Any
from uuid import UUID

import hypothesis
import pytest
import schemathesis
from hypothesis import given
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as of_openapi

from api import catalogue, door
from config import throttle
from tests.api.test_isolation import filled

OURS = (
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_schema_conformance,
    of_openapi.response_headers_conformance,
    of_openapi.negative_data_rejection,
)
KEYLESS = {"openapi.json"}
few = hypothesis.settings(max_examples=15, deadline=None, suppress_health_check=list(hypothesis.HealthCheck))
every_operation = pytest.mark.parametrize("operation", catalogue.ALL, ids=lambda operation: operation.name)
TAKING = [each for each in catalogue.ALL if each.query or each.body]
every_operation_that_takes_something = pytest.mark.parametrize("operation", TAKING, ids=lambda each: each.name)


@pytest.fixture(autouse=True)
def _as_often_as_one_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "OF_KEY", throttle.Limit("api", free=100_000, window=60))


def test_everything_is_described_and_nothing_else(ours: Any) -> None:
    document = json.loads(ours.app.test_client().get("/api/v1/openapi.json").text)
    assert document["openapi"] == "3.1.0"
    described = {
        (method.upper(), path, what["operationId"], what["x-scope"])
        for path, methods in document["paths"].items()
        for method, what in methods.items()
    }
    assert described == {(each.method, each.path, each.name, each.scope) for each in catalogue.ALL}
    rules = {rule.rule for rule in ours.app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    # The facade describes itself, by a CapabilityStatement: tests/api/fhir.
    routed = {rule for rule in rules if not rule.startswith("/api/v1/fhir/")}
    assert len(routed) == len(document["paths"]) + len(KEYLESS)


def test_the_description_needs_no_key_and_holds_nothing_of_a_clinic(ours: Any) -> None:
    answer = ours.app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert "Cedar" not in answer.text


@every_operation
def test_each_operation_answers_as_it_is_described(ours: Any, operation: Any) -> None:
    rows = filled(ours)
    program = ours.program(staff=ours.staff())
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", ours.app)
    described = schema[operation.path][operation.method]

    @few
    @given(case=described.as_strategy(), own=hypothesis.strategies.booleans())
    def ask(case: Any, own: bool) -> None:
        if own:
            _name_ours(case, operation, rows.of(operation), rows.patient)
        case.call_and_validate(headers={"Authorization": f"Bearer {program.token}"}, checks=OURS)

    ask()


@every_operation_that_takes_something
def test_what_is_not_described_is_refused(ours: Any, operation: Any) -> None:
    program = ours.program(staff=ours.staff())
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", ours.app)
    described = schema[operation.path][operation.method]

    @few
    @given(case=described.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {program.token}"}, checks=OURS)

    ask()


def _name_ours(case: Any, operation: Any, row_id: UUID | None, patient_id: UUID) -> None:
    """Let what was made up be about somebody who is there."""
    if operation.by_id:
        case.path_parameters = {"id": str(row_id)}
    if isinstance(case.body, dict):
        names = {"patient_id": str(patient_id), "record": "R1"}
        case.body |= {name: value for name, value in names.items() if name in case.body}


def test_no_answer_has_what_stays_here(ours: Any) -> None:
    document = json.loads(ours.app.test_client().get("/api/v1/openapi.json").text)
    named = {
        f"{shape}.{name}"
        for shape, schema in document["components"]["schemas"].items()
        for name in schema.get("properties", {})
    }
    stays = re.compile(r"(_ct|_hash|_index|password\w*|token|key_id|sso_\w*|lease_until|clinic_id)$")
    assert len(named) > 100
    assert [name for name in sorted(named) if stays.search(name)] == []
