"""Where programs hear of events, what was brought there and every try; made, changed, tested, sent again, taken away.

An address may let somebody in over there: it is taken in and never shown here, and whoever gives one needs a scope of
its own.
"""

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import select

from api import cursors, pages, problems
from api.operations import Answer, Call, Operation
from api.pages import Page
from api.problems import Problem, at
from api.shapes import Listing, Moment, Nothing, Shape
from config import db
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.programs import events

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


class EndpointIn(Shape):
    """A name, an address (https) and the kinds of event that are heard of; all of them where none is named."""

    name: str = Field(min_length=1, max_length=endpoints.LONGEST_NAME)
    url: str = Field(min_length=1, max_length=2000)
    kinds: list[str] | None = Field(default=None, max_length=100)


class EndpointChange(Shape):
    """What is to be otherwise; what is not named stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=endpoints.LONGEST_NAME)
    url: str | None = Field(default=None, min_length=1, max_length=2000)
    kinds: list[str] | None = Field(default=None, max_length=100)
    paused: bool | None = None


class EndpointMade(EndpointOut):
    """An endpoint with the secret that signs what is brought there, shown this once."""

    secret: str


class Removed(Shape):
    """What was taken away."""

    id: UUID
    removed: Literal[True] = True


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


def _facts(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {name: getattr(endpoint, name) for name in EndpointOut.model_fields}


def _shown(endpoint: WebhookEndpoint) -> EndpointOut:
    return EndpointOut(**_facts(endpoint))


def _the(call: Call, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    endpoint = endpoints.find(call.session, call.clinic.id, endpoint_id, lock=lock)
    if endpoint is None:
        raise Problem("not_found")
    db.load_keys(call.session, [endpoint.key_id])
    return endpoint


def _list(call: Call, query: Listing) -> Page[EndpointOut]:
    """List where programs hear of events, and how that stands."""
    return pages.page(call, "event-webhooks", WebhookEndpoint, query, _shown, WebhookEndpoint.removed_at.is_(None))


def _create(call: Call, body: EndpointIn) -> Answer:
    """Have events brought to an address from now on; answers with the secret, this once."""
    db.load_keys(call.session, [call.clinic.key_id])
    wanted = endpoints.Wanted(body.name, body.url, events.KINDS if body.kinds is None else body.kinds)
    try:
        made = endpoints.make(call.session, call.clinic, wanted, actor=call.actor)
    except endpoints.MayNot as refused:
        raise _invalid(refused) from None
    return Answer(201, EndpointMade(**_facts(made), secret=made.secret or ""))


def _change(call: Call, id: UUID, body: EndpointChange) -> EndpointOut:
    """Give an endpoint another name, address or choice of kinds, pause it or resume it with what was missed."""
    endpoint = _the(call, id, lock=True)
    own = {"name": endpoint.name, "url": endpoint.url or "", "kinds": endpoint.kinds}
    wanted = body.model_dump(exclude={"paused"}, exclude_none=True)
    try:
        if wanted:
            endpoints.change(call.session, endpoint, endpoints.Wanted(**own | wanted), actor=call.actor)
    except endpoints.MayNot as refused:
        raise _invalid(refused) from None
    if body.paused:
        endpoints.pause(call.session, endpoint, actor=call.actor)
    elif body.paused is False:
        endpoints.resume(call.session, endpoint, missed=True, actor=call.actor)
    return _shown(endpoint)


def _remove(call: Call, id: UUID, body: Nothing) -> Removed:  # noqa: ARG001 - a body without a field
    """Take an endpoint away: nothing is brought there any more, its secrets are kept no longer."""
    endpoints.remove(call.session, _the(call, id, lock=True), actor=call.actor)
    return Removed(id=id)


def _invalid(refused: endpoints.MayNot) -> Problem:
    """What is wrong with an endpoint, field by field."""
    said = problems.reasons()
    reasons = {"name": "endpoint_many" if "many" in refused.problems.values() else "endpoint_name"}
    reasons |= {"kinds": "endpoint_kinds", "url": "endpoint_url"}
    return Problem(
        "invalid", *(problems.Place(pointer=f"/{name}", detail=said[reasons[name]]) for name in refused.problems)
    )


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
MANAGE = "event-webhooks.manage"
OPERATIONS = (
    Operation("event-webhooks.list", "GET", "/event-webhooks", _list, READ, KIND,
              {200: Page[EndpointOut]}, query=Listing),
    Operation("event-webhooks.create", "POST", "/event-webhooks", _create, MANAGE, KIND,
              {201: EndpointMade}, body=EndpointIn),
    Operation("event-webhooks.get", "GET", ONE, _get, READ, KIND, {200: EndpointOut}),
    Operation("event-webhooks.change", "POST", ONE, _change, MANAGE, KIND, {200: EndpointOut}, body=EndpointChange),
    Operation("event-webhooks.deliveries", "GET", f"{ONE}/deliveries", _deliveries, READ, KIND,
              {200: Page[DeliveryOut]}, query=Wanted),
    Operation("event-webhooks.test", "POST", f"{ONE}/test", _test, WRITE, KIND, {200: DeliveryOut}, body=Nothing),
    Operation("event-webhooks.again", "POST", f"{ONE}/again", _again, WRITE, KIND, {200: AgainOut}, body=Again),
    Operation("event-webhooks.rotate", "POST", f"{ONE}/secret", _rotate, WRITE, KIND,
              {200: SecretOut}, body=Nothing),
    Operation("event-webhooks.remove", "POST", f"{ONE}/remove", _remove, MANAGE, KIND, {200: Removed}, body=Nothing),
)  # fmt: skip
