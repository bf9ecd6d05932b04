"""The door for Twilio: texts that came in, and what became of those we sent. Verify, keep one row, ring, answer."""

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from config import keys, logging, runtime
from messaging.delivery import deliver
from messaging.reading import read_reply
from webhooks import fields, inbound_text, receipts, signatures
from webhooks.problems import problem

LARGEST_BODY = 64 * 1024
TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

door = Blueprint("twilio", __name__)
# The rules are compiled when the application is made, not while a carrier waits for its first answer.
door.record_once(lambda _state: _warm())


def _warm() -> None:
    read_reply.read("")


@door.post("/webhooks/twilio/sms")
def sms() -> Response:
    """Keep a text that came in; everything else is done in the drain."""
    form = _verified(fields.sms)
    if isinstance(form, Response):
        return form
    receipts.receive(
        "twilio.sms",
        form["MessageSid"],
        form,
        priority=inbound_text.priority_of(form),
        clinic=receipts.clinic_texted(form),
    )
    return Response(TWIML, mimetype="text/xml")


@door.post("/webhooks/twilio/status/<token>")
def status(token: str) -> Response:
    """Keep what became of a text we sent; the token names the sending."""
    form = _verified(fields.status)
    if isinstance(form, Response):
        return form
    attempt = receipts.remembered("webhooks.attempts", token, lambda session: _attempt(token, session))
    if attempt is None:
        logging.logger().warning("status of an unknown sending", status=form["MessageStatus"])
        return Response(status=204)
    attempt_id, clinic_id = attempt
    receipts.receive(
        "twilio.status",
        f"{form['MessageSid']}:{form['MessageStatus']}:{keys.token_hash(token).hex()[:16]}",
        form,
        clinic=receipts.clinic_of_id(clinic_id),
        attempt_id=attempt_id,
    )
    return Response(status=204)


def _attempt(token: str, session: Session) -> tuple[UUID, UUID] | None:
    attempt = deliver.attempt_by_token(session, token)
    return (attempt.id, attempt.clinic_id) if attempt else None


def _verified(check: Callable[[Mapping[str, str], str], dict[str, str]]) -> dict[str, str] | Response:
    """Return the checked fields of a signed request, or the refusal.
    Never a 429: a carrier drops what it gets one for."""
    request.max_content_length = LARGEST_BODY
    body = request.get_data(cache=False)
    settings = runtime.settings()
    query = request.query_string.decode("latin-1")
    url = settings.public_url + request.path + (f"?{query}" if query else "")
    tokens = (settings.twilio_auth_token, settings.twilio_auth_token_secondary)
    try:
        parameters = fields.parse(body)
        form = fields.once(parameters)
        signature = request.headers.get("X-Twilio-Signature", "")
        if not signatures.by_twilio(
            url, parameters, signature, [token.get_secret_value() for token in tokens if token]
        ):
            return problem(403, "the signature does not fit")
        return check(form, settings.twilio_account_sid)
    except fields.BadFields as error:
        logging.logger().warning("request of a carrier refused", kind=str(request.endpoint))
        return problem(400, str(error))
