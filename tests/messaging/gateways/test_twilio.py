"""The SDK against answers of every sort, and signatures of every sort."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from config import runtime
from config.settings import Settings
from messaging.gateways import twilio
from messaging.gateways.base import OutcomeUnknown, Outgoing, Refused, Unreachable

TEXT = Outgoing("+13035550117", "+13035550100", None, "See you on Monday.", "https://clinic.example/status/x", 60)
Say = Callable[[int, str], twilio.TwilioGateway]


@pytest.fixture
def say(house: Settings) -> Iterator[Say]:
    """A carrier, on the host that the settings name, that answers everything with one status and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    answer = (200, b"")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    gateway = twilio.TwilioGateway(
        "AC" + "0" * 32, ("AC" + "0" * 32, "a token"), f"http://127.0.0.1:{server.server_address[1]}"
    )

    def say(status: int, body: str) -> twilio.TwilioGateway:
        nonlocal answer
        answer = (status, body.encode())
        return gateway

    yield say
    gateway._client.http_client.session.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("said", "asks_with"),
    [
        ({}, ("AC" + "0" * 32, "a token")),
        ({"twilio_api_key": "SK" + "1" * 32, "twilio_api_key_secret": SecretStr("s3")}, ("SK" + "1" * 32, "s3")),
    ],
)
def test_the_carrier_is_asked_by_the_api_key_where_there_is_one(said: dict[str, Any], asks_with: tuple[str, str]):
    token = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": SecretStr("a token")}
    assert twilio.credentials(Settings.model_construct(**token, **said)) == asks_with
    gateway = twilio.TwilioGateway("AC" + "0" * 32, asks_with)
    assert (gateway._client.account_sid, gateway._client.auth) == ("AC" + "0" * 32, asks_with)


def test_a_yes_brings_the_carrier_s_id(say: Say):
    assert say(201, '{"sid": "SM1", "status": "queued"}').send(TEXT) == "SM1"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, '{"code": 21211, "message": "no", "status": 400}', 21211),
        (429, '{"code": 20429, "message": "slow", "status": 429}', 20429),
        (401, '{"code": 20003, "message": "who", "status": 401}', 20003),
        (429, "<html>slow down</html>", 429),
        (404, "{}", 404),
        (400, '{"code": null}', 400),
        (400, '{"code": "odd"}', 400),
        (400, "[]", 400),
        (400, '{"type": "https://x.example", "title": "no", "status": 400, "code": 21211}', 21211),
    ],
)
def test_a_no_brings_its_code(say: Say, status: int, body: str, code: int):
    with pytest.raises(Refused) as refused:
        say(status, body).send(TEXT)
    assert (refused.value.code, refused.value.status) == (code, status)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    "body",
    ["", "<html>", '{"code": 20500}', '{"type": "x", "title": "x", "status": 503, "code": 20500}'],
)
def test_a_broken_carrier_s_answer_is_unknown(say: Say, status: int, body: str):
    with pytest.raises(OutcomeUnknown):
        say(status, body).send(TEXT)


@pytest.mark.parametrize("body", ["", "<html>", "{}", "[]", "null", '"x"', "7", '{"sid": null}', '{"sid": ""}'])
def test_a_yes_without_sense_is_unknown(say: Say, body: str):
    with pytest.raises(OutcomeUnknown):
        say(201, body).send(TEXT)


def test_a_request_that_timed_out_on_the_way_is_unknown(say: Say):
    with pytest.raises(OutcomeUnknown):
        say(408, "").send(TEXT)


def test_nobody_listening_is_unknown():
    gateway = twilio.TwilioGateway("AC" + "0" * 32, ("AC" + "0" * 32, "a token"), "http://127.0.0.1:9")
    with pytest.raises(OutcomeUnknown):
        gateway.send(TEXT)


@pytest.mark.parametrize("body", ["", "[]", "null", '{"messages": 7}', '{"messages": [7]}', "{}"])
def test_a_list_without_sense_says_nothing(say: Say, body: str):
    with pytest.raises(OutcomeUnknown):
        say(200, body).find("+13035550117", datetime.now(UTC))


@pytest.mark.parametrize("body", ["", "[]", "null", "{}", '{"sid": "SM1", "error_code": "odd"}'])
def test_one_text_without_sense_says_nothing(say: Say, body: str):
    try:
        text = say(200, body).fetch("SM1")
    except OutcomeUnknown:
        return
    assert text is not None
    assert text.status == "None"


def test_a_text_the_carrier_does_not_know_is_none(say: Say):
    assert say(404, '{"code": 20404}').fetch("SM1") is None


def test_no_number_is_in_what_is_raised(say: Say):
    with pytest.raises(Refused) as refused:
        say(400, '{"code": 21211, "message": "+13035550117 is not valid"}').send(TEXT)
    assert "0117" not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_the_list_is_narrowed_to_its_time(network, desk, new_patient):
    from messaging.delivery import deliver

    desk.text(new_patient(number="+13035550117"))
    deliver.deliver("bulk")
    now, gateway = datetime.now(UTC), twilio.gateway()
    (found,) = gateway.find("+13035550117", now - timedelta(minutes=2))
    assert found.body.startswith("See you on Monday.")
    assert gateway.find("+13035550117", now + timedelta(minutes=2)) == []
    assert gateway.find("+13035550118", now - timedelta(minutes=2)) == []


def test_the_gateway_is_made_once(house):
    assert twilio.gateway() is twilio.gateway()


@pytest.fixture
def led(house: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[str], list[tuple[str, int]]]]:
    """Sends a text to Twilio itself while a name server answers so, in turn; no connection stands.

    Returns the names that were asked for, and where connections were begun to.
    """

    def sent(*answers: list[str]) -> tuple[list[str], list[tuple[str, int]]]:
        left, asked, begun = list(answers), [], []

        def addresses(host: str, port: int, *_: object, **__: object) -> list[tuple[Any, ...]]:
            found = [host]
            if not host[0].isdigit():
                asked.append(host)
                found = left.pop(0)
            kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
            return [(kind, socket.SOCK_STREAM, 6, "", (at, port)) for kind, at in zip(kinds, found, strict=True)]

        def connect(_: socket.socket, address: tuple[str, int]) -> None:
            begun.append(address[:2])
            raise ConnectionRefusedError

        monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"twilio_api_url": ""}))
        monkeypatch.setattr(socket, "getaddrinfo", addresses)
        monkeypatch.setattr(socket.socket, "connect", connect)
        gateway = twilio.TwilioGateway("AC" + "0" * 32, ("AC" + "0" * 32, "a token"))
        with pytest.raises(Unreachable):
            gateway.send(TEXT)
        gateway.close()
        return asked, begun

    return sent


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_no_text_goes_where_the_carriers_name_leads_inside(led: Any, inside: str) -> None:
    assert led([inside]) == (["api.twilio.com"], [])
    assert led(["93.184.215.14", inside]) == (["api.twilio.com"], [])


def test_the_carriers_name_is_resolved_once_and_no_proxy_of_a_shell_asked(
    led: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    asked, begun = led(["93.184.215.14", "93.184.215.15"], ["127.0.0.1"])
    assert asked == ["api.twilio.com"]
    assert begun == [("93.184.215.14", 443), ("93.184.215.15", 443)]
