"""Whose signature fits, by the libraries of those who sign, and to the byte and the second."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from webhooks import signatures

URL = "https://texts.clinic.example/webhooks/twilio/sms"
FIELDS = [(b"From", b"+12025550101"), (b"Body", "señal & más".encode("latin-1")), (b"AccountSid", b"AC1")]
SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
NOW = 1_760_000_000
BODY = b'{"a": 1}'


def plain(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value.replace(b"\xf1", b"n").replace(b"\xe1", b"a")) for name, value in fields]


def test_the_carriers_own_library_signs_what_is_believed() -> None:
    fields = plain(FIELDS)
    said = {name.decode(): value.decode() for name, value in fields}
    signature = RequestValidator("token").compute_signature(URL, said)
    assert signatures.by_twilio(URL, fields, signature, ["token"])
    assert signatures.by_twilio(URL, fields[::-1], signature, ["other", "token"])
    assert signatures.by_twilio(URL, [*fields, fields[0]], signature, ["token"])
    assert not signatures.by_twilio(URL, fields, signature, ["other"])
    assert not signatures.by_twilio(URL, fields, signature, [])
    assert not signatures.by_twilio(URL, fields, "", ["token"])
    assert not signatures.by_twilio(URL, fields, signature[:-1], ["token"])
    assert not signatures.by_twilio(URL, fields, "é" + signature, ["token"])
    assert not signatures.by_twilio(URL, fields[1:], signature, ["token"])
    assert not signatures.by_twilio(URL + "x", fields, signature, ["token"])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("https://texts.clinic.example/x", "https://texts.clinic.example:443/x"),
        ("https://texts.clinic.example:443/x", "https://texts.clinic.example/x"),
        ("http://127.0.0.1/x", "http://127.0.0.1:80/x"),
        ("http://127.0.0.1:80/x?y=127.0.0.1", "http://127.0.0.1/x?y=127.0.0.1"),
        ("https://a.example/a.example", "https://a.example:443/a.example"),
        ("https://a.example:443/a.example:443", "https://a.example/a.example:443"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x"),
    ],
)
def test_with_and_without_the_usual_port_it_is_one_address(ours: str, theirs: str) -> None:
    fields = plain(FIELDS)
    said = {name.decode(): value.decode() for name, value in fields}
    for address in (ours, theirs):
        assert signatures.by_twilio(ours, fields, RequestValidator("t").compute_signature(address, said), ["t"])
    other = theirs.replace("443", "444").replace("80", "81")
    if other not in (ours, theirs):
        assert not signatures.by_twilio(ours, fields, RequestValidator("t").compute_signature(other, said), ["t"])


def test_bytes_that_are_no_text_are_signed_as_they_came() -> None:
    raw = [(b"Body", b"\xff\x00\xe9"), (b"A\xe9", b"1")]
    parts = URL.encode() + b"A\xe91" + b"Body\xff\x00\xe9"
    signature = base64.b64encode(hmac.new(b"token", parts, hashlib.sha1).digest()).decode()
    assert signatures.by_twilio(URL, raw, signature, ["token"])
    assert not signatures.by_twilio(URL, [(b"Body", b"\xff\x00\xe8"), raw[1]], signature, ["token"])


def of_standard(at: int = NOW, secret: str = SECRET, message_id: str = "msg_1", body: bytes = BODY) -> str:
    return Webhook(secret).sign(message_id, datetime.fromtimestamp(at, UTC), body.decode())


def believed(signature: str, timestamp: str = str(NOW), now: float = NOW, **named: object) -> bool:
    facts: dict[str, object] = {"secret": SECRET, "message_id": "msg_1", "body": BODY} | named
    return signatures.by_standard(
        str(facts["secret"]),
        str(facts["message_id"]),
        timestamp,
        bytes(facts["body"]),
        signature,
        now,  # type: ignore[call-overload]
    )


def test_the_standards_own_library_signs_what_is_believed() -> None:
    good = of_standard()
    assert believed(good)
    assert believed(f"v1a,xx {good}")
    assert believed(f"{of_standard(secret='whsec_' + base64.b64encode(b'x' * 24).decode())} {good}")
    assert believed(good, secret=SECRET.removeprefix("whsec_"))
    assert believed(good, secret=SECRET.rstrip("="))
    for wrong in ("", "v1,", good[:-1], good[3:], good.replace("v1,", "v2,"), good + "x", "é " + "x"):
        assert not believed(wrong), wrong
    assert not believed(good, body=b'{"a": 2}')
    assert not believed(good, message_id="msg_2")
    assert not believed(good, secret="whsec_" + base64.b64encode(b"y" * 24).decode())
    assert not believed(good, secret="whsec_a")
    nobodys = hmac.new(b"", f"msg_1.{NOW}.".encode() + BODY, hashlib.sha256).digest()
    assert not believed("v1," + base64.b64encode(nobodys).decode(), secret="whsec_")


@pytest.mark.parametrize(("late", "good"), [(0, True), (300, True), (300.5, False), (-300, True), (-301, False)])
def test_a_signature_is_good_for_five_minutes(late: float, good: bool) -> None:
    assert believed(of_standard(), now=NOW + late) is good


@pytest.mark.parametrize("timestamp", ["", "-1", "1.5", "x", "1" * 13, f" {NOW}", f"{NOW}\n", "٣" * 10, str(NOW + 1)])
def test_a_moment_that_is_none_or_another_is_no_signature(timestamp: str) -> None:
    assert not believed(of_standard(), timestamp=timestamp)


def test_what_is_no_text_in_a_header_or_address_is_no_signature_and_no_error() -> None:
    assert not signatures.by_twilio(URL, plain(FIELDS), "\ud800", ["token"])
    assert not signatures.by_twilio(URL + "?\ud800", plain(FIELDS), "x", ["token"])
    assert not believed("v1,\ud800")
    assert not believed(of_standard(), message_id="\ud800")
