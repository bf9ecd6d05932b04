"""What the door for Twilio takes, refuses, and keeps."""

import base64
import hashlib
import hmac
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import pytest
from twilio.request_validator import RequestValidator

from webhooks import receipts, twilio

SMS = "/webhooks/twilio/sms"
FORM = "application/x-www-form-urlencoded"


def test_a_signed_text_is_kept_once_and_answered_with_empty_twiml(world: Any) -> None:
    form = world.form("Y")
    for _ in range(2):
        answer = world.post(form)
        assert answer.status_code == 200
        assert answer.mimetype == "text/xml"
        assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    (receipt,) = world.receipts
    assert receipt.source == "twilio.sms"
    assert receipt.event == form["MessageSid"]
    assert (receipt.state, receipt.lane) == ("received", "default")
    assert receipts.said(receipt) == form


@pytest.mark.parametrize("signature", ["", "wrong", "ÿÿ", "a" * 28])
def test_what_is_not_signed_is_refused_and_leaves_no_row(world: Any, signature: str) -> None:
    answer = world.post(world.form("hello"), signature=signature)
    assert answer.status_code == 403
    assert answer.mimetype == "application/problem+json"
    assert world.receipts == []


def test_a_missing_signature_or_another_address_is_refused(world: Any) -> None:
    form = world.form("hello")
    assert world.client.post(SMS, data=urlencode(form), content_type=FORM).status_code == 403
    assert world.post(form, signature=world.signature(form, "/webhooks/twilio/other")).status_code == 403
    assert world.post({**form, "Body": "bye"}, signature=world.signature(form)).status_code == 403
    assert world.receipts == []


def test_both_tokens_and_the_default_port_are_known(world: Any) -> None:
    form = world.form("one")
    other = RequestValidator("the other token").compute_signature("https://clinic.example" + SMS, form)
    assert world.post(form, signature=other).status_code == 200
    form = world.form("two")
    port = RequestValidator("the other token").compute_signature("https://clinic.example:443" + SMS, form)
    assert world.post(form, signature=port).status_code == 200


def test_the_query_string_is_signed_too(world: Any) -> None:
    form = world.form("hello")
    path = SMS + "?clinic=a%20b&x="
    assert world.post(form, path).status_code == 200
    assert world.post(world.form("hello"), path, signature=world.signature(form)).status_code == 403


def test_a_repeated_parameter_is_refused_and_leaves_no_row(world: Any) -> None:
    form = world.form("hello")
    body = urlencode([*form.items(), ("Body", "hello")])
    signed = {"X-Twilio-Signature": world.signature(form)}
    assert world.client.post(SMS, data=body, headers=signed, content_type=FORM).status_code == 400
    assert world.receipts == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"MessageSid": "SM1"},
        {"MessageSid": "SM" + "G" * 32},
        {"AccountSid": "AC" + "1" * 32},
        {"From": ""},
        {"From": "+1303555010x"},
        {"From": "rcs:+13035550101FromCity"},
        {"From": "two\nlines"},
        {"To": ""},
        {"NumMedia": "11"},
        {"NumMedia": "-1"},
        {"OptOutType": "MAYBE"},
    ],
)
def test_a_signed_form_with_a_wrong_field_is_refused_without_internals(world: Any, wrong: dict[str, str]) -> None:
    answer = world.post(world.form("hello", **wrong))
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert set(answer.json) == {"type", "title", "status", "detail"}
    assert world.receipts == []


@pytest.mark.parametrize("missing", ["MessageSid", "AccountSid", "From", "To", "Body"])
def test_a_signed_form_that_lacks_a_field_is_refused(world: Any, missing: str) -> None:
    form = world.form("hello")
    del form[missing]
    assert world.post(form).status_code == 400


def test_parameters_we_do_not_know_are_kept(world: Any) -> None:
    form = world.form("hello", MessagingServiceSid="MG1", Zukunft="ja", AddOns='{"status":"ok"}')
    assert world.post(form).status_code == 200
    assert receipts.said(world.receipts[0]) == form


@pytest.mark.parametrize(
    "body",
    ["a\0b", "x" * 1600, "😀 שלום \u200d👩‍👧", "", "   ", "<script>", "tab\tline\r\n", "a&b=c+d%41"],
)
def test_any_body_is_kept_as_it_came(world: Any, body: str) -> None:
    world.text(body)
    assert receipts.said(world.receipts[0])["Body"] == body
    assert world.inbound[0].body == body


@pytest.mark.parametrize("raw", ["%ED%A0%BD", "%FF%FE", "tell%80"])
def test_bytes_that_are_no_text_are_kept_and_can_be_shown(world: Any, raw: str) -> None:
    form = world.form("")
    sorted_form = "".join(name + value for name, value in sorted(form.items()))
    before, after = sorted_form.split("BodyFrom", 1)
    signed = f"https://clinic.example{SMS}{before}Body".encode() + unquote_to_bytes(raw) + f"From{after}".encode()
    signature = base64.b64encode(hmac.new(b"a token of the tests", signed, hashlib.sha1).digest()).decode()
    body = urlencode({name: value for name, value in form.items() if name != "Body"}) + "&Body=" + raw
    answer = world.client.post(SMS, data=body, headers={"X-Twilio-Signature": signature}, content_type=FORM)
    assert answer.status_code == 200
    kept = receipts.said(world.receipts[0])["Body"]
    assert kept.encode("utf-8", "surrogatepass" if raw.startswith("%ED") else "surrogateescape") == unquote_to_bytes(
        raw
    )
    world.drain()
    assert "\ufffd" in world.inbound[0].body
    world.inbound[0].body.encode()
    assert len(world.items) == 1


def test_a_picture_without_words_is_kept(world: Any) -> None:
    world.text("", NumMedia="1", MediaUrl0="https://api.example/m/1", MediaContentType0="image/jpeg")
    assert world.inbound[0].media == [{"url": "https://api.example/m/1", "type": "image/jpeg"}]
    assert world.items[0].summary == "[1 attached]"


def test_a_text_that_may_speak_of_a_crisis_takes_the_urgent_lane(world: Any) -> None:
    world.post(world.form("I want to die"))
    assert world.receipts[0].lane == "urgent"


def test_a_text_to_nobodys_number_is_kept_and_ignored(world: Any) -> None:
    world.post(world.form("hello", To="+13035550177"))
    world.post(world.form("again", To="+13035550177"))
    first, second = world.receipts
    assert first.clinic_id == receipts.HOUSE
    assert first.key_id == second.key_id
    world.drain()
    assert [receipt.state for receipt in world.receipts] == ["ignored", "ignored"]
    assert world.inbound == []


def test_the_same_text_fifty_times_at_once_is_one_row(world: Any) -> None:
    form = world.form("hello")
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(
                lambda _: (
                    world.client.application.test_client()
                    .post(
                        SMS,
                        data=urlencode(form),
                        headers={"X-Twilio-Signature": world.signature(form)},
                        content_type=FORM,
                    )
                    .status_code
                ),
                range(50),
            )
        )
    assert answers == [200] * 50
    assert len(world.receipts) == 1
    world.drain()
    assert len(world.inbound) == len(world.items) == 1


def test_without_redis_a_text_is_kept_and_answered_fast(world: Any) -> None:
    started = time.monotonic()
    assert world.post(world.form("I want to die")).status_code == 200
    assert time.monotonic() - started < 60
    assert len(world.receipts) == 1


def test_what_is_too_large_or_has_too_many_fields_is_refused(world: Any) -> None:
    assert world.post(world.form("x" * 70_000)).status_code == 413
    assert world.post(world.form("x", **{f"P{n}": "" for n in range(5000)})).status_code in (400, 413)
    assert world.post(world.form("x", **{f"P{n}": "" for n in range(100)})).status_code == 400
    assert world.receipts == []


@pytest.mark.parametrize("path", [SMS, "/webhooks/twilio/status/abc", "/webhooks/forms/vendor"])
def test_only_post_is_known(world: Any, path: str) -> None:
    for method in ("get", "put", "delete", "patch"):
        assert getattr(world.client, method)(path).status_code == 405


def test_a_reading_that_breaks_keeps_the_text_and_makes_haste(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_body: str) -> None:
        raise ValueError

    monkeypatch.setattr(twilio.read_reply, "read", broken)
    assert world.post(world.form("hello")).status_code == 200
    assert world.receipts[0].lane == "urgent"
