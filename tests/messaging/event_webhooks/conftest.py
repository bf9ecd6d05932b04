"""A clinic whose service may post to this machine, and a receiver in a process of its own (the simulator's)."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from config import audit, clock, db, runtime, settings
from messaging.event_webhooks import delivering, endpoints
from messaging.event_webhooks.endpoints import Wanted
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.models import Clinic
from tests.phones import Network

ACTOR = audit.Actor.system("test")


@dataclass
class Program:
    """One program of the clinic: what it heard, and how our side stands."""

    network: Network
    name: str
    id: Any
    clinic_id: Any

    def behaves(self, **told: Any) -> None:
        self.network.ask("PUT", f"/sim/receivers/{self.name}", told)

    def heard(self) -> list[dict[str, Any]]:
        return list(self.network.ask("GET", f"/sim/receivers/{self.name}")["heard"])

    def held(self) -> int:
        """How many requests it has read and not answered yet."""
        return int(self.network.ask("GET", f"/sim/receivers/{self.name}")["held"])

    def row(self) -> WebhookEndpoint:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            endpoint = session.get_one(WebhookEndpoint, self.id)
            assert endpoint.url is not None  # its keys are opened while there is a session
            return endpoint

    def deliveries(self) -> list[WebhookDelivery]:
        mine = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == self.id).order_by(WebhookDelivery.id)
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return list(session.scalars(mine))

    def states(self) -> list[str]:
        return [row.state for row in self.deliveries()]

    def tries(self, delivery: WebhookDelivery) -> list[tuple[int | None, str | None]]:
        made = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery.id).order_by(WebhookAttempt.id)
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return [(attempt.status, attempt.error) for attempt in session.scalars(made)]

    def at_once(self) -> int:
        """How many were claimed together, at most."""
        made = select(WebhookAttempt.at).join(WebhookDelivery, WebhookDelivery.id == WebhookAttempt.delivery_id)
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            began = session.scalars(made.where(WebhookDelivery.endpoint_id == self.id))
            return max(Counter(began).values())

    def act(self, done: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do something with the endpoint as a page does."""
        with db.unit_of_work(self.clinic_id) as session:
            endpoint = endpoints.find(session, self.clinic_id, self.id, lock=True)
            return done(session, endpoint, *given, **named)

    def long_ago(self, span: timedelta) -> None:
        """Let what was tried have been tried so much earlier, so that its next step has come."""
        with db.unit_of_work(db.EVERY) as session:
            for row in session.scalars(select(WebhookDelivery).where(WebhookDelivery.endpoint_id == self.id)):
                row.try_after -= span
                row.first_tried_at = row.first_tried_at and row.first_tried_at - span
            endpoint = session.get_one(WebhookEndpoint, self.id)
            endpoint.hold_until -= span
            endpoint.failing_since = endpoint.failing_since and endpoint.failing_since - span


def subjects(there: Program) -> list[str]:
    """Whom what came was about, in the order in which it was answered."""
    return [json.loads(heard["body"])["data"]["subject"] for heard in there.heard()]


@pytest.fixture
def loopback(house: settings.Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service may post to this machine."""
    monkeypatch.setattr(runtime, "_settings", house.model_copy(update={"webhooks_to_loopback": True}))


@pytest.fixture
def program(loopback: None, clinic: Clinic, network_url: str) -> Callable[..., Program]:
    """Makes an endpoint at a receiver of its own."""

    def program(**wanted: Any) -> Program:
        name = f"p{uuid4().hex[:10]}"
        with db.unit_of_work(clinic.id) as session:
            told = {"name": name, "url": f"{network_url}/receiver/{name}"} | wanted
            made = endpoints.make(session, clinic, Wanted(**told), actor=ACTOR)
        return Program(Network(network_url), name, made.id, clinic.id)

    return program


@pytest.fixture
def happens(clinic: Clinic) -> Callable[..., None]:
    """Something happens at the clinic: each subject once, in this order."""

    def happens(*subjects: str, act: str = "patient.changed") -> None:
        with db.unit_of_work(clinic.id) as session:
            audit.record_many(session, clinic.id, ACTOR, [(act, subject, {}) for subject in subjects])
        audit.seal()

    return happens


@pytest.fixture
def drained() -> Callable[[], int]:
    """Works the lane off until nothing is due at this moment."""

    def drained() -> int:
        handled = 0
        while more := delivering.drain():
            handled += more
            with db.unit_of_work(db.EVERY, read_only=True) as session:
                if delivering.oldest(session, clock.now()) is None:
                    break
        return handled

    return drained


@pytest.fixture
def free_leases() -> Callable[[], None]:
    """What a killed worker held is free again, as when its lease has run out."""

    def free_leases() -> None:
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(WebhookDelivery).values(lease_until=None))

    return free_leases
