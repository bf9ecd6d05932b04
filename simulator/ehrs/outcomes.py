"""Refusals in FHIR's own terms: an OperationOutcome with the code of outcomes.toml."""

import json
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from flask import Response

SYSTEM = "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369"
FHIR = "application/fhir+json"


class Refused(Exception):
    """A request is refused with a code; `location` is where a merged patient is now."""

    def __init__(self, code: str, location: str = "") -> None:
        super().__init__(code)
        self.code, self.location = code, location


@cache
def known() -> dict[str, dict[str, Any]]:
    """Return every refusal by its code."""
    return tomllib.loads(resources.files("simulator").joinpath("ehrs", "outcomes.toml").read_text("utf-8"))


def outcome(*codes: str) -> dict[str, Any]:
    """Return an OperationOutcome with an issue for each code."""
    issues = []
    for code in codes:
        said = known().get(code, {"severity": "error", "words": "An error."})
        details = {"coding": [{"system": SYSTEM, "code": code, "display": said["words"]}], "text": said["words"]}
        issues.append({"severity": said["severity"], "code": "processing", "details": details})
    return {"resourceType": "OperationOutcome", "issue": issues}


def answer(resource: dict[str, Any], status: int = 200, **headers: str) -> Response:
    """Return a resource as FHIR's own JSON."""
    made = Response(json.dumps(resource), status=status, content_type=FHIR)
    made.headers.update(headers)
    return made


def refusal(refused: Refused) -> Response:
    """Return what a refused request is answered."""
    status = known().get(refused.code, {}).get("status", 400)
    headers = {"Location": refused.location} if refused.location else {}
    return answer(outcome(refused.code), 400 if status == 200 else status, **headers)
