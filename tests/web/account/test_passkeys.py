"""Passkeys as a device answers with them, and as none should: each question once, in time, from here, by its holder."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, runtime
from messaging.models import Staff
from tests.web.account.authenticator import PRESENT, Authenticator
from tests.web.account.test_second_step import GOOD, a_colleague, enter, step
from web.account import passkeys
from web.models import Passkey, StaffSession


def asked(browser: Any, path: str, token_from: str) -> dict[str, Any]:
    options: dict[str, Any] = browser.post(path, token_from=token_from).get_json()
    assert options["challenge"]
    return options


def makes(browser: Any, device: Authenticator, name: str = "work phone") -> Any:
    options = asked(browser, "/account/passkeys/ask", "/account")
    return browser.post("/account/passkeys", credential=device.make(options), name=name)


def comes(browser: Any, device: Authenticator) -> Any:
    options = asked(browser, "/signin/passkey/ask", "/signin")
    return browser.post("/signin/passkey", credential=device.use(options))


@pytest.fixture
def rosa(house: Any) -> Staff:
    return a_colleague(house)


@pytest.fixture
def device(house: Any, rosa: Staff) -> Authenticator:
    device = Authenticator()
    shown = makes(enter(house, rosa)[0], device)
    assert "Keep these recovery codes" in shown.text
    return device


@pytest.mark.parametrize("on", ["house", "house_on_postgresql"])
def test_a_passkey_lets_in_alone_and_after_the_password(on: str, request: pytest.FixtureRequest) -> None:
    house = request.getfixturevalue(on)
    rosa, device = a_colleague(house), Authenticator()
    assert makes(enter(house, rosa)[0], device).status_code == 200
    assert comes(house.browser(), device).status_code == 303
    second, answer = enter(house, rosa)
    assert answer.location == "/signin/step"
    assert "Use your passkey" in second.get("/signin/step").text
    assert comes(second, device).status_code == 303
    assert second.get("/inbox").status_code == 200
    with db.unit_of_work(db.EVERY) as session:
        factors = session.scalars(select(StaffSession.factor).order_by(StaffSession.id)).all()
        assert factors == ["passkey", "passkey", "passkey"]
        assert session.scalars(select(Passkey.sign_count)).all() == [2]


@pytest.mark.parametrize("wrong", [{"flags": PRESENT}, {"origin": "https://evil.example"}, {"rp_id": "evil.example"}])
def test_a_passkey_that_asked_nobody_or_was_asked_from_elsewhere_is_none(
    house: Any, rosa: Staff, device: Authenticator, wrong: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(device, name, value)
    assert comes(house.browser(), device).status_code == 401
    assert "No passkey was made" in makes(enter_by_code(house, rosa, device), Authenticator(**wrong)).text


def enter_by_code(house: Any, rosa: Staff, device: Authenticator) -> Any:
    """A browser in which Rosa is signed in all the same."""
    browser = house.browser()
    right = Authenticator(key=device.key, id=device.id, count=device.count)
    assert comes(browser, right).status_code == 303
    return browser


def test_a_question_is_answered_once_in_time_and_by_whom_it_was_put_to(
    house: Any, rosa: Staff, device: Authenticator
) -> None:
    browser = house.browser()
    options = asked(browser, "/signin/passkey/ask", "/signin")
    name = house.app.config["SESSION_COOKIE_NAME"]
    kept = browser.client.get_cookie(name).value
    first = device.use(options)
    assert browser.post("/signin/passkey", credential=first).status_code == 303
    for again in (first, device.use(options)):  # by whoever has copied the cookie with the question
        thief = house.browser()
        thief.client.set_cookie(name, kept)
        thief.token = browser.token
        assert thief.post("/signin/passkey", credential=again).status_code == 401
        assert thief.get("/inbox").status_code == 303
    late = house.browser()
    options = asked(late, "/signin/passkey/ask", "/signin")
    with time_machine.travel(clock.now() + timedelta(minutes=5, seconds=2)):
        assert late.post("/signin/passkey", credential=device.use(options)).status_code == 401
    assert house.browser().post("/signin/passkey", token_from="/signin", credential=first).status_code == 401


def test_a_copied_device_whose_count_runs_behind_is_refused(house: Any, device: Authenticator) -> None:
    assert comes(house.browser(), device).status_code == 303
    device.count -= 1
    assert comes(house.browser(), device).status_code == 401


@pytest.mark.parametrize("sent", ["", "{}", "[]", "null", "7", '{"rawId": 3}', '{"rawId": "AAAA"}', "{", "é"])
def test_what_is_no_passkey_lets_nobody_in_and_breaks_nothing(house: Any, rosa: Staff, sent: str) -> None:
    browser = house.browser()
    asked(browser, "/signin/passkey/ask", "/signin")
    assert browser.post("/signin/passkey", credential=sent).status_code == 401
    inside, _ = enter(house, rosa)
    asked(inside, "/account/passkeys/ask", "/account")
    assert inside.post("/account/passkeys", credential=sent).status_code == 422


def test_who_was_let_go_or_locked_out_does_not_come_back_by_a_passkey(
    house: Any, rosa: Staff, device: Authenticator
) -> None:
    for changed in ({"active": False}, {"password_hash": None, "active": True}):
        with db.unit_of_work(house.clinic.id) as session:
            for name, value in changed.items():
                setattr(session.get_one(Staff, rosa.id), name, value)
        assert comes(house.browser(), device).status_code == 401
    path = house.link(rosa, "reset")
    back = house.browser()
    assert back.post(path, token_from=path, password=GOOD, again=GOOD).location == "/signin/step"
    assert comes(back, device).status_code == 303


def test_a_passkey_is_removed_by_its_owner_for_a_code(house: Any, rosa: Staff) -> None:
    browser, _ = enter(house, rosa)
    shown = makes(browser, Authenticator(), name="").text
    code = shown.split('class="codes num"><li>')[1].split("<")[0]
    assert makes(browser, Authenticator(), name="second").status_code == 303
    page = browser.get("/account").text
    assert "A passkey is your second step." in page
    assert 'Unused recovery codes: <b class="num">10</b>' in page
    with db.unit_of_work(house.clinic.id) as session:
        keys = session.scalars(select(Passkey).order_by(Passkey.made_at)).all()
    stranger = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    assert stranger.post(f"/account/passkeys/{keys[0].id}/remove", code=code).status_code == 404
    assert browser.post(f"/account/passkeys/{keys[0].id}/remove", code="123456").status_code == 422
    assert browser.post(f"/account/passkeys/{keys[0].id}/remove", code=code).status_code == 303
    other, _ = enter(house, rosa)
    assert step(other, code).status_code == 401


def test_a_service_reached_by_a_number_offers_no_passkeys(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert passkeys.possible()
    numbered = runtime.settings().model_copy(update={"public_url": "http://127.0.0.1:8000"})
    monkeypatch.setattr(runtime, "_settings", numbered)
    assert not passkeys.possible()
    assert "passkey" not in house.browser().get("/signin").text.split("<main")[1]
