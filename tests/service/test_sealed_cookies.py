"""What a browser keeps for us tells nobody about a patient."""

import base64
import contextlib
import zlib

import pytest
from flask import Flask, flash, get_flashed_messages, session

from config import settings
from service import app as application
from service import sealed_cookies

NAME = "Teresa Q. is settled."


@pytest.fixture
def app(house: settings.Settings) -> Flask:
    made = Flask("alone")
    made.session_interface = sealed_cookies.SealedCookies()
    made.add_url_rule("/tell", view_func=lambda: flash(NAME) or "told", endpoint="tell")
    made.add_url_rule("/hear", view_func=lambda: "|".join(get_flashed_messages()), endpoint="hear")
    made.add_url_rule("/held", view_func=lambda: repr(dict(session)), endpoint="held")
    return made


def readings(cookie: str) -> bytes:
    """Every way in which a cookie of Flask's is read without its key."""
    readable = cookie.encode()
    for part in cookie.split("."):
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        readable += raw
        with contextlib.suppress(zlib.error):
            readable += zlib.decompress(raw)
    return readable


def test_a_name_in_a_notice_stands_in_no_cookie_and_reaches_its_page(app: Flask):
    browser = app.test_client()
    browser.get("/tell")
    cookie = browser.get_cookie("session").value
    assert b"Teresa" not in readings(cookie)
    assert browser.get("/hear").text == NAME


def test_the_application_seals_what_its_own_pages_keep(house: settings.Settings):
    browser = application.create_app().test_client()
    door = browser.get("/signin")
    assert "csrf_token" in door.text
    [cookie] = [line for name, line in door.headers if name == "Set-Cookie"]
    assert b"csrf_token" not in readings(cookie.partition("=")[2].partition(";")[0])


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[:-2],
        lambda c: c[:30] + ("B" if c[30] == "A" else "A") + c[31:],
        lambda c: c[:20],
        lambda c: "x",
        lambda c: "é",
    ],
)
def test_a_cookie_that_was_touched_holds_nothing(app: Flask, change):
    browser = app.test_client()
    browser.get("/tell")
    browser.set_cookie("session", change(browser.get_cookie("session").value))
    assert browser.get("/held").text == "{}"


@pytest.mark.parametrize("door", ["/webhooks/twilio/sms", "/api/v1/patients"])
def test_no_cookie_is_read_or_set_where_programs_and_carriers_knock(house: settings.Settings, door: str):
    browser = application.create_app().test_client()
    browser.get("/signin")
    with browser:
        answer = browser.post(door, data={"From": "x"})
        assert dict(session) == {}
    assert "Set-Cookie" not in answer.headers
    with browser:
        browser.get("/signin")
        assert "csrf_token" in session
