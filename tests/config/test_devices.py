"""A device that somebody came in with before is known again, and nobody can make one up."""

from datetime import timedelta

import pytest
import time_machine

from config import clock, devices, settings

ROSA, BEN = "rosa@clinic.example", "ben@clinic.example"


def test_a_device_knows_each_account_that_came_in_with_it(house: settings.Settings):
    cookie = devices.with_account(devices.with_account(None, ROSA), BEN)
    assert devices.known(cookie, ROSA) == devices.known(cookie, BEN) is not None
    assert devices.known(cookie, "eve@clinic.example") is None
    assert "rosa" not in cookie


def test_what_another_device_was_given_makes_this_one_known_to_nobody(house: settings.Settings):
    mine, stolen = devices.with_account(None, ROSA), devices.with_account(None, BEN)
    device, mark = mine.split(".")[0], stolen.split(".")[1]
    assert devices.known(f"{device}.{mark}", BEN) is None


@pytest.mark.parametrize("cookie", [None, "", "x", "1-" + "A" * 22, ".", "9" * 5000, "1-" + "A" * 22 + "." + "A" * 22])
def test_a_cookie_that_we_did_not_make_is_no_device(house: settings.Settings, cookie: str | None):
    assert devices.known(cookie, ROSA) is None
    assert devices.known(devices.with_account(cookie, ROSA), ROSA) is not None


def test_a_cookie_of_today_that_somebody_else_marked_is_no_device(house: settings.Settings):
    today = devices.with_account(None, ROSA).split(".")[0]
    assert devices.known(f"{today}.{'A' * 22}", ROSA) is None
    assert devices.known(today, ROSA) is None


def test_after_half_a_year_a_device_is_a_stranger(house: settings.Settings):
    cookie = devices.with_account(None, ROSA)
    with time_machine.travel(clock.now() + timedelta(days=devices.LASTS_DAYS + 1)):
        assert devices.known(cookie, ROSA) is None


def test_a_clock_that_was_ahead_when_the_device_came_in_keeps_nobody_out(house: settings.Settings):
    with time_machine.travel(clock.now() + timedelta(days=3)):
        cookie = devices.with_account(None, ROSA)
    assert devices.known(cookie, ROSA) is not None


def test_a_shared_computer_remembers_the_last_eight(house: settings.Settings):
    cookie = None
    for number in range(12):
        cookie = devices.with_account(cookie, f"{number}@clinic.example")
    assert [devices.known(cookie, f"{n}@clinic.example") is not None for n in range(12)] == [False] * 4 + [True] * 8
