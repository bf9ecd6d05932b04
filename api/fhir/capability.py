"""What this facade can do, as a CapabilityStatement; it holds nothing of any clinic."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from records import kinds

VERSION = "4.0.1"
# When what stands here was last changed.
SINCE = "2026-12-02"
SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
QUESTIONNAIRE = {"_id": "token", "url": "uri", "status": "token"}


@cache
def statement(root: str) -> Mapping[str, Any]:
    """Return the statement of the facade at the address `root`."""
    described = [("Questionnaire", kinds.FORMS[1], QUESTIONNAIRE)]
    described += [(kind.type, kind.scope, dict(kind.parameters)) for kind in kinds.ALL]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": SINCE,
        "kind": "instance",
        "software": {"name": "Warmthread"},
        "implementation": {"description": "Warmthread", "url": root},
        "fhirVersion": VERSION,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {"description": "Authorization: Bearer, with a key of the clinic"},
                "resource": [_resource(*each) for each in sorted(described)],
            }
        ],
    }


def _resource(kind: str, scope: str, parameters: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "type": kind,
        "documentation": f"Scope: {scope}",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "conditionalRead": "not-match",
        "searchParam": list(_searched(parameters)),
    }


def _searched(parameters: Mapping[str, str]) -> Iterable[Mapping[str, str]]:
    return ({"name": name, "type": sort} for name, sort in parameters.items())
