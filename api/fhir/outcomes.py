"""How a FHIR client is refused: an OperationOutcome, in the same words as everywhere on this door."""

import json

from flask import Response

from api import problems
from api.door import FHIR
from api.problems import Problem
from records.fhir import bundles

# FHIR's issue types. A search that cannot be read is a bad request there, and no entity.
CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    422: "invalid",
    429: "throttled",
    503: "transient",
}


def response(problem: Problem, request_id: str) -> Response:
    """Return the answer to a request that was refused; nothing in it repeats what was sent."""
    said = problems.words()[problem.key]
    status = 400 if said["status"] == 422 else said["status"]
    # A parameter of a search is named as FHIR R4 has it (OperationOutcome.issue.location).
    places = [(f"http.{place.parameter}" if place.parameter else "", place.detail) for place in problem.places]
    words = said.get("outcome", said["detail"])
    outcome = bundles.outcome(CODES.get(status, "exception"), f"{said['title']}. {words}", places)
    outcome["id"] = request_id
    return Response(json.dumps(outcome), status, problem.headers, content_type=FHIR)
