"""Every way in which a carrier can fail, on demand."""

import time
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from tests.waiting import until

PHONE = "+12015550101"


def accepted(simulator: Any) -> int:
    return len(simulator.ask("GET", "/sim/messages")["messages"])


def test_a_dropped_create_is_not_accepted(simulator: Any) -> None:
    simulator.faults({"answer": "drop", "count": 20})
    for _ in range(20):
        with pytest.raises(requests.RequestException):
            simulator.send()
    assert accepted(simulator) == 0
    simulator.send()
    assert accepted(simulator) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refused_create_is_not_accepted(simulator: Any, status: int) -> None:
    simulator.faults({"answer": status})
    with pytest.raises(TwilioRestException) as refused:
        simulator.send()
    assert (refused.value.status, refused.value.code) == (status, 20000 + status)
    assert accepted(simulator) == 0


def test_accept_then_500_delivers_all_the_same(simulator: Any, receiver: Any) -> None:
    simulator.faults({"answer": "accept_then_500"})
    with pytest.raises(TwilioRestException) as refused:
        simulator.send(status_callback=receiver.url + "/status")
    assert refused.value.status == 500
    assert receiver.wait(3)[-1].fields["MessageStatus"] == "delivered"


def test_accept_then_timeout_outlasts_the_client(simulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator.client.http_client, "timeout", 1)
    simulator.faults({"answer": "accept_then_timeout"})
    with pytest.raises(requests.Timeout):
        simulator.send()
    until(lambda: accepted(simulator), "the create that nobody waits for any more")
    assert accepted(simulator) == 1


def test_garbage_is_no_json(simulator: Any) -> None:
    simulator.faults({"answer": "garbage"})
    with pytest.raises(ValueError):
        simulator.send()
    assert accepted(simulator) == 1


def test_delay_and_latency_hold_the_answer_back(simulator: Any) -> None:
    simulator.ask("PUT", "/sim/faults", json={"latency_ms": 100, "rules": [{"delay_ms": 200, "count": 1}]})
    began = time.monotonic()
    simulator.send()
    simulator.send()
    assert time.monotonic() - began >= 0.4


def test_a_rule_keeps_to_its_number_and_count(simulator: Any) -> None:
    simulator.faults({"number": PHONE, "count": 1, "answer": "500"})
    simulator.send(to="+12015550102")
    with pytest.raises(TwilioRestException):
        simulator.send()
    simulator.send()
    (rule,) = simulator.ask("GET", "/sim/faults")["rules"]
    assert rule["applied"] == 1
    assert accepted(simulator) == 2


def test_chance_is_repeated_by_its_seed(simulator: Any) -> None:
    def fallen() -> list[int]:
        simulator.ask("DELETE", "/sim")
        simulator.faults({"probability": 0.5, "seed": 7, "answer": "503"})
        return [at for at in range(20) if not sent()]

    def sent() -> bool:
        try:
            return bool(simulator.send())
        except TwilioRestException:
            return False

    first = fallen()
    assert 3 <= len(first) <= 17
    assert fallen() == first


def test_callbacks_are_lost(simulator: Any, receiver: Any) -> None:
    simulator.faults({"callbacks": "lose"})
    simulator.settled(simulator.send(status_callback=receiver.url + "/status").sid)
    simulator.type(PHONE, "after")  # the webhook of a later text arrives alone
    assert [call.path for call in receiver.calls] == ["/sms?a=b"]


def test_callbacks_come_twice(simulator: Any, receiver: Any) -> None:
    simulator.faults({"callbacks": "duplicate"})
    simulator.send(status_callback=receiver.url + "/status")
    calls = receiver.wait(6)
    assert [call.body for call in calls[::2]] == [call.body for call in calls[1::2]]
    assert len({call.body for call in calls}) == 3


def test_callbacks_come_in_reverse(simulator: Any, receiver: Any) -> None:
    simulator.faults({"callbacks": "reverse", "callbacks_delay_ms": 50})
    simulator.send(status_callback=receiver.url + "/status")
    assert [call.fields["MessageStatus"] for call in receiver.wait(3)] == ["delivered", "sent", "sending"]


def test_a_lost_text_is_still_in_the_list(simulator: Any, receiver: Any) -> None:
    simulator.faults({"inbound": "lose", "count": 1})
    assert simulator.type(PHONE, "help me")["webhook_id"] is None
    assert [m.body for m in simulator.client.messages.list(from_=PHONE)] == ["help me"]
    assert simulator.type(PHONE, "hello?")["webhook_status"] == 200
    assert [call.fields["Body"] for call in receiver.calls] == ["hello?"]


def test_a_wrong_signature_is_wrong(simulator: Any, receiver: Any) -> None:
    simulator.faults({"signature": "wrong"})
    simulator.type(PHONE, "forged")
    assert [call.signed for call in receiver.wait(1)] == [False]


@pytest.mark.parametrize("wrong", [{"answer": "explode"}, {"anwser": "drop"}, [{"probability": 2}], "drop"])
def test_a_rule_that_is_not_understood_is_refused(simulator: Any, wrong: object) -> None:
    simulator.faults({"delay_ms": 1})
    assert "error" in simulator.ask("PUT", "/sim/faults", json=wrong)
    assert len(simulator.ask("GET", "/sim/faults")["rules"]) == 1
    simulator.ask("DELETE", "/sim/faults")
    assert simulator.ask("GET", "/sim/faults") == {"latency_ms": 0, "rules": []}
