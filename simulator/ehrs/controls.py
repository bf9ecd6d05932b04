"""The two EHRs as JSON, for tests and people with curl: /sim/ehrs; the same from a page: see pages."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import NotFound

from simulator.ehrs import door, engine, epic, events, hl7, subscriptions
from simulator.ehrs.charts import Chart, Client, Encounter, Fault, Person, Visit

pages = Blueprint("ehr_controls", __name__, url_prefix="/sim/ehrs")


class Message(BaseModel):
    """An HL7 message to send: what happened, about which visit or patient, and where to, by MLLP or by HTTP."""

    model_config = ConfigDict(extra="forbid")

    event: hl7.Event
    visit: str = ""
    patient: str = ""
    goes: str = ""
    sender: str = "SIMEHR|CLINIC"
    mllp_host: str = "127.0.0.1"
    mllp_port: int = Field(default=0, ge=0, le=65_535)
    url: str = ""
    secret: str = ""


class Notice(BaseModel):
    """An event to tell: what happened to which visits."""

    model_config = ConfigDict(extra="forbid")

    topic: events.Topic = "update"
    visits: list[str] = Field(min_length=1, max_length=100)
    forged: bool = False


def told(name: str) -> events.Events:
    """Return what the running app's EHR of this name has told."""
    kept: dict[str, events.Events] = current_app.extensions["ehr_events"]
    return kept[name]


def engines() -> engine.Engines:
    """Return the running app's interface engines."""
    kept: engine.Engines = current_app.extensions["ehr_engines"]
    return kept


def found(name: str) -> Chart:
    """Return the EHR of this name, else there is no such page."""
    chart = door.charts().of(name)
    if chart is None:
        raise NotFound("there is no such EHR")
    return chart


@pages.errorhandler(ValidationError)
@pages.errorhandler(ValueError)
@pages.errorhandler(OSError)
def explain(error: Exception) -> ResponseReturnValue:
    """Say what is wrong with a request."""
    return jsonify(error=str(error)), 400


@pages.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """All that one EHR holds, and what it was asked."""
    chart = found(name)
    with chart.lock:
        held: dict[str, Any] = {
            "patients": {number: person.model_dump(mode="json") for number, person in chart.people.items()},
            "visits": {number: visit.model_dump(mode="json") for number, visit in chart.visits.items()},
            "client": chart.client.model_dump(mode="json"),
            "faults": [fault.model_dump(mode="json") for fault in chart.faults],
            "asked": [asdict(asked) for asked in chart.asked],
            "written": [asdict(written) | {"at": written.at.isoformat()} for written in chart.written],
            "unprocessed": sum(change.handed_at is None for change in chart.changes),
        }
    return jsonify(held)


@pages.put("/<name>/patients/<number>")
def put_person(name: str, number: str) -> ResponseReturnValue:
    """Add a patient or change one."""
    person = Person.model_validate(request.get_json())
    found(name).put_person(number, person)
    return jsonify(person.model_dump(mode="json"))


@pages.put("/<name>/visits/<number>")
def put_visit(name: str, number: str) -> ResponseReturnValue:
    """Book a visit, or change one: what is not said stays."""
    chart = found(name)
    with chart.lock:
        before = chart.visits.get(number)
        known = before.model_dump() if before else {}
        visit = Visit.model_validate(known | request.get_json())
        chart.put_visit(number, visit)
    return jsonify(visit.model_dump(mode="json"))


@pages.put("/<name>/encounters/<number>")
def put_encounter(name: str, number: str) -> ResponseReturnValue:
    """Add an encounter, or change one: what is not said stays."""
    chart = found(name)
    with chart.lock:
        before = chart.encounters.get(number)
        encounter = Encounter.model_validate((before.model_dump() if before else {}) | request.get_json())
        chart.put_encounter(number, encounter)
    return jsonify(encounter.model_dump(mode="json"))


@pages.delete("/<name>/visits/<number>")
def drop_visit(name: str, number: str) -> ResponseReturnValue:
    """Forget a visit, as if it had never been there."""
    found(name).drop_visit(number)
    return "", 204


@pages.put("/<name>/client")
def set_client(name: str) -> ResponseReturnValue:
    """Say who may ask."""
    client = Client.model_validate(request.get_json())
    found(name).client = client
    return jsonify(client.model_dump(mode="json"))


@pages.put("/<name>/faults")
def set_faults(name: str) -> ResponseReturnValue:
    """Say what goes wrong from now on: a list of faults, an empty one ends them."""
    faults = [Fault.model_validate(each) for each in request.get_json()]
    chart = found(name)
    with chart.lock:
        chart.faults = faults
    return jsonify([fault.model_dump(mode="json") for fault in faults])


@pages.put("/<name>/engine")
def start_engine(name: str) -> ResponseReturnValue:
    """Take HL7 by MLLP at a port of this machine, 0 picks a free one; say which."""
    found(name)
    return jsonify(port=engines().start(name, int((request.get_json() or {}).get("port", 0))))


@pages.post("/<name>/forget-sessions")
def forget(name: str) -> ResponseReturnValue:
    """Let the sessions of every search end."""
    chart = found(name)
    with chart.lock:
        chart.searches.clear()
    return "", 204


@pages.post("/<name>/hl7")
def send(name: str) -> ResponseReturnValue:
    """Send an HL7 message and say what was answered."""
    wanted, chart = Message.model_validate(request.get_json()), found(name)
    return jsonify(sent(chart, wanted))


def sent(chart: Chart, wanted: Message) -> dict[str, str]:
    """Send a message about what a chart holds. Raises ValueError and OSError where that is not possible."""
    visit = chart.visits.get(wanted.visit)
    number = visit.patient if visit else wanted.patient
    person = chart.people.get(number)
    if person is None or (visit is None and wanted.event.startswith("S")):
        raise ValueError("there is no such visit or patient")
    about = (wanted.visit, visit) if visit and wanted.event.startswith("S") else None
    text = hl7.message(wanted.event, wanted.sender, (number, person), about, wanted.goes)
    if wanted.mllp_port:
        return {"sent": text, "answered": hl7.by_mllp(text, wanted.mllp_host, wanted.mllp_port)}
    return {"sent": text, "answered": hl7.by_http(text, wanted.url, wanted.secret)}


@pages.post("/athena/events")
def tell() -> ResponseReturnValue:
    """Tell of visits by a signed event."""
    wanted = Notice.model_validate(request.get_json())
    chart = found("athena")
    return _said(told("athena").tell(chart, wanted.topic, wanted.visits, forged=wanted.forged))


@pages.post("/epic/notifications")
def notify() -> ResponseReturnValue:
    """Tell by a Subscription: that it is there, that it lives, or of visits."""
    return _said(notified(subscriptions.Notification.model_validate(request.get_json())))


def notified(wanted: subscriptions.Notification) -> events.Told:
    """Tell by a Subscription. Raises ValueError where the address is not on this machine."""
    chart = found("epic")
    base = request.host_url.rstrip("/") + epic.BASE
    return told("epic").send(chart, subscriptions.bundle(chart, base, wanted), forged=wanted.forged)


@pages.post("/athena/events/<int:number>/again", defaults={"name": "athena"})
@pages.post("/epic/notifications/<int:number>/again", defaults={"name": "epic"})
def again(name: str, number: int) -> ResponseReturnValue:
    """Tell the very same once more."""
    repeated = told(name).again(found(name), number)
    if repeated is None:
        raise NotFound("there is no such event")
    return _said(repeated)


def _said(event: events.Told) -> ResponseReturnValue:
    return jsonify(number=event.number, event=event.event, status=event.status, milliseconds=event.milliseconds)
