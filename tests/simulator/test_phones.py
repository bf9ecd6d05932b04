"""Phones can be looked at and typed on, and the carrier between them acts as carriers do."""

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from tests.waiting import PATIENCE

PHONE = "+12015550101"


def page(simulator: Any, path: str, **kwargs: Any) -> str:
    with requests.get(simulator.url + path, timeout=PATIENCE, **kwargs) as answer:
        assert answer.status_code == 200
        return answer.text


def bodies(simulator: Any) -> list[tuple[str, str]]:
    texts = simulator.ask("GET", "/sim/phones/12015550101/messages")["messages"]
    return [(text["direction"], text["body"]) for text in texts]


def test_stop_blocks_confirms_once_and_is_forwarded(simulator: Any, receiver: Any) -> None:
    simulator.send(body="Reminder")
    simulator.type(PHONE, " Stop ")
    simulator.type(PHONE, "quit")
    assert [direction for direction, _ in bodies(simulator)] == ["in", "out", "in", "out"]
    assert [call.fields["Body"] for call in receiver.wait(2)] == [" Stop ", "quit"]
    with pytest.raises(TwilioRestException) as refused:
        simulator.send()
    assert (refused.value.status, refused.value.code) == (400, 21610)
    simulator.client.messages.create(to=PHONE, from_="+12015550199", body="another sender")


def test_start_lifts_the_block_and_answers_only_then(simulator: Any) -> None:
    simulator.type(PHONE, "YES")
    assert len(bodies(simulator)) == 1
    simulator.type(PHONE, "STOP")
    simulator.type(PHONE, "unstop")
    assert [direction for direction, _ in bodies(simulator)] == ["out", "out", "in", "out", "in"]
    simulator.settled(simulator.send().sid)


def test_help_is_answered_by_the_carrier(simulator: Any) -> None:
    simulator.type(PHONE, "help")
    (_, reply) = bodies(simulator)
    assert reply[0] == "in"
    assert "STOP" in reply[1]


def test_an_answer_goes_to_whoever_wrote_last(simulator: Any) -> None:
    assert simulator.type(PHONE, "first")["to"] == "+12015550100"
    simulator.client.messages.create(to=PHONE, from_="+13035550111", body="Hi")
    assert simulator.type(PHONE, "second")["to"] == "+13035550111"
    assert simulator.type(PHONE, "third", to="13035550112")["to"] == "+13035550112"


def test_the_page_shows_texts_links_and_how_far_they_got(simulator: Any) -> None:
    sid = simulator.send(body="Form: http://127.0.0.1:8000/i/abc?d=1. <b>Thanks</b>").sid
    simulator.settled(sid)
    simulator.type(PHONE, "ok")
    shown = page(simulator, "/phone/" + PHONE)
    assert "SIMULATED" in shown
    assert '<a href="http://127.0.0.1:8000/i/abc?d=1" target="_blank" rel="noopener noreferrer">' in shown
    assert "&lt;b&gt;Thanks&lt;/b&gt;" in shown
    assert "✓✓ delivered" in shown
    assert "✓ handed to the clinic" in shown


def test_the_form_of_the_page_sends_a_text_and_a_picture(simulator: Any, receiver: Any) -> None:
    sent = requests.post(
        f"{simulator.url}/phone/12015550101",
        data={"body": "typed", "to": "+13035550111"},
        files={"media": ("a.png", b"\x89PNG", "image/png")},
        timeout=PATIENCE,
    )
    sent.close()
    assert sent.url.endswith("clinic=%2B13035550111")
    (call,) = receiver.wait(1)
    assert (call.fields["Body"], call.fields["To"], call.fields["NumMedia"]) == ("typed", "+13035550111", "1")
    assert "1 attached" in sent.text


def test_the_wall_shows_every_phone_and_the_script_is_told_when_nothing_changed(simulator: Any) -> None:
    simulator.settled(simulator.send(to="+12015550104").sid)
    simulator.settled(simulator.send(to="+12015550193").sid, "undelivered")
    shown = page(simulator, "/")
    assert "SIMULATED" in shown
    assert "+1 201 555 0104" in shown
    assert "never arrived" in shown
    assert "+1 201 555 0193" not in page(simulator, "/", params={"phones": "+12015550104"})
    revision = shown.split('data-revision="')[1].split('"')[0]
    with requests.get(simulator.url + "/", params={"since": revision}, timeout=PATIENCE) as same:
        assert same.status_code == 204


def test_the_manual_lists_the_magic_numbers(simulator: Any) -> None:
    shown = page(simulator, "/sim/help")
    assert "SIMULATED" in shown
    assert all(f"019{digit}" in shown for digit in range(10))


def test_a_number_may_be_typed_as_people_write_it(simulator: Any) -> None:
    assert "+1 201 555 0101" in page(simulator, "/phone", params={"number": "+1 (201) 555-0101"})
    assert "error" in simulator.ask("GET", "/sim/phones/nobody/messages")


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
def test_other_sites_cannot_reach_in(simulator: Any, headers: dict[str, str]) -> None:
    address = f"{simulator.url}/sim/phones/{PHONE}/messages"
    with requests.post(address, json={"body": "x"}, headers=headers, timeout=PATIENCE) as answer:
        assert answer.status_code == 403
    assert bodies(simulator) == []


@pytest.mark.parametrize("wrong", [{"body": ""}, {"body": "a" * 1601}, {"text": "a"}, {"body": "a", "to": "x"}])
def test_a_text_that_is_not_understood_is_refused(simulator: Any, wrong: dict[str, str]) -> None:
    assert "error" in simulator.ask("POST", f"/sim/phones/{PHONE}/messages", json=wrong)
    assert bodies(simulator) == []


def test_the_page_itself_may_send(simulator: Any) -> None:
    with requests.get(f"{simulator.url}/phone/{PHONE}", timeout=PATIENCE) as shown:
        # Under "no-referrer" a browser sends `Origin: null` with the form, and it would be refused.
        assert shown.headers["Referrer-Policy"] == "same-origin"
    form, own = {"body": "typed", "to": "+12015550100"}, {"Origin": simulator.url}
    with requests.post(f"{simulator.url}/phone/{PHONE}", data=form, headers=own, timeout=PATIENCE) as answer:
        assert answer.status_code == 200
    assert bodies(simulator) == [("out", "typed")]


def test_the_wall_says_whose_phone_it_is_and_shows_the_last_text_first(simulator: Any) -> None:
    simulator.type("+12015550107", "early")
    simulator.type("+12015550108", "late")
    simulator.ask("PUT", "/sim/names", json={"names": {"+12015550107": "Priya <Raman>"}})
    shown = page(simulator, "/")
    assert "Priya &lt;Raman&gt;" in shown
    assert shown.index("+1 201 555 0108") < shown.index("+1 201 555 0107")
    simulator.type("+12015550107", "again")
    shown = page(simulator, "/")
    assert shown.index("+1 201 555 0107") < shown.index("+1 201 555 0108")
    assert '<h1 id="phone">Priya &lt;Raman&gt;</h1>' in page(simulator, "/phone/+12015550107")


@pytest.mark.parametrize("wrong", [{"names": {"nobody": "x"}}, {"names": {PHONE: ""}}, {"people": {}}])
def test_a_name_that_is_not_understood_is_refused(simulator: Any, wrong: dict[str, Any]) -> None:
    assert "error" in simulator.ask("PUT", "/sim/names", json=wrong)


@pytest.mark.parametrize("answer", ["Y", "R", "STOP", "I am on my way"])
def test_one_press_on_the_wall_answers(simulator: Any, receiver: Any, answer: str) -> None:
    simulator.send(body="See you tomorrow. Reply Y or R.")
    shown = page(simulator, "/")
    assert 'name="body" value="Y"' in shown
    form = {"body": answer, "to": "+12015550100", "wall": ""}
    with requests.post(f"{simulator.url}/phone/{PHONE}", data=form, timeout=PATIENCE) as after:
        assert after.url.endswith("/#p12015550101")
        assert answer in after.text
    assert receiver.wait(1)[0].fields["Body"] == answer


def test_a_text_of_before_is_on_the_phone_and_in_the_list_and_is_not_sent_again(simulator: Any, receiver: Any) -> None:
    sent = {"at": "2026-03-10T12:00:00+00:00", "sid": "SM" + "a" * 32}
    simulator.ask("POST", f"/sim/phones/{PHONE}/messages", json={"body": "of before", "sent": sent})
    simulator.type(PHONE, "of now")
    assert [call.fields["Body"] for call in receiver.wait(1)] == ["of now"]
    listed = {message.sid: message for message in simulator.client.messages.list(from_=PHONE)}
    assert listed[sent["sid"]].date_created.isoformat() == "2026-03-10T12:00:00+00:00"
    shown = page(simulator, f"/phone/{PHONE}")
    assert "Mar 10, 12:00 PM UTC" in shown
    assert "lost on the way" not in shown


@pytest.mark.parametrize("wrong", [{"at": "yesterday", "sid": "SM" + "a" * 32}, {"at": "2026-03-10T12:00:00Z"}])
def test_a_text_of_before_says_when_and_which(simulator: Any, wrong: dict[str, str]) -> None:
    assert "error" in simulator.ask("POST", f"/sim/phones/{PHONE}/messages", json={"body": "x", "sent": wrong})
