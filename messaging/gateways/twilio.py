"""Twilio, by its own SDK: the only file that imports it for sending. `TWILIO_API_URL` points it at another server.

Messages.create has no idempotency key, so whatever is not a clear yes or no is an unknown outcome.
"""

import logging as stdlib_logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from config import runtime
from config.settings import Settings
from messaging.gateways import fetching
from messaging.gateways.base import (
    Attached,
    Came,
    Gateway,
    Inbound,
    Listing,
    OutcomeUnknown,
    Outgoing,
    Refused,
    Taken,
    TooLarge,
    TooLate,
    Unreachable,
    always,
)

TWILIO = "https://api.twilio.com"
MESSAGING = "https://messaging.twilio.com"
TIMEOUT_SECONDS = 15.0
CONNECTIONS = 64
LARGEST_PAGE = 1000
REQUEST_TIMED_OUT = 408
UNAUTHORIZED = 401
GONE = 404
T = TypeVar("T")


def load_sdk() -> None:
    """Import the SDK, for processes to be forked; nobody else but who sends pays for its half second."""
    import twilio.http.http_client
    import twilio.rest  # noqa: F401


class TwilioGateway(Gateway):
    """Texts through Twilio's Messages API."""

    def __init__(self, account_sid: str, credentials: tuple[str, str], api_url: str = "") -> None:
        """`credentials` are the account's own sid and token, or an API key's sid and secret."""
        # The SDK's first import costs more than half a second: only who sends pays for it.
        from twilio.http.http_client import TwilioHttpClient
        from twilio.http.response import Response
        from twilio.rest import Client

        from messaging.gateways import lastmoment

        stdlib_logging.getLogger("twilio").setLevel(stdlib_logging.WARNING)

        class Elsewhere(TwilioHttpClient):  # type: ignore[misc]
            """The SDK's own client, with Twilio's hosts replaced when another server is to be asked."""

            def request(self, method: str, url: str, *args: Any, **named: Any) -> Response:
                for host in (TWILIO, MESSAGING) if api_url else ():
                    url = url.replace(host, api_url, 1)
                return super().request(method, url, *args, **named)

        http = Elsewhere(timeout=TIMEOUT_SECONDS)
        if http.session is not None:
            for scheme in ("https://", "http://"):
                adapter = lastmoment.Adapter(pool_connections=4, pool_maxsize=CONNECTIONS, max_retries=0)
                http.session.mount(scheme, adapter)
            http.session.trust_env = False  # a proxy of somebody's shell would not ask in the last moment
        self._api_url, self._asking = api_url, lastmoment.asking
        self._client = Client(*credentials, account_sid, http_client=http)

    def send(self, text: Outgoing, still: Callable[[], object] = always) -> str:
        """Create the message. Raises Refused, OutcomeUnknown, or what `still` raises."""
        with self._asking(still):
            return self._create(text)

    def _create(self, text: Outgoing) -> str:
        named: dict[str, Any] = {"messaging_service_sid": text.service_sid} if text.service_sid else {}
        if not text.service_sid:
            named["from_"] = text.sender
        created = self._ask(
            lambda: self._client.messages.create(
                to=text.to,
                body=text.body,
                status_callback=text.callback,
                validity_period=max(1, min(text.valid, 36_000)),
                **named,
            )
        )
        if not created.sid:
            raise OutcomeUnknown("an answer without a sid")
        return str(created.sid)

    def find(self, to: str, since: datetime) -> list[Taken]:
        """List what was taken for `to`. DateSent has no finer grain that every server keeps, so we filter here."""
        listed = self._client.messages.list
        taken = self._ask(lambda: [_taken(message) for message in listed(to=to, date_sent_after=since, limit=200)])
        return [text for text in taken if text.created_at is None or text.created_at >= since]

    def went(self, sender: str, service_sid: str | None, since: datetime) -> list[Taken]:
        """List what left. A Messaging Service sends from numbers of its own, and no list can be asked for it."""
        listed, since = self._client.messages.list, since.replace(microsecond=0)
        whose: dict[str, Any] = {} if service_sid else {"from_": sender}

        def ours(message: Any) -> bool:
            return str(message.direction).startswith("outbound") and (
                str(message.from_) == sender
                or (service_sid is not None and message.messaging_service_sid == service_sid)
            )

        taken = self._ask(
            lambda: [
                _taken(message)
                for message in listed(date_sent_after=since, page_size=LARGEST_PAGE, **whose)
                if ours(message)
            ]
        )
        return [text for text in reversed(taken) if text.created_at is None or text.created_at >= since]

    def fetch(self, sid: str) -> Taken | None:
        """Fetch one message."""
        try:
            return self._ask(lambda: _taken(self._client.messages(sid).fetch()))
        except Refused as refused:
            if refused.status == GONE:
                return None
            raise OutcomeUnknown(str(refused)) from None

    def came(self, to: str | None, since: datetime, until: datetime, limit: int) -> Listing:
        """List what came in for `to`, or for the whole account.

        Servers differ in how finely they keep DateSent, so we filter here too.
        """
        listed, since = self._client.messages.list, since.replace(microsecond=0)
        page = min(limit, LARGEST_PAGE)
        whose: dict[str, Any] = {"to": to} if to else {}
        texts = self._ask(
            lambda: [
                (str(message.direction), _came(message))
                for message in listed(
                    date_sent_after=since, date_sent_before=until, limit=limit, page_size=page, **whose
                )
            ]
        )
        cut_at = min(text.created_at for _, text in texts) if len(texts) >= limit else None
        return Listing(
            [text for direction, text in texts if direction == "inbound" and since <= text.created_at <= until], cut_at
        )

    def attached(self, sid: str) -> list[Attached]:
        """List the attachments of a text."""
        return self._ask(
            lambda: [
                Attached(str(media.sid), str(media.content_type)) for media in self._client.messages(sid).media.list()
            ]
        )

    def attachment(self, sid: str, attached_sid: str, most: int) -> bytes:
        """Fetch the bytes. The address is made from the two ids, never taken from what a form said."""
        path = f"/2010-04-01/Accounts/{self._client.account_sid}/Messages/{sid}/Media/{attached_sid}"
        credentials = (self._client.username, self._client.password)
        return self._ask(lambda: fetching.fetch((self._api_url or TWILIO) + path, credentials, most))

    def delete_attachment(self, sid: str, attached_sid: str) -> None:
        """Delete at the carrier; what is not there any more is deleted."""
        try:
            self._ask(lambda: self._client.messages(sid).media(attached_sid).delete())
        except Refused as refused:
            if refused.status != GONE:
                raise

    def empty(self, sid: str) -> None:
        """Empty the body at the carrier: an update with an empty Body is Twilio's own way to redact one message."""
        try:
            self._ask(lambda: self._client.messages(sid).update(body=""))
        except Refused as refused:
            if refused.status != GONE:
                raise

    def inbound(self, sender: str, service_sid: str | None) -> Inbound | None:
        """Return what is set for texts to our number or its Messaging Service, which may leave it to the number; None
        if the account has no such number. Raises OutcomeUnknown, Refused."""
        if service_sid:
            service = self._ask(lambda: self._client.messaging.v1.services(service_sid).fetch())
            if not service.use_inbound_webhook_on_number:
                return Inbound(service.inbound_request_url or "", service.fallback_url or "")
        listed = self._ask(lambda: self._client.incoming_phone_numbers.list(phone_number=sender, limit=20))
        own = [
            Inbound(each.sms_url or "", each.sms_fallback_url or "") for each in listed if each.phone_number == sender
        ]
        return own[0] if own else None

    def lets_in(self) -> bool:
        """Whether the carrier knows the credentials of this gateway. Raises OutcomeUnknown, Refused."""
        try:
            self._ask(lambda: self._client.api.v2010.accounts(self._client.account_sid).fetch())
        except Refused as refused:
            if refused.status != UNAUTHORIZED:
                raise
            return False
        return True

    def close(self) -> None:
        """Let go of the connections of a gateway that was made to ask once."""
        if self._client.http_client.session is not None:
            self._client.http_client.session.close()

    def _ask(self, call: Callable[[], T]) -> T:
        from requests.exceptions import ConnectionError, ConnectTimeout
        from twilio.base.exceptions import TwilioRestException, TwilioServiceException

        try:
            return call()
        except (Refused, OutcomeUnknown, TooLarge, TooLate):
            raise
        except (TwilioRestException, TwilioServiceException) as error:
            # The exception's own text carries the number: only its codes go on.
            if error.status < 500 and error.status != REQUEST_TIMED_OUT:
                code = error.code if isinstance(error.code, int) else error.status
                raise Refused(code or error.status, error.status) from None
            raise OutcomeUnknown(f"status {error.status}") from None
        except ConnectTimeout:
            raise Unreachable("ConnectTimeout") from None
        except ConnectionError as error:
            kind = Unreachable if _never_stood(error) else OutcomeUnknown
            raise kind(type(error).__name__) from None
        except Exception as error:  # noqa: BLE001
            # The SDK reads an answer without checking its shape: whatever it stumbles over was no answer.
            raise OutcomeUnknown(type(error).__name__) from None


def _never_stood(error: Exception) -> bool:
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _came(message: Any) -> Came:
    return Came(
        sid=str(message.sid),
        sender=str(message.from_),
        body=str(message.body or ""),
        attached=int(message.num_media or 0),
        created_at=message.date_sent or message.date_created,
        to=str(message.to or ""),
        service_sid=str(message.messaging_service_sid) if message.messaging_service_sid else None,
    )


def _taken(message: Any) -> Taken:
    return Taken(
        sid=str(message.sid),
        body=str(message.body or ""),
        status=str(getattr(message.status, "value", message.status)),
        error_code=int(message.error_code) if message.error_code else None,
        created_at=message.date_created,
        to=str(message.to or ""),
    )


def gateway() -> TwilioGateway:
    """Return this process's gateway: made once, so that its connections are reused."""
    settings = runtime.settings()
    return runtime.once(
        "gateways.twilio",
        lambda: TwilioGateway(
            settings.twilio_account_sid,
            credentials(settings),
            settings.twilio_api_url,
        ),
    )


def knows(settings: Settings, token: str) -> bool:
    """Whether this is an Auth Token of the account. Raises OutcomeUnknown, Refused."""
    sid = settings.twilio_account_sid
    asking = TwilioGateway(sid, (sid, token), settings.twilio_api_url)
    try:
        return asking.lets_in()
    finally:
        asking.close()


def credentials(settings: Settings) -> tuple[str, str]:
    """Return by what the carrier is asked: the API key where there is one, so that the token only judges signatures."""
    if settings.twilio_api_key and settings.twilio_api_key_secret is not None:
        return settings.twilio_api_key, settings.twilio_api_key_secret.get_secret_value()
    return settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value()
