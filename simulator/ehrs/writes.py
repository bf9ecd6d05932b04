"""What the clinic has written into an EHR: resources taken as they come, found again by patient and identifier.

Nothing is taken only once: an EHR has no conditional create, and whoever sends twice has written twice.
"""

import copy
from typing import Any

from flask import Response, request

from simulator import clock
from simulator.ehrs import door, outcomes
from simulator.ehrs.charts import Chart, Written
from simulator.ehrs.outcomes import Refused

LONGEST = 256 * 1024
# Of what is written here Epic searches requests alone by identifier (its CapabilityStatement, May 2026).
BY_IDENTIFIER = ("ServiceRequest",)


def take(name: str, kind: str, base: str) -> Response:
    """Keep a resource and say where it is."""
    door.may(name, scope(kind))
    chart, sent = door.chart(name), request.get_json(silent=True, force=True)
    if not isinstance(sent, dict) or sent.get("resourceType") != kind or "id" in sent:
        raise Refused("59100")
    with chart.lock:
        who = _patient(chart, sent, base)
        number = str(len(chart.written) + 1)
        kept = copy.deepcopy(sent) | {"id": f"W{number}", "meta": {"lastUpdated": clock.now().isoformat()}}
        chart.write(Written(kind, f"W{number}", who, clock.now(), kept))
    return outcomes.answer(kept, 201, Location=f"{base}/{kind}/W{number}")


def _patient(chart: Chart, sent: dict[str, Any], base: str) -> str:
    """Whom a resource is about: somebody who is there, not merged into another and not restricted."""
    subject = sent.get("for" if sent.get("resourceType") == "Task" else "subject")
    reference = str(subject.get("reference", "")) if isinstance(subject, dict) else ""
    number = reference.removeprefix("Patient/").rpartition(".E-")[2]
    person = chart.people.get(number)
    if person is None:
        raise Refused("59102")
    if person.merged_into:
        raise Refused(
            "4107", f"{base}/Patient/{reference.removeprefix('Patient/').removesuffix(number)}{person.merged_into}"
        )
    if person.restricted:
        raise Refused(person.restricted)
    return number


def replace(name: str, kind: str, number: str, base: str) -> Response:
    """Keep a resource in place of the one that was made under this id."""
    door.may(name, scope(kind))
    chart, sent = door.chart(name), request.get_json(silent=True, force=True)
    if not isinstance(sent, dict) or (sent.get("resourceType"), sent.get("id")) != (kind, number):
        raise Refused("59100")
    with chart.lock:
        who = _patient(chart, sent, base)
        place = next((at for at, each in enumerate(chart.written) if (each.kind, each.number) == (kind, number)), None)
        if place is None:
            raise Refused("4102")
        kept = copy.deepcopy(sent) | {"meta": {"lastUpdated": clock.now().isoformat()}}
        chart.written[place] = Written(kind, number, who, clock.now(), kept)
        chart.revision += 1
    return outcomes.answer(kept)


def scope(kind: str) -> str:
    """Return what a client must be allowed: what is said anew of what was made is an update."""
    return f"system/{kind}.{'crus' if kind in ('ServiceRequest', 'Task') else 'crs'}"


def search(name: str, kind: str) -> Response:
    """Find what was written about a patient, by what this kind is searched by; what it does not know it leaves out and
    says so. Observations are asked for by their code."""
    door.may(name, scope(kind))
    chart, wanted = door.chart(name), request.args.get("identifier", "") if kind in BY_IDENTIFIER else ""
    number = request.args.get("patient", "").removeprefix("Patient/").rpartition(".E-")[2]
    if not number:
        raise Refused("4111")
    code = request.args.get("code", "")
    if kind == "Observation" and not code:
        raise Refused("4111")
    with chart.lock:
        mine = [each for each in chart.written if each.kind == kind and each.patient == number]
        found = [each.body for each in mine if not wanted or wanted in _identifiers(each.body)]
    found = [each for each in found if not code or code in _codes(each)]
    entries: list[dict[str, Any]] = [{"search": {"mode": "match"}, "resource": resource} for resource in found]
    if "identifier" in request.args and not wanted:
        entries.append({"search": {"mode": "outcome"}, "resource": outcomes.outcome("4122")})
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": entries}
    return outcomes.answer(bundle)


def _codes(resource: dict[str, Any]) -> list[str]:
    codings = resource.get("code", {}).get("coding", [])
    return [f"{each.get('system')}|{each.get('code')}" for each in codings]


def _identifiers(resource: dict[str, Any]) -> list[str]:
    named = resource.get("identifier", [])
    return [f"{each.get('system')}|{each.get('value')}" for each in (named if isinstance(named, list) else [named])]


def shown(written: Written) -> str:
    """Return in a few words what was written."""
    body = written.body
    if written.kind == "note":
        return str(body.get("notetext", ""))
    if written.kind.startswith("SIU"):
        return str(body.get("message", "")).replace("\r", "\n")
    if written.kind == "Communication":
        return str(body.get("payload", [{}])[0].get("contentString", ""))
    code = body.get("code") or body.get("type") or {}
    codes = [each.get("code", "") for each in code.get("coding", [])]
    words = code.get("text") or body.get("questionnaire", "")
    value = body.get("valueQuantity", {}).get("value", body.get("valueCodeableConcept", {}).get("text", ""))
    value = value if value != "" or written.kind not in ("ServiceRequest", "Task") else body.get("status", "")
    named = f"{words} ({', '.join(codes)})" if codes else str(words)
    return f"{named}: {value}" if value != "" else named
