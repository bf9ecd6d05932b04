"""The addresses of programs that hear of events: made, listed with how they stand; the secret shown once."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from config import clock, db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookEndpoint
from messaging.models import Clinic
from messaging.programs import events
from web import layout, permissions, sessions, times, words

webhooks = layout.room("webhook_list", __name__)


@dataclass(frozen=True)
class Typed:
    """What the form of an endpoint holds, and what is wrong with it by field."""

    name: str = ""
    url: str = ""
    kinds: tuple[str, ...] = events.KINDS
    problems: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Row:
    """An endpoint as the list shows it."""

    id: UUID
    name: str
    host: str
    state: str
    is_on: bool
    since: str
    failing: str
    delivered: int
    waiting: int
    given_up: int


@webhooks.get("/settings/webhooks")
@permissions.signed_in("clinic.settings")
def show() -> str:
    """Show every endpoint, and the form that makes one."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return _page(session, Typed())


@webhooks.post("/settings/webhooks")
@permissions.signed_in("clinic.settings", fresh=True)
def make() -> str | tuple[str, int]:
    """Make an endpoint and show its secret, this once."""
    typed = read(request.form)
    with db.unit_of_work(sessions.clinic().id) as session:
        clinic = session.get_one(Clinic, sessions.clinic().id)
        try:
            made = endpoints.make(session, clinic, wanted(typed), actor=layout.the_actor())
        except endpoints.MayNot as refused:
            return _page(session, wrong(typed, refused)), 422
        return _page(session, Typed(), secret=made.secret or "", made=made)


def read(form: MultiDict[str, str]) -> Typed:
    """Read the form of an endpoint."""
    kinds = tuple(kind for kind in events.KINDS if kind in form.getlist("kind"))
    return Typed(form.get("name", "").strip(), form.get("url", "").strip(), kinds)


def wanted(typed: Typed) -> endpoints.Wanted:
    """Return the endpoint that the form describes."""
    return endpoints.Wanted(typed.name, typed.url, typed.kinds)


def wrong(typed: Typed, refused: endpoints.MayNot) -> Typed:
    """Return the form with what is wrong in words."""
    told = {field: words.say("webhook_problems", f"{field}_{why}") for field, why in refused.problems.items()}
    return Typed(typed.name, typed.url, typed.kinds, told)


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of event that can be chosen, each in words."""
    return [(kind, words.say("webhook_kinds", kind)) for kind in events.KINDS]


def host(endpoint: WebhookEndpoint) -> str:
    """Return which machine an endpoint is on; the rest of its address may let somebody in there."""
    return urlsplit(endpoint.url or "").netloc


def _page(session: Session, typed: Typed, *, secret: str = "", made: WebhookEndpoint | None = None) -> str:
    listed = endpoints.of_clinic(session, sessions.clinic().id)
    db.load_keys(session, {endpoint.key_id for endpoint in listed})
    counts = endpoints.counts(session, [endpoint.id for endpoint in listed])
    return layout.page(
        session,
        "staff/webhooks.html",
        here="webhooks",
        rows=[_row(endpoint, counts.get(endpoint.id, {})) for endpoint in listed],
        typed=typed,
        problems=typed.problems or {},
        secret=secret,
        made=made,
        kinds=kinds(),
    )


def _row(endpoint: WebhookEndpoint, counts: Mapping[str, int]) -> Row:
    now, zone = clock.now(), sessions.clinic().zone
    failing = times.moment(endpoint.failing_since, now, zone, running=True) if endpoint.failing_since else ""
    return Row(
        id=endpoint.id,
        name=endpoint.name,
        host=host(endpoint),
        state=state(endpoint),
        is_on=endpoint.state == "on",
        since=times.moment(endpoint.created_at, now, zone, running=True),
        failing=words.say("webhooks", "failing", since=failing) if failing and endpoint.state == "on" else "",
        delivered=counts.get("delivered", 0),
        waiting=counts.get("waiting", 0),
        given_up=counts.get("given_up", 0),
    )


def state(endpoint: WebhookEndpoint) -> str:
    """Return how an endpoint stands, in words."""
    return words.say("webhook_states", f"off_{endpoint.why}" if endpoint.why else endpoint.state)
