"""Made-up FHIR R4 resources, and what `warmthread explain fhir` says of them."""

from typing import Any

from interchange import explaining

APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a1",
    "identifier": [{"system": "urn:oid:1.2.3", "value": "V7"}],
    "status": "booked",
    "appointmentType": {"text": "Follow-up"},
    "start": "2026-03-10T15:00:00Z",
    "end": "2026-03-10T15:30:00Z",
    "minutesDuration": 30,
    "participant": [
        {"actor": {"reference": "Patient/p1"}, "status": "accepted"},
        {"actor": {"reference": "Practitioner/d1", "display": "Dana Hart"}, "status": "accepted"},
        {"actor": {"reference": "Location/l1", "display": "Elm"}, "status": "accepted"},
    ],
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [
        {"system": "urn:oid:9.9", "value": "0815"},
        {"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:4.5", "value": "4711"},
    ],
    "name": [{"use": "maiden", "family": "ROSE"}, {"use": "official", "family": "RIVER", "given": ["ANA", "M"]}],
    "telecom": [
        {"system": "phone", "use": "mobile", "value": "(303) 555-0101"},
        {"system": "email", "value": "ana@example.org"},
        {"system": "phone", "use": "old", "value": "(303) 555-0102"},
    ],
    "gender": "female",
    "birthDate": "1980-01-02",
    "communication": [{"language": {"coding": [{"code": "es-US"}]}, "preferred": True}],
}
MR = {"identifier": "4711", "authority": "urn:oid:4.5", "type": "MR"}


def observation(code: str = "44261-6", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-10T09:00:00-06:00",
        **(more or {"valueInteger": 14}),
    }


def response(**more: Any) -> dict[str, Any]:
    codes = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "http://loinc.org/q/44249-1",
        "subject": {"reference": "Patient/p1"},
        "authored": "2026-03-10T15:00:00Z",
        "item": [{"linkId": code, "answer": [{"valueInteger": 1}]} for code in codes],
        **more,
    }


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"urn:uuid:{place}", "resource": resource} for place, resource in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries, **more}


def outcome(code: str, severity: str = "warning") -> dict[str, Any]:
    issue = {"severity": severity, "code": "processing", "details": {"coding": [{"code": code}]}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def explained(resource: dict[str, Any], **profile: Any) -> dict[str, Any]:
    return explaining.fhir({"resource": resource, "profile": {"zone": "America/Denver"} | profile})


def act(resource: dict[str, Any], **profile: Any) -> dict[str, Any]:
    (only,) = explained(resource, **profile)["acts"]
    return dict(only)


def problems(resource: dict[str, Any], **profile: Any) -> list[str]:
    return [problem["problem"] for problem in explained(resource, **profile)["problems"]]
