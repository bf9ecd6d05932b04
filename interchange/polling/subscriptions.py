"""Reads a notification of a FHIR Subscription: the R5 backport on R4, whose status is a Parameters or a
SubscriptionStatus (pure).

It is heard as a bell: which visits are to be read by their ids, and whether an event before it was never told. What a
full one brings beside that is read as any bundle is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interchange.fhir.values import Resource, look, objects, text
from interchange.polling.events import Notice

VISIT = re.compile(r"(?:^|/)(Appointment/[A-Za-z0-9.-]{1,64})(?:/_history/.*)?$", re.ASCII)
COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
TYPES = ("handshake", "heartbeat", "event-notification", "query-status", "query-event")
NAMES = {
    "events-since-subscription-start": "eventsSinceSubscriptionStart",
    "notification-event": "notificationEvent",
    "event-number": "eventNumber",
}


@dataclass(frozen=True)
class Notification:
    """What was told: its type ("" where FHIR has none such); its events, each with the name of its visit ("" where it
    is of none); the ids of the events that came before it; and whether it says of a visit no more than its id."""

    type: str
    events: tuple[Notice, ...]
    before: frozenset[str]
    by_id: bool


def read(bundle: Resource) -> Notification | None:
    """Return what a notification says, None for what is none. A handshake and an empty heartbeat tell nothing."""
    status = look(bundle, "entry", 0, "resource")
    kind = text(status, "resourceType")
    said = _facts(status, "parameter") if kind == "Parameters" else status
    if kind not in ("Parameters", "SubscriptionStatus") or not text(said, "type"):
        return None
    about = text(said, "subscription", "reference")
    told = {_count(each.get("eventNumber")): _visit(each) for each in objects(said, "notificationEvent")}
    last = _count(said.get("eventsSinceSubscriptionStart"))
    before = {number - 1 for number in told} - set(told) if told else {last}
    events = tuple(Notice(f"{about}#{number}", name) for number, name in sorted(told.items()))
    brought = {f"Appointment/{text(entry, 'resource', 'id')}" for entry in objects(bundle, "entry")}
    by_id = any(name and name not in brought for name in told.values())
    named = text(said, "type") if text(said, "type") in TYPES else ""
    return Notification(named, events, frozenset(f"{about}#{number}" for number in before if number > 0), by_id)


def _facts(parameters: object, name: str) -> dict[str, Any]:
    """What Parameters say, by the names that SubscriptionStatus has for it."""
    facts: dict[str, Any] = {}
    for each in objects(parameters, name):
        key = NAMES.get(text(each, "name"), text(each, "name"))
        if key == "notificationEvent":
            facts.setdefault(key, []).append(_facts(each, "part"))
        else:
            facts[key] = next((value for word, value in each.items() if word.startswith("value")), None)
    return facts


def _count(value: object) -> int:
    """A number of an event as R4 (a string) and R5 (a string or a number) write it; 0 for what is none."""
    return int(str(value)) if not isinstance(value, bool) and COUNT.fullmatch(str(value)) else 0


def _visit(event: Mapping[str, Any]) -> str:
    named = VISIT.search(text(event, "focus", "reference"))
    return named[1] if named else ""
