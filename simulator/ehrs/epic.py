"""The EHR that is polled: SMART Backend Services, Appointment, Encounter and Patient, and nothing is pushed.

A search gives at most 100 visits, in pages of 50 whose session ends; what it does not know it leaves out and says so.
"""

import operator
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from simulator.ehrs import door, outcomes, resources, tokens, writes
from simulator.ehrs.charts import Chart, Encounter, Visit
from simulator.ehrs.outcomes import Refused

NAME, PAGE, MOST = "epic", 50, 100
BASE = "/epic/api/FHIR/R4"
pages = Blueprint("epic", __name__)
pages.register_error_handler(Refused, outcomes.refusal)
pages.register_error_handler(door.NoToken, door.no_token)
pages.before_request(lambda: door.before(NAME))
pages.after_request(lambda answer: door.after(NAME, answer))
KNOWN = ("date", "_count", "patient", "_format")
BOUNDS: dict[str, Callable[[datetime, datetime], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}


def _address(path: str) -> str:
    return request.host_url.rstrip("/") + path


@pages.get(f"{BASE}/.well-known/smart-configuration")
def configuration() -> Response:
    """Where a token is asked for, and how."""
    return jsonify(
        token_endpoint=_address("/epic/oauth2/token"),
        grant_types_supported=["client_credentials"],
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=tokens.ALGORITHMS,
        capabilities=["client-confidential-asymmetric", "permission-v2"],
    )


@pages.post("/epic/oauth2/token")
def token() -> Response:
    """A token."""
    return tokens.give(door.chart(NAME), request.form, _address("/epic/oauth2/token"))


@pages.get(f"{BASE}/Patient/<number>")
def patient(number: str) -> Response:
    """One patient: restricted, merged, unknown, or there."""
    door.may(NAME, "system/Patient.rs")
    chart = door.chart(NAME)
    with chart.lock:
        person = chart.people.get(number)
        if person is None:
            raise Refused("4102")
        if person.merged_into:
            raise Refused("4107", _address(f"{BASE}/Patient/{person.merged_into}"))
        if person.restricted:
            raise Refused(person.restricted)
        return outcomes.answer(resources.patient(number, person, chart))


@pages.get(f"{BASE}/Appointment/<number>")
def appointment(number: str) -> Response:
    """One visit."""
    door.may(NAME, "system/Appointment.rs")
    chart = door.chart(NAME)
    with chart.lock:
        if number not in chart.visits:
            raise Refused("4102")
        return outcomes.answer(resources.appointment(number, chart.visits[number], chart))


@pages.get(f"{BASE}/Appointment")
def search() -> Response:
    """Visits of a slice of dates, or the further page of a search."""
    door.may(NAME, "system/Appointment.rs")
    session = request.args.get("session")
    chart = door.chart(NAME)
    with chart.lock:
        if session:
            if session not in chart.searches:
                raise Refused("4113")
            return _page("Appointment", session, request.args.get("page", 1, int), [])
        if not request.args:
            raise Refused("4110")
        if not request.args.getlist("date") and "patient" not in request.args:
            raise Refused("4111")
        found = sorted((visit.start, number) for number, visit in chart.visits.items() if _fits(visit))
        return _searched("Appointment", [number for _, number in found])


@pages.get(f"{BASE}/Encounter")
def encounters() -> Response:
    """The encounters of one patient, each that a bound's day or one after it was part of; or a further page."""
    door.may(NAME, "system/Encounter.rs")
    session, chart = request.args.get("session"), door.chart(NAME)
    with chart.lock:
        if session:
            if session not in chart.searches:
                raise Refused("4113")
            return _page("Encounter", session, request.args.get("page", 1, int), [])
        if "patient" not in request.args:
            raise Refused("4111")
        whose = [(each.start, number) for number, each in chart.encounters.items() if _lasts(each)]
        return _searched("Encounter", [number for _, number in sorted(whose, reverse=True)])


def _searched(kind: str, numbers: list[str]) -> Response:
    """The first page of what fits a search."""
    session = secrets.token_urlsafe(9)
    door.chart(NAME).searches[session] = numbers[:MOST]
    warnings = ["4127"] if len(numbers) > MOST else [] if numbers else ["4101"]
    warnings += ["4122"] if any(name not in KNOWN for name in request.args) else []
    return _page(kind, session, 1, [*warnings, *([g.warning] if g.warning else [])])


@pages.route(f"{BASE}/QuestionnaireResponse", methods=["GET", "POST"])
@pages.route(f"{BASE}/Observation", methods=["GET", "POST"])
@pages.route(f"{BASE}/DocumentReference", methods=["GET", "POST"])
@pages.route(f"{BASE}/Communication", methods=["GET", "POST"])
def record() -> Response:
    """What the clinic writes, and finds again."""
    kind = request.path.rpartition("/")[2]
    return writes.search(NAME, kind) if request.method == "GET" else writes.take(NAME, kind, _address(BASE))


@pages.route(f"{BASE}/ServiceRequest", methods=["GET", "POST"])
@pages.route(f"{BASE}/Task", methods=["GET", "POST"])
def order() -> Response:
    """What the clinic has asked for, and how far it is: found again, and made where that is possible."""
    kind = request.path.rpartition("/")[2]
    if request.method == "GET":
        return writes.search(NAME, kind)
    if kind == "Task" and not door.chart(NAME).client.takes_tasks:
        return outcomes.answer(outcomes.outcome(), 405)
    return writes.take(NAME, kind, _address(BASE))


@pages.put(f"{BASE}/<any(ServiceRequest, Task):kind>/<number>")
def replace(kind: str, number: str) -> Response:
    """What the clinic says anew of what it has made."""
    return writes.replace(NAME, kind, number, _address(BASE))


def _fits(visit: Visit) -> bool:
    who = request.args.get("patient", visit.patient).removeprefix("Patient/")
    return who == visit.patient and all(_within(visit.start, bound) for bound in request.args.getlist("date"))


def _lasts(encounter: Encounter) -> bool:
    whose = request.args["patient"].removeprefix("Patient/") == encounter.patient
    end = encounter.end or datetime.max.replace(tzinfo=UTC)
    return whose and all(_within(end, bound) for bound in request.args.getlist("date"))


def _within(start: datetime, bound: str) -> bool:
    compare = BOUNDS.get(bound[:2])
    try:
        at = datetime.fromisoformat(bound[2:])
    except ValueError:
        raise Refused("4115") from None
    if compare is None:
        raise Refused("4115")
    return compare(start, at if at.tzinfo else at.replace(tzinfo=UTC))


def _resource(kind: str, number: str, chart: Chart) -> dict[str, Any] | None:
    if kind == "Encounter":
        return resources.encounter(number, chart.encounters[number], chart)
    return resources.appointment(number, chart.visits[number], chart) if number in chart.visits else None


def _page(kind: str, session: str, page: int, warnings: list[str]) -> Response:
    chart = door.chart(NAME)
    numbers = chart.searches[session]
    shown = numbers[(page - 1) * PAGE : page * PAGE]
    entries: list[dict[str, Any]] = [
        {"fullUrl": _address(f"{BASE}/{kind}/{number}"), "search": {"mode": "match"}, "resource": resource}
        for number in shown if (resource := _resource(kind, number, chart))
    ]  # fmt: skip
    if warnings:
        entries.append({"search": {"mode": "outcome"}, "resource": outcomes.outcome(*warnings)})
    links = [{"relation": "self", "url": request.url}]
    if page * PAGE < len(numbers):
        links.append({"relation": "next", "url": _address(f"{BASE}/{kind}?session={session}&page={page + 1}")})
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(numbers), "link": links, "entry": entries}
    return outcomes.answer(bundle)
