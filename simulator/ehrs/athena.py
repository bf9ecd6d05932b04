"""The EHR that tells and queues: a queue of changed visits that forgets what it has handed out, and one visit by id.

What was handed out can be seen again by the moments at which that was, in Eastern time. Visits have no zone: they are
by their department's clock. A visit that is not taken is an open slot, and has no patient.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request

from simulator import clock
from simulator.ehrs import door, outcomes, resources, tokens, writes
from simulator.ehrs.charts import Change, Chart, Visit, Written
from simulator.ehrs.outcomes import Refused

NAME, MOST = "athena", 500
EASTERN, WRITTEN = ZoneInfo("America/New_York"), "%m/%d/%Y %H:%M:%S"
# Letters of athenaOne; that nobody came is a reason to cancel there, and no state.
LETTERS = {
    "cancelled": "x",
    "noshow": "x",
    "entered-in-error": "x",
    "arrived": "2",
    "checked-in": "2",
    "fulfilled": "4",
    "proposed": "o",
}
pages = Blueprint("athena", __name__)
pages.register_error_handler(Refused, outcomes.refusal)
pages.register_error_handler(door.NoToken, door.no_token)
pages.before_request(lambda: door.before(NAME))
pages.after_request(lambda answer: door.after(NAME, answer))


@pages.get("/athena/fhir/r4/.well-known/smart-configuration")
def configuration() -> Response:
    """Where a token is asked for, and how."""
    return jsonify(
        token_endpoint=_token_url(),
        grant_types_supported=["client_credentials"],
        token_endpoint_auth_methods_supported=["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=tokens.ALGORITHMS,
    )


def _token_url() -> str:
    return f"{request.host_url.rstrip('/')}/athena/oauth2/v1/token"


@pages.post("/athena/oauth2/v1/token")
def token() -> Response:
    """A token."""
    return tokens.give(door.chart(NAME), request.form, _token_url())


@pages.get("/athena/v1/<practice>/appointments/changed")
def changed(practice: str) -> Response:
    """What has changed and was not handed out yet, and from now on it was; or what was handed out in a window."""
    chart, now = _of_practice(practice), clock.now()
    window = _window()
    with chart.lock:
        wanted = [place for place, change in enumerate(chart.changes) if _asked_for(change, window)][:MOST]
        rows = [_row(chart.changes[place].number, chart.changes[place].visit, chart.changes[place].at, chart)
                for place in wanted]  # fmt: skip
        if window is None and request.args.get("leaveunprocessed") != "true":
            for place in wanted:
                chart.changes[place] = replace(chart.changes[place], handed_at=now)
    return jsonify(appointments=rows, totalcount=len(rows))


def _of_practice(practice: str) -> Chart:
    door.may(NAME, "system/Appointment.rs")
    chart = door.chart(NAME)
    if practice != chart.client.practice:
        raise Refused("4118")
    return chart


def _window() -> tuple[datetime, datetime] | None:
    bounds = [request.args.get(f"showprocessed{end}datetime") for end in ("start", "end")]
    if not any(bounds):
        return None
    try:
        start, end = (datetime.strptime(bound or "", WRITTEN).replace(tzinfo=EASTERN) for bound in bounds)
    except ValueError:
        raise Refused("4115") from None
    return start, end


def _asked_for(change: Change, window: tuple[datetime, datetime] | None) -> bool:
    if window is None:
        return change.handed_at is None
    return change.handed_at is not None and window[0] <= change.handed_at <= window[1]


@pages.get("/athena/v1/<practice>/appointments/<int:number>")
def appointment(practice: str, number: int) -> Response:
    """One visit, as a list of one."""
    chart = _of_practice(practice)
    with chart.lock:
        visit = chart.visits.get(str(number))
        if visit is None:
            return Response("The requested resource was not found.", status=404, content_type="text/plain")
        return jsonify([_row(str(number), visit, chart.changed_at[f"Appointment/{number}"], chart)])


@pages.get("/athena/fhir/r4/Patient/<number>")
def patient(number: str) -> Response:
    """One patient, by an id of the form a-PRACTICE.E-NUMBER."""
    door.may(NAME, "system/Patient.rs")
    chart, own = door.chart(NAME), number.rpartition(".E-")[2]
    with chart.lock:
        person = chart.people.get(own)
        if person is None:
            raise Refused("4102")
        if person.restricted:
            raise Refused(person.restricted)
        return outcomes.answer(resources.patient(own, person, chart) | {"id": number})


@pages.get("/athena/v1/<practice>/appointments/<int:number>/notes")
def notes(practice: str, number: int) -> Response:
    """The notes of a visit."""
    chart = _of_practice(practice)
    with chart.lock:
        mine = [each for each in chart.written if each.kind == "note" and each.number == str(number)]
        return jsonify(notes=[{"noteid": str(place), **each.body} for place, each in enumerate(mine, 1)])


@pages.post("/athena/v1/<practice>/appointments/<int:number>/notes")
def note(practice: str, number: int) -> Response:
    """A note on a visit, as a form has it."""
    chart, words = _of_practice(practice), request.form.get("notetext", "")
    with chart.lock:
        visit = chart.visits.get(str(number))
        if visit is None or not words:
            raise Refused("4102" if visit is None else "59100")
        chart.write(Written("note", str(number), visit.patient, clock.now(), {"notetext": words}))
    return jsonify(success=True)


@pages.route("/athena/fhir/r4/QuestionnaireResponse", methods=["GET", "POST"])
def record() -> Response:
    """What the clinic writes, and finds again: the answers to a form, and nothing else."""
    base = f"{request.host_url.rstrip('/')}/athena/fhir/r4"
    kind = "QuestionnaireResponse"
    return writes.search(NAME, kind) if request.method == "GET" else writes.take(NAME, kind, base)


def _row(number: str, visit: Visit, at: datetime, chart: Chart) -> dict[str, Any]:
    local = visit.start.astimezone(ZoneInfo(chart.client.zone))
    letter = LETTERS.get(visit.status, "f")
    row = {
        "appointmentid": number,
        "appointmentstatus": letter,
        "date": f"{local:%m/%d/%Y}",
        "starttime": f"{local:%H:%M}",
        "duration": visit.minutes,
        "departmentid": "1",
        "appointmenttype": "Visit",
        "providername": visit.clinician,
        "lastmodified": f"{at.astimezone(EASTERN):{WRITTEN}}",
    }
    if letter != "o":
        row["patientid"] = visit.patient
    if visit.status == "noshow":
        row["cancelreasonname"] = "PATIENT NO SHOW"
    return row
