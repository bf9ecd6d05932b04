"""A second step at the door: set up by oneself with a picture and a code, asked for afterwards, each code good once."""

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db, runtime
from messaging.models import Staff
from web.account import factors, passwords
from web.models import CodeDevice, RecoveryCode, StaffSession
from web.permissions import MAY

GOOD = "seven quiet herons wait"
both = pytest.mark.parametrize("on", ["house", "house_on_postgresql"])


@pytest.fixture
def place(on: str, request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(on)


def a_colleague(house: Any, **facts: Any) -> Staff:
    staff: Staff = house.staff(**facts)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, staff.id).password_hash = passwords.hashed(GOOD)
    return staff


def enter(house: Any, staff: Staff) -> tuple[Any, Any]:
    browser = house.browser()
    return browser, browser.post("/signin", token_from="/signin", email=staff.email, password=GOOD)


def app_of(page: str) -> pyotp.TOTP:
    match = re.search(r'class="num secret">([A-Z2-7 ]+)<', page)
    assert match is not None
    return pyotp.TOTP(match[1].replace(" ", ""))


def code(app: pyotp.TOTP, later: int = 0) -> str:
    return app.at(clock.now() + timedelta(seconds=later))


def set_up(browser: Any, token_from: str = "/account/factor") -> tuple[pyotp.TOTP, list[str]]:
    browser.post("/account/factor", token_from=token_from)
    page = browser.get("/account/factor").text
    assert "<svg" in page
    app = app_of(page)
    shown = browser.post("/account/factor/confirm", code=code(app))
    assert shown.status_code == 200
    codes = re.findall(r"<li>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</li>", shown.text)
    assert len(codes) == 10
    return app, codes


def step(browser: Any, typed: str) -> Any:
    return browser.post("/signin/step", token_from="/signin/step", code=typed)


@both
def test_an_app_is_set_up_and_asked_for_after_the_password_each_code_once(place: Any) -> None:
    rosa = a_colleague(place)
    with time_machine.travel("2026-03-03T16:00:10Z", tick=False) as now:
        browser, answer = enter(place, rosa)
        assert answer.location == "/"
        app, _ = set_up(browser)
        assert browser.get("/inbox").status_code == 200
        other, answer = enter(place, rosa)
        assert answer.location == "/signin/step"
        assert other.get("/inbox").status_code == 303
        assert step(other, code(app)).status_code == 401  # the code that confirmed the app
        now.shift(timedelta(seconds=30))
        assert step(other, "000000").status_code == 401
        assert step(other, "١٢٣٤٥٦").status_code == 401
        assert step(other, code(app)[:3] + " " + code(app)[3:]).status_code == 303
        assert other.get("/inbox").status_code == 200
        replayed, _ = enter(place, rosa)
        assert step(replayed, code(app)).status_code == 401
        assert step(replayed, code(app, -30)).status_code == 401
    with db.unit_of_work(db.EVERY) as session:
        db.load_keys(session, {place.clinic.key_id})
        kept = session.scalars(select(CodeDevice)).one()
        assert app.secret.encode() not in kept.secret_ct
        assert session.scalars(select(StaffSession.factor).order_by(StaffSession.id)).all() == ["code", "code"]
        acts = set(session.scalars(select(audit.AuditEntry.act)))
    assert {"factor.app", "staff.step_refused", "staff.signed_in"} <= acts


@both
def test_a_recovery_code_lets_in_once_and_its_owner_is_told(place: Any) -> None:
    rosa = a_colleague(place)
    browser, _ = enter(place, rosa)
    _, codes = set_up(browser)
    lost, _ = enter(place, rosa)
    assert step(lost, f" {codes[3].upper()} ").status_code == 303
    page = lost.get("/account").text
    assert "Recovery code used" in page
    assert "Unused: 9" in page
    again, _ = enter(place, rosa)
    assert step(again, codes[3]).status_code == 401
    assert step(again, codes[4].replace("-", "")).status_code == 303
    with db.unit_of_work(db.EVERY) as session:
        hashes = session.scalars(select(RecoveryCode.code_hash)).all()
    assert len(hashes) == 10
    assert all(typed.replace("-", "").encode() not in hashed for typed in codes for hashed in hashes)


def test_a_sign_in_link_asks_for_the_second_step_too(house: Any) -> None:
    rosa = a_colleague(house)
    browser, _ = enter(house, rosa)
    _, codes = set_up(browser)
    for kind in ("once", "reset"):
        path, chosen = house.link(rosa, kind), "nine slow barges drift"
        came = house.browser()
        form = {"password": chosen, "again": chosen} if kind == "reset" else {}
        assert came.post(path, token_from=path, **form).location == "/signin/step"
        assert came.get("/inbox").status_code == 303
        assert step(came, codes.pop()).status_code == 303
        assert came.get("/inbox").status_code == 200


def test_the_second_step_waits_ten_minutes_and_a_new_password_undoes_the_first(house: Any) -> None:
    rosa = a_colleague(house)
    browser, _ = enter(house, rosa)
    _, codes = set_up(browser)
    slow, _ = enter(house, rosa)
    late, _ = enter(house, rosa)
    locked, _ = enter(house, rosa)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).password_hash = passwords.hashed("nine slow barges drift")
    assert slow.post("/signin/step", token_from="/signin", code=codes[0]).location == "/signin"
    assert slow.get("/inbox").status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).password_hash = rosa.password_hash
        session.get_one(Staff, rosa.id).sso_state = "locked"  # by the operator
    assert locked.post("/signin/step", token_from="/signin", code=codes[0]).location == "/signin"
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).sso_state = None
    with time_machine.travel(clock.now() + timedelta(minutes=10, seconds=5)):
        assert late.post("/signin/step", token_from="/signin", code=codes[0]).location == "/signin"


def test_guessing_codes_is_slowed_and_a_device_of_ones_own_keeps_its_way(house: Any) -> None:
    rosa = a_colleague(house)
    own, _ = enter(house, rosa)
    _, codes = set_up(own)
    own.post("/signout")
    attacker, _ = enter(house, rosa)
    with time_machine.travel(clock.now(), tick=False):
        assert [step(attacker, f"00000{n}").status_code for n in range(6)] == [401] * 5 + [429]
        refused = step(attacker, codes[0])
        assert refused.status_code == 429
        assert "Wait 2 seconds" in refused.text
        own.post("/signin", token_from="/signin", email=rosa.email, password=GOOD)
        assert step(own, codes[0]).status_code == 303


def test_an_app_is_removed_by_its_owner_with_a_code_and_by_nobody_else(house: Any) -> None:
    rosa = a_colleague(house)
    browser, _ = enter(house, rosa)
    _, codes = set_up(browser)
    assert browser.post("/account/factor/remove", code="000000").status_code == 422
    admin = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    assert admin.post("/account/factor/remove", code=codes[0]).status_code == 422
    with db.unit_of_work(house.clinic.id) as session:
        assert factors.has(session, rosa.id)
    assert browser.post("/account/factor/remove", code=codes[1]).status_code == 303
    assert "App for codes removed" in browser.get("/account").text
    assert enter(house, rosa)[1].location == "/"
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalars(select(RecoveryCode)).all() == []


def test_new_recovery_codes_take_a_code_and_end_the_old(house: Any) -> None:
    rosa = a_colleague(house)
    browser, _ = enter(house, rosa)
    _, codes = set_up(browser)
    shown = browser.post("/account/factor/codes", code=codes[0])
    assert codes[1] not in shown.text
    assert shown.text.count("<li>") >= 10
    other, _ = enter(house, rosa)
    assert step(other, codes[1]).status_code == 401


def test_a_page_left_open_asks_who_it_is_before_a_factor_is_added(house: Any) -> None:
    rosa = a_colleague(house)
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as now:
        browser, _ = enter(house, rosa)
        now.shift(timedelta(minutes=6))
        assert "Your present password" in browser.get("/account/factor").text
        assert browser.post("/account/factor", current="a guess of somebody").status_code == 422
        assert browser.post("/account/factor", current=GOOD).status_code == 303
        assert "<svg" in browser.get("/account/factor").text


def test_a_clinic_that_demands_it_leads_its_people_to_set_it_up_before_anything_else(house: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(house.clinic).rules = {"second_factor": ["clinic_admin"]}
    dana, rosa = a_colleague(house, name="Dana Wu", role="clinic_admin"), a_colleague(house)
    assert enter(house, rosa)[0].get("/inbox").status_code == 200
    browser, _ = enter(house, dana)
    for path in ("/inbox", "/settings", "/settings/people", "/account", "/preferences", "/help"):
        assert browser.get(path).location == "/account/factor", path
    refused = browser.post("/account/passkeys", token_from="/account/factor", credential="{}")
    assert refused.status_code == 422
    assert "No passkey was made" in refused.text
    assert "Escalations" not in refused.text
    page = browser.get("/account/factor").text
    assert "Your clinic asks for a second step" in page
    assert "Escalations" not in page
    set_up(browser)
    assert browser.get("/settings/people").status_code == 200
    later, answer = enter(house, dana)
    assert answer.location == "/signin/step"
    assert later.get("/settings").status_code == 303


def test_an_operator_who_asks_it_of_all_leads_everybody_there(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"second_step_for_all": True}))
    for role in MAY:
        browser, _ = enter(house, a_colleague(house, role=role))
        assert browser.get("/account").location == "/account/factor", role


def test_whom_the_operator_lets_in_by_a_one_time_link_is_not_led_there(house: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(house.clinic).rules = {"second_factor": ["clinic_admin"]}
    browser = house.signed_in(house.staff("Dana Wu", role="clinic_admin"))
    assert browser.get("/settings/people").status_code == 200


def test_whom_the_provider_has_refused_comes_in_by_the_operators_link_and_their_second_step(house: Any) -> None:
    rosa = a_colleague(house)
    browser, _ = enter(house, rosa)
    _, codes = set_up(browser)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).sso_state = "refused"
    path, came = house.link(rosa, "once"), house.browser()
    assert came.post(path, token_from=path).location == "/signin/step"
    assert step(came, codes.pop()).status_code == 303
    assert came.get("/inbox").status_code == 200
