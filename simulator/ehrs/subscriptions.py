"""What a Subscription of the EHR that is polled tells: the R5 backport on R4, whose status is a Parameters."""

import secrets
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator import clock
from simulator.ehrs import resources
from simulator.ehrs.charts import Chart

Kind = Literal["handshake", "heartbeat", "event-notification"]


class Notification(BaseModel):
    """A notification to tell: of which visits, each an event; `whole`: the visits come with it; `untold`: so many
    events before it are counted and never told; `forged`: signed with another secret."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind = "event-notification"
    visits: list[str] = Field(default=[], max_length=100)
    whole: bool = False
    untold: int = Field(default=0, ge=0, le=1_000)
    forged: bool = False


def bundle(chart: Chart, base: str, wanted: Notification) -> dict[str, Any]:
    """Return the bundle, its events counted on in the chart; `base` is the address of the FHIR server."""
    with chart.lock:
        first = chart.events_told + wanted.untold + 1
        chart.events_told = first - 1 + len(wanted.visits)
        status = {
            "resourceType": "Parameters",
            "id": secrets.token_hex(8),
            "parameter": [
                {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/s1"}},
                {"name": "status", "valueCode": "active"},
                {"name": "type", "valueCode": wanted.kind},
                {"name": "events-since-subscription-start", "valueString": str(chart.events_told)},
                *(_event(base, place, number) for place, number in enumerate(wanted.visits, first)),
            ],
        }
        told = [entry for number in wanted.visits for entry in _whole(chart, base, number)] if wanted.whole else []
    answered = {"request": {"method": "GET", "url": "Subscription/s1/$status"}, "response": {"status": "200"}}
    return {
        "resourceType": "Bundle",
        "id": secrets.token_hex(12),
        "type": "history",
        "timestamp": clock.now().isoformat(timespec="milliseconds"),
        "entry": [{"fullUrl": f"urn:uuid:{status['id']}", "resource": status, **answered}, *told],
    }


def _event(base: str, place: int, number: str) -> dict[str, Any]:
    return {
        "name": "notification-event",
        "part": [
            {"name": "event-number", "valueString": str(place)},
            {"name": "timestamp", "valueInstant": clock.now().isoformat(timespec="milliseconds")},
            {"name": "focus", "valueReference": {"reference": f"{base}/Appointment/{number}"}},
        ],
    }


def _whole(chart: Chart, base: str, number: str) -> list[dict[str, Any]]:
    """A visit and its patient as entries; nothing of one that there is not."""
    visit = chart.visits.get(number)
    if visit is None:
        return []
    made = [resources.appointment(number, visit, chart)]
    person = chart.people.get(visit.patient)
    made += [resources.patient(visit.patient, person, chart)] if person else []
    return [_entry(base, f"{each['resourceType']}/{each['id']}", each) for each in made]


def _entry(base: str, name: str, resource: dict[str, Any]) -> dict[str, Any]:
    asked = {"method": "PUT", "url": name}
    return {"fullUrl": f"{base}/{name}", "resource": resource, "request": asked, "response": {"status": "200"}}
