"""The staff door, from outside."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, db, tallies
from messaging.models import Staff
from web.account import entering, passwords, sign_in_limits

GOOD = "seven quiet herons wait"


@pytest.fixture
def rosa(house: Any) -> Staff:
    staff: Staff = house.staff(email="rosa@clinic.example")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, staff.id).password_hash = passwords.hashed(GOOD)
    return staff


def enter(house: Any, email: str, password: str, **fields: str) -> Any:
    form = {"email": email, "password": password} | fields
    return house.browser().post("/signin", token_from="/signin", **form)


def test_nobody_gets_past_the_door_without_signing_in(house: Any) -> None:
    answer = house.browser().get("/inbox?view=done")
    assert answer.status_code == 303
    assert answer.location == "/signin?next=/inbox?view%3Ddone"


def test_email_and_password_let_in_and_lead_on(house: Any, rosa: Staff) -> None:
    browser = house.browser()
    answer = browser.post(
        "/signin", token_from="/signin", email=" Rosa@clinic.example", password=GOOD, next="/inbox?view=done"
    )
    assert (answer.status_code, answer.location) == (303, "/inbox?view=done")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert browser.get("/inbox").status_code == 200
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
    assert "staff.signed_in" in acts


def test_a_wrong_password_and_an_unknown_account_look_alike(house: Any, rosa: Staff) -> None:
    wrong = enter(house, "rosa@clinic.example", "not the password at all")
    unknown = enter(house, "nobody@clinic.example", "not the password at all")
    assert wrong.status_code == unknown.status_code == 401
    same = "That e-mail and password do not go together"
    assert same in wrong.text
    assert same in unknown.text


def test_guessing_is_slowed_down_but_nobody_is_locked_out_elsewhere(
    house: Any, rosa: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "fits", lambda stored, password: password == GOOD)
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as clock:
        for _ in range(5):
            assert enter(house, "rosa@clinic.example", "wrong").status_code == 401
        refused = enter(house, "rosa@clinic.example", GOOD)
        assert refused.status_code == 429
        assert "Wait 2 seconds" in refused.text
        assert enter(house, "ben@clinic.example", "wrong").status_code == 401
        clock.shift(timedelta(seconds=3))
        assert enter(house, "rosa@clinic.example", GOOD).status_code == 303


def test_a_disabled_account_stays_outside(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).active = False
    assert browser.get("/inbox").status_code == 303
    assert enter(house, "rosa@clinic.example", GOOD).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"),
        *("/signin", "/signout", "", "inbox", "/\t/evil.example", "/a\\b", "/in box", "\n/inbox"),
    ],
)
def test_signing_in_never_leads_to_another_site(path: str) -> None:
    assert entering.safe_next(path) == "/"


def test_signing_in_leads_to_pages_of_our_own() -> None:
    assert entering.safe_next("/inbox?view=mine&after=1") == "/inbox?view=mine&after=1"


def test_looking_at_a_link_spends_nothing_and_using_it_spends_it(house: Any, rosa: Staff) -> None:
    path = house.link(rosa)
    assert "Hello, Rosa Delgado" in house.browser().get(path).text
    assert house.browser().get(path).status_code == 200
    first = house.browser().post(path, token_from=path)
    assert (first.status_code, first.location) == (303, "/")
    again = house.browser()
    assert again.get(path).status_code == 410
    assert again.post(path, token_from="/signin").status_code == 410


def test_an_old_link_is_dead(house: Any, rosa: Staff) -> None:
    path = house.link(rosa, valid=timedelta(seconds=-1))
    assert house.browser().get(path).status_code == 410


def test_an_invitation_asks_for_a_long_password_twice(house: Any) -> None:
    ben = house.staff("Ben Okafor", email="ben@clinic.example")
    path = house.link(ben, "invite")
    browser = house.browser()
    assert browser.post(path, token_from=path, password="short", again="short").status_code == 422
    assert browser.post(path, token_from=path, password=GOOD, again=GOOD + "!").status_code == 422
    assert browser.post(path, token_from=path, password=GOOD, again=GOOD).status_code == 303
    assert browser.get("/inbox").status_code == 200
    assert enter(house, "ben@clinic.example", GOOD).status_code == 303


def test_signing_out_ends_the_session_on_the_server(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    kept = browser.client.get_cookie("wt_session").value
    left = browser.post("/signout")
    assert left.status_code == 303
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    browser.client.set_cookie("wt_session", kept)
    assert browser.get("/inbox").status_code == 303


def test_a_form_without_its_token_is_refused(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    assert browser.client.post("/signout").status_code == 400
    assert browser.get("/inbox").status_code == 200


def guess(browser: Any, email: str, password: str, address: str = "203.0.113.9") -> int:
    """Try a password from an address; the page and its token are fetched once."""
    if not browser.token:
        browser.post("/signin", token_from="/signin")
    form = {"email": email, "password": password, "csrf_token": browser.token}
    overrides = {"REMOTE_ADDR": address}
    status: int = browser.client.post("/signin", data=form, environ_overrides=overrides).status_code
    return status


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that cost no time: what is asked here is how often they may be tried."""
    monkeypatch.setattr(passwords, "fits", lambda stored, password: bool(stored) and password == GOOD)


def test_a_known_device_keeps_its_way_in_while_the_account_is_attacked(house: Any, rosa: Staff, quick: None) -> None:
    own_device = house.browser()
    assert guess(own_device, "rosa@clinic.example", GOOD) == 303
    attacker = house.browser()
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False) as clock:
        for _ in range(109):  # behind the same address as Rosa
            guess(attacker, "rosa@clinic.example", "wrong")
            clock.shift(timedelta(seconds=1))
        assert guess(attacker, "rosa@clinic.example", GOOD) == 429
        assert guess(own_device, "rosa@clinic.example", GOOD) == 303


def test_an_attack_from_many_addresses_is_slowed_and_a_known_device_is_not(
    house: Any, rosa: Staff, quick: None
) -> None:
    own_device, attacker = house.signed_in(rosa), house.browser()
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False):
        guesses = [
            guess(attacker, "rosa@clinic.example", "wrong", f"198.51.100.{n}")
            for n in range(sign_in_limits.ACCOUNT.free + 5)
        ]
        assert guesses == [401] * sign_in_limits.ACCOUNT.free + [429] * 5
        assert guess(own_device, "rosa@clinic.example", GOOD, "192.0.2.1") == 303


def test_a_known_device_is_slowed_for_its_own_mistakes(house: Any, rosa: Staff, quick: None) -> None:
    own_device = house.signed_in(rosa)
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False):
        assert [guess(own_device, "rosa@clinic.example", "wrong") for _ in range(6)] == [401] * 5 + [429]


def test_a_device_known_to_one_account_is_a_stranger_to_another(house: Any, rosa: Staff, quick: None) -> None:
    own_device = house.signed_in(rosa)
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False):
        assert [guess(own_device, "ben@clinic.example", "wrong") for _ in range(6)] == [401] * 5 + [429]
        assert guess(house.browser(), "ben@clinic.example", "wrong") == 429


def test_one_password_over_many_accounts_is_slowed(house: Any, rosa: Staff, quick: None) -> None:
    attacker = house.browser()
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False):
        sprayed = [guess(attacker, f"p{n}@clinic.example", "wrong") for n in range(sign_in_limits.SOURCE.free + 5)]
        assert sprayed == [401] * sign_in_limits.SOURCE.free + [429] * 5
        assert guess(attacker, "rosa@clinic.example", GOOD) == 429
        assert guess(house.browser(), "rosa@clinic.example", GOOD, "192.0.2.1") == 303


def test_right_passwords_cost_a_clinic_behind_one_address_nothing(house: Any, rosa: Staff, quick: None) -> None:
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False):
        for _ in range(sign_in_limits.SOURCE.free + 5):
            assert guess(house.browser(), "rosa@clinic.example", GOOD) == 303


def test_who_must_wait_is_told_how_long(house: Any, rosa: Staff, quick: None) -> None:
    with time_machine.travel("2026-03-03T16:00:00Z", tick=False):
        for _ in range(5):
            enter(house, "rosa@clinic.example", "wrong")
        assert enter(house, "rosa@clinic.example", "wrong").headers["Retry-After"] == "2"


def test_whoever_comes_while_many_sign_in_is_asked_to_come_again_and_loses_no_try(
    house: Any, rosa: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_known: str | None, _password: str) -> bool:
        raise passwords.Busy

    with monkeypatch.context() as patch:
        patch.setattr(passwords, "fits", busy)
        refused = [enter(house, "rosa@clinic.example", GOOD) for _ in range(10)]
    assert {answer.status_code for answer in refused} == {503}
    assert "Many people are signing in" in refused[0].text
    assert int(refused[0].headers["Retry-After"]) > 0
    assert enter(house, "rosa@clinic.example", GOOD).status_code == 303


def test_two_passwords_are_checked_at_once_four_wait_and_the_next_is_refused() -> None:
    inside, waiting = [passwords._slot() for _ in range(2)], passwords.MOST_WAITING
    for slot in inside:
        slot.__enter__()
    try:
        with ThreadPoolExecutor(12) as pool:
            tried = [pool.submit(passwords.hashed, GOOD) for _ in range(12)]
            refused = [future for future in tried if isinstance(future.exception(), passwords.Busy)]
        assert len(refused) == 12
        places = [passwords._PLACES.acquire(blocking=False) for _ in range(waiting + 1)]
        assert places == [True] * waiting + [False]
        for _ in range(waiting):
            passwords._PLACES.release()
    finally:
        for slot in inside:
            slot.__exit__(None, None, None)
    assert passwords.hashed(GOOD)


def test_an_older_invitation_ends_when_a_newer_one_is_used(house: Any) -> None:
    ben = house.staff("Ben Okafor", email="ben@clinic.example")
    older, newer = house.link(ben, "invite"), house.link(ben, "invite")
    others = house.link(house.staff("Ana Ruiz"), "invite")
    browser = house.browser()
    assert browser.post(newer, token_from=newer, password=GOOD, again=GOOD).status_code == 303
    assert house.browser().get(older).status_code == 410
    assert house.browser().post(older, token_from="/signin", password="x" * 20, again="x" * 20).status_code == 410
    assert house.browser().get(others).status_code == 200
    assert enter(house, "ben@clinic.example", GOOD).status_code == 303


def test_a_sign_in_makes_a_session_of_its_own_whatever_the_browser_brought(house: Any, rosa: Staff) -> None:
    tokens = []
    for _ in range(2):
        browser = house.browser()
        browser.client.set_cookie("wt_session", "planted" * 7)
        browser.post("/signin", token_from="/signin", email=rosa.email, password=GOOD)
        tokens.append(browser.client.get_cookie("wt_session").value)
    assert len({"planted" * 7, *tokens}) == 3
    assert {len(token) for token in tokens} == {43}  # 256 bits
    browser.client.set_cookie("wt_session", "planted" * 7)
    assert browser.get("/inbox").status_code == 303


def test_a_password_is_good_for_as_long_as_nobody_changes_it(house: Any, rosa: Staff) -> None:
    with time_machine.travel("2036-03-03T16:00:00Z", tick=False):
        assert enter(house, rosa.email, GOOD).status_code == 303


def test_a_clinic_begins_without_any_account(house: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(Staff.id)).all() == []


def test_a_refused_sign_in_is_counted_and_one_that_lets_in_is_not(house: Any, rosa: Staff) -> None:
    tallies.take()
    enter(house, rosa.email, GOOD)
    assert "security|sign_in_refused" not in tallies.take()
    enter(house, rosa.email, "not the password at all")
    enter(house, "nobody@clinic.example", "not the password at all")
    assert tallies.take()["security|sign_in_refused"] == 2
