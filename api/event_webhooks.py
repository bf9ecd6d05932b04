"""Where programs hear of events, what was brought there and every try; tested, sent again, given another secret.

An address may let somebody in over there: it is made and changed by an administrator on its page, and not shown here.
"""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import select

from api import cursors, pages
from api.operations import Call, Operation
from api.pages import Page
from api.problems import Problem, at
from api.shapes import Listing, Moment, Nothing, Shape
from config import db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

State = Literal["waiting", "delivered", "given_up"]


class EndpointOut(Shape):
    """Where a program hears of which kinds of event; why it is off, since when it fails, how long two secrets sign."""

    id: UUID
    name: str
    kinds: list[str]
    state: Literal["on", "paused", "off"]
    why: Literal["failing", "gone"] | None
    failing_since: Moment | None
    old_secret_until: Moment | None
    created_at: Moment


class SecretOut(Shape):
    """What signs from now on, shown this once; the one before it signs beside it until then."""

    id: UUID
    secret: str
    old_secret_until: Moment | None


class Try(Shape):
    """One try: `status` is null where none came, `error` says in a word why."""

    at: Moment
    milliseconds: int
    status: int | None
    error: str | None


class DeliveryOut(Shape):
    """One event for one endpoint; `event_id` is its number among the events, null for a test."""

    id: UUID
    event_id: int | None
    type: str
    subject: str
    at: Moment
    state: State
    tries: list[Try]


class Wanted(Listing):
    """Which deliveries: in a state."""

    state: State | None = None


class Again(Shape):
    """What is sent again: one delivery, or what happened from `begin` to before `end`: what was given up, or all."""

    delivery_id: UUID | None = None
    begin: AwareDatetime | None = None
    end: AwareDatetime | None = None
    which: Literal["given_up", "all"] = "given_up"


class AgainOut(Shape):
    """How many deliveries are sent again."""

    count: int = Field(ge=0)


def _shown(endpoint: WebhookEndpoint) -> EndpointOut:
    return EndpointOut(**{name: getattr(endpoint, name) for name in EndpointOut.model_fields})


def _the(call: Call, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    endpoint = endpoints.find(call.session, call.clinic.id, endpoint_id, lock=lock)
    if endpoint is None:
        raise Problem("not_found")
    db.load_keys(call.session, [endpoint.key_id])
    return endpoint


def _list(call: Call, query: Listing) -> Page[EndpointOut]:
    """List where programs hear of events, and how that stands."""
    return pages.page(call, "event-webhooks", WebhookEndpoint, query, _shown, WebhookEndpoint.removed_at.is_(None))


def _get(call: Call, id: UUID) -> EndpointOut:
    """Read how an endpoint stands."""
    return _shown(_the(call, id))


def _deliveries(call: Call, id: UUID, query: Wanted) -> Page[DeliveryOut]:
    """List what was brought to an endpoint or waits, the oldest first, with every try."""
    listing = f"event-webhooks.{_the(call, id).id}"
    wanted = select(WebhookDelivery).where(WebhookDelivery.endpoint_id == id)
    if query.state is not None:
        wanted = wanted.where(WebhookDelivery.state == query.state)
    if query.after is not None:
        wanted = wanted.where(WebhookDelivery.id > UUID(int=cursors.read(call.clinic.id, listing, query.after)))
    rows = call.session.scalars(wanted.order_by(WebhookDelivery.id).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    tries = endpoints.attempts(call.session, [row.id for row in shown])
    out = [_delivery(row, tries.get(row.id, [])) for row in shown]
    return pages.cut(call, listing, [row.id.int for row in shown], out, len(rows) > query.limit)


def _delivery(row: WebhookDelivery, tries: list[WebhookAttempt]) -> DeliveryOut:
    made = [Try(**{name: getattr(each, name) for name in Try.model_fields}) for each in tries]
    same = {name: getattr(row, name) for name in ("id", "type", "subject", "at", "state")}
    return DeliveryOut(**same, event_id=row.seq, tries=made)


def _test(call: Call, id: UUID, body: Nothing) -> DeliveryOut:  # noqa: ARG001 - a body without a field
    """Send a made-up event, once and in whatever state the endpoint is."""
    return _delivery(endpoints.test(call.session, _the(call, id, lock=True), actor=call.actor), [])


def _rotate(call: Call, id: UUID, body: Nothing) -> SecretOut:  # noqa: ARG001 - a body without a field
    """Make another secret; for a day both sign."""
    endpoint = _the(call, id, lock=True)
    endpoints.rotate(call.session, endpoint, actor=call.actor)
    return SecretOut(id=endpoint.id, secret=endpoint.secret or "", old_secret_until=endpoint.old_secret_until)


def _again(call: Call, id: UUID, body: Again) -> AgainOut:
    """Send one delivery again, or those of a range of time; what still waits is on its way anyway."""
    endpoint = _the(call, id, lock=True)
    if body.delivery_id is not None:
        return AgainOut(count=endpoints.resend(call.session, endpoint, [body.delivery_id], actor=call.actor))
    if body.begin is None or body.end is None or body.begin >= body.end:
        raise at("/begin", "range")
    failed = body.which == "given_up"
    count = endpoints.resend_range(call.session, endpoint, body.begin, body.end, only_failed=failed, actor=call.actor)
    return AgainOut(count=count)


READ, WRITE, KIND, ONE = "event-webhooks.read", "event-webhooks.write", "webhook_endpoint", "/event-webhooks/{id}"
OPERATIONS = (
    Operation("event-webhooks.list", "GET", "/event-webhooks", _list, READ, KIND,
              {200: Page[EndpointOut]}, query=Listing),
    Operation("event-webhooks.get", "GET", ONE, _get, READ, KIND, {200: EndpointOut}),
    Operation("event-webhooks.deliveries", "GET", f"{ONE}/deliveries", _deliveries, READ, KIND,
              {200: Page[DeliveryOut]}, query=Wanted),
    Operation("event-webhooks.test", "POST", f"{ONE}/test", _test, WRITE, KIND, {200: DeliveryOut}, body=Nothing),
    Operation("event-webhooks.again", "POST", f"{ONE}/again", _again, WRITE, KIND, {200: AgainOut}, body=Again),
    Operation("event-webhooks.rotate", "POST", f"{ONE}/secret", _rotate, WRITE, KIND,
              {200: SecretOut}, body=Nothing),
)  # fmt: skip
