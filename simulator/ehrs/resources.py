"""Patients and visits as FHIR R4 resources."""

from typing import Any

from simulator.ehrs.charts import Chart, Encounter, Person, Visit

MRN = "urn:oid:1.2.840.114350.1.13.0.1.7.5.737384.14"


def patient(number: str, person: Person, chart: Chart) -> dict[str, Any]:
    """Return a patient."""
    made: dict[str, Any] = {
        "resourceType": "Patient",
        "id": number,
        "meta": {"lastUpdated": chart.changed_at[f"Patient/{number}"].isoformat(timespec="milliseconds")},
        "identifier": [{"use": "usual", "system": MRN, "type": {"text": "MRN"}, "value": person.record or number}],
        "active": True,
        "name": [{"use": "official", "family": person.last, "given": [person.first]}],
        "gender": person.sex,
        "communication": [{"language": {"coding": [{"code": person.language}]}, "preferred": True}],
    }
    if person.phone:
        made["telecom"] = [{"system": "phone", "value": person.phone, "use": "mobile"}]
    if person.born:
        made["birthDate"] = person.born.isoformat()
    return made


def appointment(number: str, visit: Visit, chart: Chart) -> dict[str, Any]:
    """Return a visit."""
    who = chart.people.get(visit.patient)
    actors = [("Patient", visit.patient, f"{who.last}, {who.first}" if who else "")]
    actors += [("Practitioner", "P1", visit.clinician)] if visit.clinician else []
    actors += [("Location", "L1", visit.place)] if visit.place else []
    made: dict[str, Any] = {
        "resourceType": "Appointment",
        "id": number,
        "status": visit.status,
        "start": visit.start.isoformat(timespec="seconds"),
        "minutesDuration": visit.minutes,
        "participant": [
            {"actor": {"reference": f"{kind}/{own}", "display": shown}, "status": "accepted"}
            for kind, own, shown in actors
        ],
    }
    if visit.created:
        made["created"] = visit.created.isoformat(timespec="seconds")
    if visit.says_when_changed:
        made["meta"] = {"lastUpdated": chart.changed_at[f"Appointment/{number}"].isoformat(timespec="milliseconds")}
    return made


def encounter(number: str, told: Encounter, chart: Chart) -> dict[str, Any]:
    """Return an encounter."""
    edges = {"start": told.start, "end": told.end}
    return {
        "resourceType": "Encounter",
        "id": number,
        "meta": {"lastUpdated": chart.changed_at[f"Encounter/{number}"].isoformat(timespec="milliseconds")},
        "status": told.status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": told.kind},
        "subject": {"reference": f"Patient/{told.patient}"},
        "period": {edge: at.isoformat(timespec="seconds") for edge, at in edges.items() if at is not None},
    }
