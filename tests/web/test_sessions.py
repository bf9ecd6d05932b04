"""How long a browser stays signed in."""

from datetime import timedelta
from typing import Any

import time_machine

from config import db
from web import sessions

START = "2026-03-03T16:00:00Z"


def test_fifteen_idle_minutes_end_a_session(house: Any) -> None:
    with time_machine.travel(START, tick=False) as clock:
        browser = house.signed_in(house.staff())
        clock.shift(timedelta(minutes=14))
        assert browser.get("/inbox").status_code == 200
        clock.shift(timedelta(minutes=14))
        assert browser.get("/inbox").status_code == 200
        clock.shift(timedelta(minutes=16))
        assert browser.get("/inbox").status_code == 303


def test_a_page_that_keeps_itself_fresh_does_not_keep_its_reader_signed_in(house: Any) -> None:
    with time_machine.travel(START, tick=False) as clock:
        browser = house.signed_in(house.staff())
        for _ in range(3):
            clock.shift(timedelta(minutes=6))
            last = browser.get("/inbox/poll?unattended=1")
        assert last.status_code == 401


def test_twelve_hours_are_the_most(house: Any) -> None:
    with time_machine.travel(START, tick=False) as clock:
        browser = house.signed_in(house.staff())
        for _ in range(51):  # 11 h 54, and never more than fourteen minutes idle
            clock.shift(timedelta(minutes=14))
            assert browser.get("/").status_code == 303
        assert browser.get("/").location == "/today"
        clock.shift(timedelta(minutes=7))
        assert browser.get("/").location.startswith("/signin")


def test_revoking_ends_every_session_at_once(house: Any) -> None:
    rosa = house.staff()
    tab, other_tab = house.signed_in(rosa), house.signed_in(rosa)
    with db.unit_of_work(house.clinic.id) as session:
        sessions.revoke(session, rosa.id)
    assert [tab.get("/inbox").status_code, other_tab.get("/inbox").status_code] == [303, 303]


def test_the_fourth_browser_ends_the_first(house: Any) -> None:
    rosa = house.staff()
    browsers = [house.signed_in(rosa) for _ in range(4)]
    assert [browser.get("/inbox").status_code for browser in browsers] == [303, 200, 200, 200]
