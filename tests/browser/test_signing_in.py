"""Signing in, in Chromium with an authenticator of its own: invitation, passkey, lost phone, recovery, notice."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import clock, db, runtime
from messaging.models import Clinic, Message, Staff
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, serving

pytestmark = pytest.mark.xdist_group("browser")
PASSWORD = "seven quiet herons wait"
NARROW = (390, 844)
SHOTS = os.environ.get("WARMTHREAD_SHOTS")
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey: ValkeyServer) -> Iterator[Served]:
    """A clinic that asks administrators for a second step, by the name that its passkeys are made for."""
    with serving(tmp_path_factory.mktemp("clinic"), valkey) as (house, service):
        named = service.replace("127.0.0.1", "localhost")
        assert runtime._settings is not None
        runtime._settings = runtime._settings.model_copy(update={"public_url": named})
        with db.unit_of_work(house.clinic.id) as session:
            session.get_one(Clinic, house.clinic.id).rules = {"second_factor": ["clinic_admin"]}
        yield house, named


@pytest.fixture(params=[kit.DESK, NARROW], ids=["desk", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page in a browser whose device has a fingerprint reader, and a finger on it."""
    inside = kit.context(browser, request.param)
    try:
        page = inside.new_page()
        device = inside.new_cdp_session(page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        yield page
    finally:
        inside.close()


def look(page: Page, name: str) -> None:
    """The rules of accessibility, and a picture where somebody wants to look."""
    kit.check(page)
    if SHOTS:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)


def invited(page: Page, served: Served, name: str) -> Staff:
    """A clinic administrator who has come in by an invitation and chosen a password."""
    house, service = served
    staff = house.staff(name, role="clinic_admin", number=f"+1202555016{house.count % 10}")
    page.goto(service + house.link(staff, "invite").replace(service, ""))
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
    return staff


def sign_out(page: Page, service: str) -> None:
    page.goto(f"{service}/menu")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def notices(staff: Staff) -> list[str]:
    with db.unit_of_work(staff.clinic_id) as session:
        theirs = select(Message).where(Message.staff_id == staff.id).order_by(Message.created_at, Message.id)
        return [message.body or "" for message in session.scalars(theirs)]


def test_an_invitation_leads_to_a_passkey_and_the_passkey_lets_in_without_a_password(
    page: Page, served: Served
) -> None:
    _, service = served
    staff = invited(page, served, "Dana Wu")
    look(page, "factor-owed")
    page.goto(f"{service}/settings/people")
    expect(page.get_by_role("heading", name="Set up a second step")).to_be_visible()
    page.get_by_label("A name for it such as “my work phone”").fill("My work phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    look(page, "recovery-codes")
    page.get_by_role("link", name="I have kept them").click()
    page.goto(f"{service}/account")
    expect(page.locator("#passkeys b")).to_have_text("My work phone")
    look(page, "account-passkey")
    sign_out(page, service)
    look(page, "signin")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda url: "/signin" not in url)
    page.goto(f"{service}/account")
    expect(page.get_by_text("by passkey")).to_be_visible()
    sign_out(page, service)
    with db.unit_of_work(staff.clinic_id) as session:  # as the operator does who locks somebody out
        session.get_one(Staff, staff.id).password_hash = None
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("That passkey did not let you in")).to_be_visible()
    assert any("a new browser has signed in as you" in body for body in notices(staff))


def test_after_the_password_a_code_and_when_the_phone_is_lost_a_recovery_code(page: Page, served: Served) -> None:
    _, service = served
    staff = invited(page, served, "Lee Park")
    page.get_by_role("button", name="Set up an app for codes").click()
    page.get_by_text("I cannot scan it").click()
    look(page, "factor-picture")
    app = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_label("The six digits that it shows").fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("That code is not right")).to_be_visible()
    page.get_by_label("The six digits that it shows").fill(app.at(clock.now()))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(".codes li")).to_have_count(10)
    codes = page.locator(".codes li").all_inner_texts()
    sign_out(page, service)
    page.get_by_label("E-mail").fill(staff.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    look(page, "second-step")
    page.get_by_text("My phone is lost or new").click()
    page.get_by_label(re.compile("Recovery code")).fill(codes[0])
    page.get_by_role("button", name="Sign in with it").click()
    page.wait_for_url(lambda url: "/signin" not in url)
    page.goto(f"{service}/account")
    expect(page.get_by_text("Recovery code used")).to_be_visible()
    look(page, "account-app")
    assert sum("something about how you sign in is new" in body for body in notices(staff)) == 2
    page.get_by_label("Your present password").fill("not the right one at all")
    page.get_by_label(re.compile("New password")).fill("passwordpassword")
    page.get_by_label("The same again").fill("passwordpassword")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("That is not your present password.")).to_be_visible()
    look(page, "account-refused")
