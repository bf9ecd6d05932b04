"""The page of the two EHRs: patients and visits to change, events and messages to send, what was asked. /ehrs."""

from datetime import timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from werkzeug.exceptions import NotFound

from simulator import clock
from simulator.ehrs import controls, door, subscriptions, writes
from simulator.ehrs.charts import Person, Visit

pages = Blueprint("ehrs", __name__)
SHOWN = 30
TITLES = {"epic": "The EHR that is polled", "athena": "The EHR that tells and queues"}


@pages.get("/ehrs")
def show() -> ResponseReturnValue:
    """Both EHRs."""
    charts = {name: controls.found(name) for name in TITLES}
    revision = sum(chart.revision for chart in charts.values())
    if request.args.get("since", type=int) == revision:
        return Response(status=204)
    told = {name: controls.told(name).told()[:SHOWN] for name in TITLES}
    soon = (clock.now() + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    page = render_template(
        "ehrs.html", charts=charts, titles=TITLES, revision=revision, soon=f"{soon:%Y-%m-%dT%H:%M}",
        said=writes.shown, ports=controls.engines().ports, told=told, most=SHOWN,
        problem=request.args.get("problem", "")[:300],
    )  # fmt: skip
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.post("/ehrs/<name>/patients")
def add_person(name: str) -> ResponseReturnValue:
    """Add a patient or change one."""
    fields = {key: value for key, value in request.form.items() if key != "number" and value}
    return _done(lambda: controls.found(name).put_person(_number("number"), Person.model_validate(fields)))


@pages.post("/ehrs/<name>/visits")
def add_visit(name: str) -> ResponseReturnValue:
    """Book a visit, or change one: what is not said stays."""
    fields = {key: value for key, value in request.form.items() if key not in ("number", "start") and value}
    if request.form.get("start"):
        fields["start"] = request.form["start"] + "Z"
    return _done(lambda: _change(name, fields))


def _change(name: str, fields: dict[str, str]) -> None:
    chart, number = controls.found(name), _number("number")
    with chart.lock:
        before = chart.visits.get(number)
        chart.put_visit(number, Visit.model_validate((before.model_dump() if before else {}) | fields))


@pages.post("/ehrs/athena/events")
def tell() -> ResponseReturnValue:
    """Tell of one visit."""
    return _done(lambda: controls.told("athena").tell(door.chart("athena"), "update", [_number("number")]))


@pages.post("/ehrs/epic/notifications")
def notify() -> ResponseReturnValue:
    """Tell by a Subscription: of one visit, or that it is there and lives."""
    return _done(lambda: controls.notified(_notification()))


def _notification() -> subscriptions.Notification:
    kind = request.form.get("kind", "")
    visits = [_number("number")] if kind in ("id-only", "whole") else []
    fields = {"kind": "event-notification" if visits else kind, "visits": visits, "whole": kind == "whole"}
    return subscriptions.Notification.model_validate(fields)


@pages.post("/ehrs/<name>/told/<int:number>/again")
def again(name: str, number: int) -> ResponseReturnValue:
    """Tell the very same once more."""
    return _done(lambda: controls.told(name).again(controls.found(name), number))


@pages.post("/ehrs/<name>/engine")
def start_engine(name: str) -> ResponseReturnValue:
    """Take HL7 by MLLP from now on."""
    return _done(lambda: controls.engines().start(name, int(request.form.get("port") or 0)))


@pages.post("/ehrs/<name>/hl7")
def send(name: str) -> ResponseReturnValue:
    """Send a message about one visit."""
    fields = {key: value for key, value in request.form.items() if value}
    return _done(lambda: controls.sent(controls.found(name), controls.Message.model_validate(fields)))


def _number(field: str) -> str:
    number = request.form.get(field, "").strip()
    if not number.isalnum():
        raise ValueError("a number has letters and digits")
    return number


def _done(act: object) -> ResponseReturnValue:
    """Do what a form asks and come back, with what was wrong where something was."""
    problem = None
    try:
        assert callable(act)
        act()
    except NotFound:
        raise
    except ValidationError as error:
        problem = "; ".join(f"{each['loc'][0] if each['loc'] else ''}: {each['msg']}" for each in error.errors())
    except (ValueError, OSError) as error:
        problem = str(error)
    return redirect(url_for("ehrs.show", problem=problem), 303)
