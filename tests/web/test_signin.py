"""The staff door, from outside."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, db
from messaging.models import Staff
from web import passwords, signin

GOOD = "seven quiet herons wait"


@pytest.fixture
def rosa(house: Any) -> Staff:
    staff: Staff = house.staff(email="rosa@clinic.example")
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, staff.id).password_hash = passwords.hashed(GOOD)
    return staff


def enter(house: Any, email: str, password: str, **more: str) -> Any:
    form = {"email": email, "password": password} | more
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
    monkeypatch.setattr(passwords, "fits", lambda known, password: password == GOOD)
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
    assert signin.safe_next(path) == "/"


def test_signing_in_leads_to_pages_of_our_own() -> None:
    assert signin.safe_next("/inbox?view=mine&after=1") == "/inbox?view=mine&after=1"


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
    assert browser.post("/signout").status_code == 303
    browser.client.set_cookie("wt_session", kept)
    assert browser.get("/inbox").status_code == 303


def test_a_form_without_its_token_is_refused(house: Any, rosa: Staff) -> None:
    browser = house.signed_in(rosa)
    assert browser.client.post("/signout").status_code == 400
    assert browser.get("/inbox").status_code == 200
