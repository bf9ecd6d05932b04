"""The simulator's own JSON interface, for tests, demonstrations and people with curl: /sim."""

import base64
import binascii
from typing import Annotated

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import BadRequest, NotFound

from simulator import faults, numbers
from simulator.current import network
from simulator.ehrs import charts, door
from simulator.ehrs.controls import told
from simulator.letters import mailbox
from simulator.messages import Media, Message, Text
from simulator.webhooks import WAIT_S, Webhook

pages = Blueprint("controls", __name__, url_prefix="/sim")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


class Attachment(BaseModel):
    """A picture or file sent with a text."""

    model_config = ConfigDict(extra="forbid")

    content_type: str = Field(pattern=r"^[\w.+-]+/[\w.+-]+$")
    base64: Annotated[str, Field(max_length=7_000_000)]

    def media(self) -> Media:
        """The attachment with its bytes. Raises ValueError when they are not base64."""
        return Media(self.content_type, _decode(self.base64))


class Sent(BaseModel):
    """When a text was sent that the clinic has already, and its sid."""

    model_config = ConfigDict(extra="forbid")

    at: AwareDatetime
    sid: str = Field(pattern=r"^SM[0-9a-f]{32}$")


class Names(BaseModel):
    """Whose phones are whose, by number."""

    model_config = ConfigDict(extra="forbid")

    names: dict[Annotated[str, AfterValidator(numbers.normalise)], Annotated[str, Field(min_length=1, max_length=80)]]


class Typed(BaseModel):
    """A text typed on a phone. Without `to` it answers the clinic number that wrote last.

    With `sent` it is put there as sent before, and not forwarded: the clinic has it already.

    To the address of an RCS agent it goes by RCS, through the Messaging Service `service` that the agent belongs to.
    """

    model_config = ConfigDict(extra="forbid")

    body: str = Field(default="", max_length=1600)
    to: Annotated[str, AfterValidator(numbers.address)] | None = None
    service: str | None = Field(default=None, pattern=r"^MG[0-9a-f]{32}$")
    media: list[Attachment] = Field(default_factory=list, max_length=10)
    wait: bool = False
    sent: Sent | None = None


@pages.errorhandler(ValidationError)
@pages.errorhandler(ValueError)
def explain(error: ValueError) -> ResponseReturnValue:
    """Say what is wrong with a request."""
    return jsonify(error=str(error)), 400


@pages.errorhandler(BadRequest)
@pages.errorhandler(NotFound)
def plain(error: BadRequest | NotFound) -> ResponseReturnValue:
    """Say the same in JSON."""
    return jsonify(error=error.description), error.code or 400


@pages.get("/phones/<number>/messages")
def texts(number: str) -> ResponseReturnValue:
    """What is on a phone, oldest first."""
    return jsonify(messages=[_text(text) for text in network().texts(numbers.normalise(number))])


@pages.post("/phones/<number>/messages")
def text(number: str) -> ResponseReturnValue:
    """Text the clinic from a phone; with `wait`, answer when the clinic's service has."""
    typed = Typed.model_validate(request.get_json())
    media = [attachment.media() for attachment in typed.media]
    if not typed.body and not media:
        raise BadRequest("a text needs a body or media")
    if typed.sent is not None:
        phone = numbers.normalise(number)
        kept = network().remember(phone, typed.body, typed.to, typed.sent.at, typed.sent.sid)
        return jsonify(sid=kept.sid, to=kept.to), 201
    message, webhook = network().say(numbers.normalise(number), typed.body, typed.to, media, typed.service)
    if webhook and typed.wait:
        webhook.done.wait(WAIT_S)
    return jsonify(
        sid=message.sid,
        to=message.to,
        webhook_id=webhook.id if webhook else None,
        webhook_status=webhook.status if webhook else None,
        webhook_error=webhook.error if webhook else "lost by a fault",
    ), 201


@pages.get("/phones")
def phones() -> ResponseReturnValue:
    """The phones seen, the latest first, each with what it has opted out of."""
    numbers = network().phones(request.args.get("limit", 1000, int))
    return jsonify(phones=[{"number": phone, "blocked": network().blocked(phone)} for phone in numbers])


@pages.put("/names")
def name() -> ResponseReturnValue:
    """Say whose phones are whose; the pages show it."""
    network().name(Names.model_validate(request.get_json()).names)
    return "", 204


@pages.get("/messages")
def messages() -> ResponseReturnValue:
    """Every create accepted, oldest first, in a `state` and to a number if asked; counts are of all."""
    accepted, requests = network().ledger()
    counts: dict[str, int] = {}
    for text in accepted:
        counts[text.message.status] = counts.get(text.message.status, 0) + 1
    state, to, limit = request.args.get("state"), request.args.get("to"), request.args.get("limit", None, int)
    phone = numbers.normalise(to) if to else None
    chosen = [
        text
        for text in accepted
        if (state is None or text.message.status == state) and (phone is None or text.phone == phone)
    ]
    newest = chosen if limit is None else chosen[max(0, len(chosen) - limit) :]
    return jsonify(counts=counts, requests=requests, messages=[_create(text) for text in newest])


@pages.get("/webhooks")
def webhooks() -> ResponseReturnValue:
    """Every webhook remembered, oldest first, of a `kind` or about a `sid` if asked."""
    kind, sid = request.args.get("kind"), request.args.get("sid")
    matching = [
        webhook
        for webhook in network().webhooks.all()
        if (kind is None or webhook.kind == kind) and (sid is None or webhook.about == sid)
    ]
    return jsonify(webhooks=[_webhook(webhook) for webhook in matching])


@pages.post("/webhooks/<webhook_id>/replay")
def replay(webhook_id: str) -> ResponseReturnValue:
    """Send the same bytes again and answer what came back."""
    webhook = network().webhooks.replay(webhook_id)
    if webhook is None:
        raise NotFound("no such webhook")
    return jsonify(_webhook(webhook))


@pages.get("/faults")
def show_faults() -> ResponseReturnValue:
    """The faults in force."""
    return jsonify(network().faults.shown())


@pages.put("/faults")
def set_faults() -> ResponseReturnValue:
    """Replace the faults in force."""
    network().faults.set(faults.parse(request.get_json()))
    return jsonify(network().faults.shown())


@pages.delete("/faults")
def clear_faults() -> ResponseReturnValue:
    """No faults any more."""
    network().faults.set(faults.Plan())
    return "", 204


@pages.delete("")
def reset() -> ResponseReturnValue:
    """Forget everything."""
    network().reset()
    mailbox().clear()
    door.charts().clear()
    for name in charts.Charts.NAMES:
        told(name).clear()
    return "", 204


def _text(text: Text) -> dict[str, object]:
    message = text.message
    return {
        "direction": "out" if text.outgoing else "in",
        "body": text.body,
        "at": message.created_at.isoformat(),
        "status": message.status,
        "error_code": message.error_code,
        "sid": message.sid,
        "other": text.other,
        "num_media": message.num_media,
    }


def _create(text: Text) -> dict[str, object]:
    message: Message = text.message
    return {
        "sid": message.sid,
        "to": message.to,
        "from": message.sender,
        "body": text.body,
        "status": message.status,
        "error_code": message.error_code,
        "at": message.created_at.isoformat(),
        "media_urls": message.media_urls,
        "status_callback": message.status_callback,
        "validity_period": message.validity_s,
        "messaging_service_sid": message.service_sid,
    }


def _webhook(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "kind": webhook.kind,
        "url": webhook.url,
        "sid": webhook.about,
        "status": webhook.status,
        "error": webhook.error,
        "attempts": webhook.attempts,
        "at": webhook.at.isoformat(),
    }
