"""The SDK cannot tell the simulator from Twilio."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.waiting import PATIENCE

PHONE = "+12015550101"


def code_of(refused: Any) -> tuple[int, int]:
    return refused.value.status, refused.value.code


def test_a_created_message_is_queued_then_delivered(simulator: Any) -> None:
    created = simulator.send(body="á" * 71)
    assert (created.status, created.num_segments, created.error_code) == ("queued", "2", None)
    assert created.sid.startswith("SM")
    assert len(created.sid) == 34
    assert abs(datetime.now(UTC) - created.date_created) < timedelta(minutes=1)
    delivered = simulator.settled(created.sid)
    assert (delivered.to, delivered.from_, delivered.body) == (PHONE, "+12015550100", "á" * 71)
    assert delivered.date_sent is not None


def test_a_messaging_service_may_send(simulator: Any) -> None:
    service = "MG" + "1" * 32
    sent = simulator.client.messages.create(to=PHONE, messaging_service_sid=service, body="Hi", validity_period=600)
    assert sent.messaging_service_sid == service
    (kept,) = simulator.ask("GET", "/sim/messages")["messages"]
    assert (kept["validity_period"], kept["from"]) == (600, "+12015550100")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"to": "12"}, 21211),
        ({"to": ""}, 21604),
        ({"from_": ""}, 21603),
        ({"from_": "clinic"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "a" * 1601}, 21617),
        ({"validity_period": 0}, 20001),
    ],
)
def test_what_is_missing_or_wrong_is_refused_as_twilio_does(simulator: Any, changed: dict[str, Any], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        simulator.client.messages.create(**({"to": PHONE, "from_": "+12015550100", "body": "Hi"} | changed))
    assert code_of(refused) == (400, code)
    assert simulator.ask("GET", "/sim/messages")["messages"] == []


def test_an_api_key_lets_in_with_its_own_secret_alone(simulator: Any, tools: Any) -> None:
    address = f"{simulator.url}/2010-04-01/Accounts/{tools.account}/Messages.json"

    def asked(name: str, secret: str) -> int:
        with requests.get(address, auth=(name, secret), timeout=PATIENCE) as answer:
            return answer.status_code

    assert asked(tools.api_key, tools.api_secret) == 200
    assert asked(tools.api_key, tools.token) == asked(tools.account, tools.api_secret) == asked("", "") == 401


def test_a_wrong_token_and_a_foreign_account_get_401(simulator: Any, tools: Any) -> None:
    for name, token, account in (
        (tools.account, "wrong", tools.account),
        ("AC" + "9" * 32, tools.token, tools.account),
        (tools.account, tools.token, "AC" + "9" * 32),
    ):
        client = Client(name, token, account_sid=account, http_client=simulator.client.http_client)
        with pytest.raises(TwilioRestException) as refused:
            client.messages("SM" + "0" * 32).fetch()
        assert refused.value.status == 401
    bare = requests.get(f"{simulator.url}/2010-04-01/Accounts/{tools.account}/Messages.json", timeout=PATIENCE)
    assert (bare.status_code, bare.json()["code"], bare.json()["status"]) == (401, 20003, 401)
    bare.close()


def test_an_unknown_message_is_404(simulator: Any) -> None:
    with pytest.raises(TwilioRestException) as refused:
        simulator.client.messages("SM" + "0" * 32).fetch()
    assert code_of(refused) == (404, 20404)


def test_lists_by_number_newest_first(simulator: Any) -> None:
    simulator.send(body="one")
    simulator.send(to="+12015550102", body="other")
    simulator.send(body="two")
    simulator.type(PHONE, "answer")
    assert [m.body for m in simulator.client.messages.list(to=PHONE)] == ["two", "one"]
    assert [m.body for m in simulator.client.messages.list(from_=PHONE)] == ["answer"]
    inbound = simulator.client.messages.list(to="+12015550100")[0]
    assert (inbound.direction, inbound.status) == ("inbound", "received")


def test_lists_by_date(simulator: Any) -> None:
    simulator.send()
    now, hour = datetime.now(UTC), timedelta(hours=1)
    listing = simulator.client.messages.list
    assert len(listing(date_sent_after=now - hour)) == 1
    assert len(listing(date_sent_after=now - hour, date_sent_before=now + hour)) == 1
    assert listing(date_sent_after=now + hour) == []
    assert listing(date_sent_before=now - hour) == []
    today = simulator.client.messages.list()[0].date_created.date()
    assert len(listing(date_sent=str(today))) == 1
    assert len(listing(date_sent_before=str(today))) == 1
    assert listing(date_sent=str(today - timedelta(days=2))) == []


def test_pages_do_not_shift_when_a_message_arrives(simulator: Any) -> None:
    for number in range(7):
        simulator.send(body=str(number))
    first = simulator.client.messages.page(page_size=3)
    assert [m.body for m in first] == ["6", "5", "4"]
    simulator.send(body="late")
    second = first.next_page()
    assert [m.body for m in second] == ["3", "2", "1"]
    assert [m.body for m in second.next_page()] == ["0"]
    assert second.next_page().next_page() is None
    assert len(simulator.client.messages.list(page_size=2)) == 8


def test_redacting_empties_the_record_but_not_the_phone(simulator: Any) -> None:
    sid = simulator.send(body="private").sid
    simulator.settled(sid)
    assert simulator.client.messages(sid).update(body="").body == ""
    assert simulator.client.messages(sid).fetch().body == ""
    (on_phone,) = simulator.ask("GET", f"/sim/phones/{PHONE}/messages")["messages"]
    assert on_phone["body"] == "private"


def test_deleting_removes_the_record_but_not_the_count(simulator: Any) -> None:
    sid = simulator.send().sid
    simulator.settled(sid)
    assert simulator.client.messages(sid).delete()
    assert simulator.client.messages.list() == []
    assert [m["sid"] for m in simulator.ask("GET", "/sim/messages")["messages"]] == [sid]


def test_a_message_on_its_way_cannot_be_deleted_or_redacted(simulator: Any) -> None:
    sid = simulator.send(to="+12015550199").sid
    simulator.settled(sid, "sent")
    for attempt in (
        simulator.client.messages(sid).delete,
        lambda: simulator.client.messages(sid).update(body=""),
    ):
        with pytest.raises(TwilioRestException) as refused:
            attempt()
        assert code_of(refused) == (409, 20009)


def test_media_of_a_text_are_read_with_the_token_and_deleted(simulator: Any, receiver: Any, tools: Any) -> None:
    picture = {"content_type": "image/png", "base64": "iVBORw=="}
    simulator.type(PHONE, "", media=[picture])
    (call,) = receiver.wait(1)
    assert (call.fields["NumMedia"], call.fields["MediaContentType0"]) == ("1", "image/png")
    address, auth = call.fields["MediaUrl0"], (tools.account, tools.token)
    with (
        requests.get(address, timeout=PATIENCE) as stranger,
        requests.get(address, auth=auth, timeout=PATIENCE) as ours,
    ):
        assert (stranger.status_code, ours.status_code) == (401, 200)
        assert (ours.content, ours.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    (listed,) = simulator.client.messages(call.fields["MessageSid"]).media.list()
    assert listed.content_type == "image/png"
    assert listed.delete()
    with requests.get(address, auth=auth, timeout=PATIENCE) as gone:
        assert gone.status_code == 404


@pytest.mark.parametrize(("suffix", "code"), [("0190", 21211), ("0191", 21610), ("0192", 21614)])
def test_some_numbers_are_always_refused(simulator: Any, suffix: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        simulator.send(to="+1303555" + suffix)
    assert code_of(refused) == (400, code)


@pytest.mark.parametrize(
    ("suffix", "code"), [("0193", 30003), ("0194", 30004), ("0195", 30005), ("0196", 30006), ("0197", 30007)]
)
def test_some_numbers_are_never_reached(simulator: Any, receiver: Any, suffix: str, code: int) -> None:
    sid = simulator.send(to="+1303555" + suffix, status_callback=receiver.url + "/status").sid
    assert simulator.settled(sid, "undelivered").error_code == code
    assert receiver.wait(3)[-1].fields["ErrorCode"] == str(code)


def test_a_busy_number_takes_the_third_try(simulator: Any) -> None:
    for _ in range(2):
        with pytest.raises(TwilioRestException) as refused:
            simulator.send(to="+12015550198")
        assert code_of(refused) == (429, 20429)
    simulator.settled(simulator.send(to="+12015550198").sid)
    assert simulator.ask("GET", "/sim/messages")["requests"] == {"asked": 3, "accepted": 1}
