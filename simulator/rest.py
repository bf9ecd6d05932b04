"""The part of Twilio's REST API that the official SDK uses to send, read, redact and delete messages."""

import hmac
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from simulator import errors, numbers
from simulator.current import network
from simulator.errors import ApiError
from simulator.faults import Fate
from simulator.fields import API_VERSION
from simulator.messages import Message

pages = Blueprint("rest", __name__, url_prefix=f"/{API_VERSION}/Accounts/<account_sid>")
BODY_LIMIT = 1600


@pages.url_value_preprocessor
def check_account(_endpoint: str | None, values: dict[str, str] | None) -> None:
    """Let in the one account there is, by HTTP basic authentication: with its token, or with its API key."""
    settings, credentials = network().settings, request.authorization
    name = (credentials.username if credentials else None) or ""
    token = (credentials.password if credentials else None) or ""
    pairs = [(settings.account_sid, settings.auth_token), (settings.api_key, settings.api_key_secret)]
    known = any(sid and secret and _same(name, sid) and _same(token, secret) for sid, secret in pairs)
    own = (values or {}).pop("account_sid", "").removesuffix(".json") == settings.account_sid
    if not (known and own):
        raise ApiError(20003)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


@pages.errorhandler(ApiError)
def refuse(error: ApiError) -> ResponseReturnValue:
    """Answer an error as Twilio does."""
    return jsonify(error.payload()), error.status


@pages.post("/Messages.json")
def create() -> ResponseReturnValue:
    """Accept a message, unless a fault, a missing field, the number or an opt-out stands against it."""
    to = request.form.get("To", "")
    fate = network().faults.for_create(to)
    network().knock(to)
    if fate.delay_ms:
        time.sleep(fate.delay_ms / 1000)
    if fate.answer == "drop":
        return _hang_up()
    if fate.answer in {"429", "500", "503"}:
        raise ApiError(20000 + int(fate.answer))
    message = network().accept(_read_message(), fate)
    return _answer(fate, message)


def _answer(fate: Fate, message: Message) -> ResponseReturnValue:
    match fate.answer:
        case "accept_then_500":
            raise ApiError(20500)
        case "accept_then_timeout":
            network().faults.released.wait(fate.hang_s)
            return _hang_up()
        case "garbage":
            return Response("<html>not what you asked for", 201, content_type="application/json")
        case _:
            return jsonify(shown(message)), 201


def _hang_up() -> Response:
    # The server closes a connection whose body ends before its announced length: the client gets no usable answer.
    return Response(iter(()), 502, {"Content-Length": "1"})


def _read_message() -> Message:
    form = request.form
    to, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
    body, media = form.get("Body", ""), form.getlist("MediaUrl")
    wrong = (
        (not to, 21604),
        (not sender and not service, 21603),
        (not body and not media, 21602),
        (not numbers.is_e164(to), 21211),
        (bool(sender) and not numbers.is_e164(sender), 21212),
        (len(body) > BODY_LIMIT, 21617),
    )
    for is_wrong, code in wrong:
        if is_wrong:
            raise ApiError(code)
    return Message(
        direction="outbound-api",
        sender=sender or network().settings.clinic_number,
        to=to,
        body=body,
        status="queued",
        media_urls=media,
        service_sid=service or None,
        status_callback=form.get("StatusCallback") or None,
        validity_s=_validity(form.get("ValidityPeriod")),
    )


def _validity(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 36_000:
        raise ApiError(20001)
    return int(text)


@pages.get("/Messages.json")
def listed() -> ResponseReturnValue:
    """List messages, newest first, by To, From and DateSent, a page at a time."""
    query = request.args
    size = min(1000, max(1, query.get("PageSize", 50, int)))
    page = max(0, query.get("Page", 0, int))
    token = query.get("PageToken", "")
    messages = network().newest(to=query.get("To") or None, sender=query.get("From") or None)
    matching = [message for message in messages if _sent_when_asked(message)]
    if token.startswith("PA") and token[2:].isdecimal():
        matching = [message for message in matching if message.order < int(token[2:])]
    else:
        matching = matching[page * size :]
    shown_now = matching[:size]
    next_page = {"Page": str(page + 1), "PageToken": f"PA{shown_now[-1].order}"} if len(matching) > size else None
    return jsonify(
        messages=[shown(message) for message in shown_now],
        page=page,
        page_size=size,
        start=page * size,
        end=page * size + max(0, len(shown_now) - 1),
        uri=_page_uri(size, {"Page": str(page)}),
        first_page_uri=_page_uri(size, {"Page": "0"}),
        next_page_uri=_page_uri(size, next_page) if next_page else None,
        previous_page_uri=_page_uri(size, {"Page": str(page - 1)}) if page else None,
    )


def _page_uri(size: int, place: dict[str, str]) -> str:
    kept = [(name, value) for name, value in request.args.items() if name not in {"Page", "PageToken", "PageSize"}]
    return f"{_account_uri()}/Messages.json?{urlencode([*kept, ('PageSize', str(size)), *place.items()])}"


def _sent_when_asked(message: Message) -> bool:
    # A message not sent yet counts by its creation, so that one just accepted is found; a bare date is the whole day.
    at = (message.sent_at or message.created_at).replace(microsecond=0)
    for name, value in request.args.items():
        if name in {"DateSent", "DateSent>", "DateSent<"} and value:
            first, last = _span(value)
            if (name != "DateSent<" and at < first) or (name != "DateSent>" and at > last):
                return False
    return True


def _span(text: str) -> tuple[datetime, datetime]:
    try:
        first = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(20001) from None
    first = first.replace(tzinfo=UTC) if first.tzinfo is None else first.astimezone(UTC)
    whole_day = len(text) == len("YYYY-MM-DD")
    return first, first + timedelta(days=1, seconds=-1) if whole_day else first


@pages.get("/Messages/<sid>.json")
def fetch(sid: str) -> ResponseReturnValue:
    """Show one message."""
    return jsonify(shown(network().found(sid)))


@pages.post("/Messages/<sid>.json")
def update(sid: str) -> ResponseReturnValue:
    """Redact one message: the only change allowed is an empty Body."""
    message = network().found(sid)
    if request.form.get("Body") != "":
        raise ApiError(20001)
    refusal = network().faults.for_redaction(message.sender if message.direction == "inbound" else message.to)
    if refusal:
        raise ApiError(20000 + int(refusal))
    network().redact(message)
    return jsonify(shown(message))


@pages.delete("/Messages/<sid>.json")
def delete(sid: str) -> ResponseReturnValue:
    """Delete one message."""
    network().delete(network().found(sid))
    return "", 204


@pages.get("/Messages/<sid>/Media.json")
def media_listed(sid: str) -> ResponseReturnValue:
    """List the attachments of a message."""
    message = network().found(sid)
    return jsonify(media_list=[_media_shown(message, media_sid) for media_sid in message.media], page=0, page_size=50)


@pages.get("/Messages/<sid>/Media/<media_sid>")
def media(sid: str, media_sid: str) -> ResponseReturnValue:
    """Send the bytes of an attachment, or with `.json` what it is."""
    message = network().found(sid)
    bare = media_sid.removesuffix(".json")
    if bare not in message.media:
        raise ApiError(20404)
    if bare != media_sid:
        return jsonify(_media_shown(message, bare))
    attachment = message.media[bare]
    return Response(
        attachment.content, content_type=attachment.content_type, headers={"Content-Disposition": "attachment"}
    )


@pages.delete("/Messages/<sid>/Media/<media_sid>")
def media_delete(sid: str, media_sid: str) -> ResponseReturnValue:
    """Delete an attachment."""
    if network().found(sid).media.pop(media_sid.removesuffix(".json"), None) is None:
        raise ApiError(20404)
    return "", 204


def shown(message: Message) -> dict[str, object]:
    """A message as Twilio writes it in JSON: numbers as strings, times in RFC 2822."""
    uri = f"{_account_uri()}/Messages/{message.sid}"
    return {
        "sid": message.sid,
        "account_sid": network().settings.account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": format_datetime(message.created_at),
        "date_sent": format_datetime(message.sent_at) if message.sent_at else None,
        "date_updated": format_datetime(message.updated_at or message.created_at),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": errors.message(message.error_code) if message.error_code else None,
        "from": message.sender,
        "messaging_service_sid": message.service_sid,
        "num_media": str(message.num_media),
        "num_segments": str(message.num_segments),
        "price": None,
        "price_unit": "USD",
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _media_shown(message: Message, media_sid: str) -> dict[str, object]:
    attachment = message.media[media_sid]
    return {
        "sid": attachment.sid,
        "account_sid": network().settings.account_sid,
        "parent_sid": message.sid,
        "content_type": attachment.content_type,
        "date_created": format_datetime(message.created_at),
        "date_updated": format_datetime(message.created_at),
        "uri": f"{_account_uri()}/Messages/{message.sid}/Media/{attachment.sid}.json",
    }


def _account_uri() -> str:
    return f"/{API_VERSION}/Accounts/{network().settings.account_sid}"
