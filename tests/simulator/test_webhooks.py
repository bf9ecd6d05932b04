"""Webhooks are signed, in order, retried by Twilio's rules and repeatable to the byte."""

from typing import Any

import pytest

PHONE = "+12015550101"
FOUR = ["sending", "sent", "delivered"]


def test_each_change_after_the_first_is_called_back_signed(simulator: Any, receiver: Any, tools: Any) -> None:
    sid = simulator.send(status_callback=receiver.url + "/status/abc?x=1#rc=2").sid
    calls = receiver.wait(3)
    assert [call.fields["MessageStatus"] for call in calls] == FOUR
    assert all(call.signed for call in calls)
    assert {call.path for call in calls} == {"/status/abc?x=1"}
    fields = calls[-1].fields
    assert fields["MessageSid"] == fields["SmsSid"] == sid
    assert (fields["SmsStatus"], fields["To"], fields["From"]) == ("delivered", PHONE, tools.clinic)
    assert (fields["AccountSid"], fields["ApiVersion"]) == (tools.account, "2010-04-01")
    assert "ErrorCode" not in fields


def test_a_text_from_a_phone_reaches_the_clinic_signed(simulator: Any, receiver: Any, tools: Any) -> None:
    typed = simulator.type("12015550101", "Olá & 1+1=2")
    (call,) = receiver.wait(1)
    assert (typed["webhook_status"], typed["sid"]) == (200, call.fields["MessageSid"])
    assert call.signed
    assert call.path == "/sms?a=b"
    fields = call.fields
    assert fields["MessageSid"] == fields["SmsSid"] == fields["SmsMessageSid"]
    assert (fields["From"], fields["To"], fields["Body"]) == (PHONE, tools.clinic, "Olá & 1+1=2")
    assert (fields["NumMedia"], fields["NumSegments"], fields["FromCountry"], fields["FromCity"]) == (
        "0",
        "1",
        "US",
        "",
    )
    assert "OptOutType" not in fields


def test_a_replay_sends_the_exact_same_bytes(simulator: Any, receiver: Any) -> None:
    webhook = simulator.type(PHONE, "again")["webhook_id"]
    replayed = simulator.ask("POST", f"/sim/webhooks/{webhook}/replay")
    first, second = receiver.wait(2)
    assert (first.body, first.headers) == (second.body, second.headers)
    assert second.headers["I-Twilio-Idempotency-Token"]
    assert (replayed["status"], replayed["attempts"]) == (200, 2)
    assert "error" in simulator.ask("POST", "/sim/webhooks/WH0/replay")


def test_an_answer_of_500_is_not_tried_again(simulator: Any, receiver: Any) -> None:
    receiver.status = 500
    assert simulator.type(PHONE, "hello")["webhook_status"] == 500
    (sent,) = simulator.ask("GET", "/sim/webhooks?kind=inbound")["webhooks"]
    assert (sent["attempts"], sent["error"]) == (1, "answered 500")


def test_the_fragment_of_the_address_changes_the_rules(simulator: Any, receiver: Any) -> None:
    receiver.status = 503
    simulator.send(status_callback=receiver.url + "/status#rc=2&rp=5xx")
    calls = receiver.wait(9)
    assert len({call.headers["I-Twilio-Idempotency-Token"] for call in calls}) == 3


def test_no_connection_is_tried_once_more(simulator: Any, tools: Any) -> None:
    simulator.send(status_callback=f"http://127.0.0.1:{tools.free_port()}/status")
    hooks = "/sim/webhooks?kind=status"
    tools.until(
        lambda: [h["attempts"] for h in simulator.ask("GET", hooks)["webhooks"]] == [2, 2, 2],
        "two tries each",
    )
    assert all(h["status"] is None and h["error"] for h in simulator.ask("GET", hooks)["webhooks"])


@pytest.mark.parametrize("url", ["http://203.0.113.9/status", "https://clinic.example/status", "file:///etc/passwd"])
def test_no_address_outside_this_machine_is_called(simulator: Any, url: str) -> None:
    sid = simulator.send(status_callback=url).sid
    simulator.settled(sid)
    sent = simulator.ask("GET", f"/sim/webhooks?sid={sid}")["webhooks"]
    assert [(h["attempts"], h["error"].split(":")[0]) for h in sent] == [(0, "refused")] * 3
