"""The small forms of FHIR R4 that every resource is made of."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import quote

Resource: TypeAlias = dict[str, Any]
LOINC = "http://loinc.org"
# What is named by us and by nobody else.
OURS = "urn:warmthread"
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


def instant(at: datetime | None) -> str | None:
    """Return a moment in UTC to the second ("2026-03-10T15:00:00Z")."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


def resource(kind: str, row_id: object, changed: Iterable[datetime | None], **elements: Any) -> Resource:
    """Return a resource without its empty elements; `changed` are moments, of which the latest is `lastUpdated`."""
    known = [at for at in changed if at is not None]
    meta = {"lastUpdated": instant(max(known))} if known else None
    return full({"resourceType": kind, "id": str(row_id), "meta": meta, **elements})


def full(elements: Mapping[str, Any]) -> Resource:
    """Return what is not empty: FHIR allows neither null nor an empty list, object or text."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}


def concept(text: str | None, system: str = "", code: str | None = None, display: str | None = None) -> Resource:
    """Return a CodeableConcept: words, and a code where there is one."""
    coding = [full({"system": system, "code": code, "display": display})] if code else []
    return full({"coding": coding, "text": text})


def reference(kind: str, row_id: object | None) -> Resource | None:
    """Return a reference to a resource of ours, None where there is none."""
    return {"reference": f"{kind}/{row_id}"} if row_id is not None else None


def colleague(staff_id: object | None, names: Mapping[Any, str]) -> Resource | None:
    """Return who it is, by our id and name: colleagues are no resources here."""
    if staff_id is None:
        return None
    identifier = {"system": f"{OURS}:staff", "value": str(staff_id)}
    return full({"type": "Practitioner", "identifier": identifier, "display": names.get(staff_id)})


def system_of(*parts: str) -> str:
    """Return the name of a system of ours, whatever letters its parts have."""
    return ":".join([OURS, *(quote(part, safe="") for part in parts)])


def period(start: str | None, end: str | None) -> Resource | None:
    """Return a period, None where neither end is known."""
    return full({"start": start, "end": end}) or None
