"""A Bundle: a page of a search, or a whole record; and an OperationOutcome."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from records.fhir.values import Resource, full, instant


def searchset(resources: Sequence[Resource], root: str, links: Mapping[str, str]) -> Resource:
    """Return a page of what a search has found, with its `links` by relation; `root` is the address of the facade."""
    return full(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": [{"relation": relation, "url": url} for relation, url in links.items()],
            "entry": [{**_entry(each, f"{root}/"), "search": {"mode": "match"}} for each in resources],
        }
    )


def collection(resources: Sequence[Resource], made_at: datetime) -> Resource:
    """Return a whole record as it stood at `made_at`; references hold within it."""
    # fullUrl and reference must agree, and a file has no address: relative ones resolve against this.
    entries = [_entry(each, "urn:warmthread:record/") for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "timestamp": instant(made_at), "entry": entries}


def _entry(each: Resource, root: str) -> Resource:
    return {"fullUrl": f"{root}{each['resourceType']}/{each['id']}", "resource": each}


def outcome(code: str, words: str, places: Sequence[tuple[str, str]] = ()) -> Resource:
    """Return an OperationOutcome: `code` is one of FHIR's issue types, `places` parameters with their own words."""
    issues = [{"severity": "error", "code": code, "details": {"text": words}}]
    issues += [full({"severity": "error", "code": code, "diagnostics": said, "location": [at] if at else None})
               for at, said in places]  # fmt: skip
    return {"resourceType": "OperationOutcome", "issue": issues}
