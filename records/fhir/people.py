"""A Patient: who it is, how they are reached, and who is called in an emergency."""

from typing import Any

from records.fhir.values import Resource, full, reference, resource, system_of

GENDERS = {"female": "female", "male": "male"}
USES = {"mobile": "mobile", "landline": "home"}
# Numbers at which nobody is reached, or somebody else.
NOT_THEIRS = ("dead", "wrong_person")
REPLACED = "replaced-by"
CONTACT = "http://terminology.hl7.org/CodeSystem/v2-0131"
NUMBER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def patient(row: Any, clinic: Any) -> Resource:
    """Return a patient of the clinic. It has no `lastUpdated`: the row does not keep when it was changed."""
    return resource(
        "Patient",
        row.id,
        [],
        identifier=_identifiers(row, clinic),
        active=row.state == "active" and row.merged_into is None,
        name=[full({"use": "official", "family": row.last_name, "given": _list(row.first_name)})]
        if row.last_name or row.first_name
        else None,
        telecom=[_telecom(each) for each in row.numbers if each.line not in NOT_THEIRS and each.number],
        gender=GENDERS.get(row.sex, "unknown"),
        birthDate=row.birth_date,
        deceasedBoolean=True if row.state == "deceased" else None,
        address=[{"text": row.address}] if row.address else None,
        contact=_contacts(row),
        communication=[{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": row.language}]}}],
        generalPractitioner=[{"display": row.panel}] if row.panel else None,
        managingOrganization={"display": clinic.name},
        link=[{"other": reference("Patient", row.merged_into), "type": REPLACED}] if row.merged_into else None,
    )


def _list(value: str | None) -> list[str]:
    return [value] if value else []


def _identifiers(row: Any, clinic: Any) -> list[Resource]:
    kind = {"coding": [{"system": NUMBER_TYPES, "code": "MR"}]}
    number = {"use": "usual", "type": kind, "system": system_of("record", str(clinic.id)), "value": row.record}
    return [number] if row.record else []


def _telecom(number: Any) -> Resource:
    return full({"system": "phone", "value": number.number, "use": USES.get(number.line)})


def _contacts(row: Any) -> list[Resource]:
    if not (row.emergency_name or row.emergency_phone):
        return []
    emergency = {"coding": [{"system": CONTACT, "code": "C"}], "text": row.emergency_relation}
    return [
        full(
            {
                "relationship": [full(emergency)],
                "name": {"text": row.emergency_name} if row.emergency_name else None,
                "telecom": [{"system": "phone", "value": row.emergency_phone}] if row.emergency_phone else None,
            }
        )
    ]
