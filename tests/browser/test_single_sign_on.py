"""Single sign-on in Chromium: set up with a second person, used by somebody new, and signed out of over there too."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import db, runtime
from messaging.models import Staff
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, serving
from tests.web.account import provider as providers
from tests.web.account.provider import CLIENT_ID, SECRET, Provider
from web.account import passwords

pytestmark = pytest.mark.xdist_group("browser")
NARROW = (390, 844)
SHOTS = os.environ.get("WARMTHREAD_SHOTS")


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running() as running:
        running.person = {
            "sub": "u-1",
            "email": "sam@clinic.example",
            "email_verified": True,
            "name": "Sam Lee",
            "groups": ["care"],
        }
        yield running


@pytest.fixture
def served(tmp_path: Path, valkey: ValkeyServer) -> Iterator[Served]:
    with serving(tmp_path, valkey) as (house, service):
        assert runtime._settings is not None
        told = {"public_url": service, "webhooks_to_loopback": True}
        runtime._settings = runtime._settings.model_copy(update=told)
        yield house, service


@contextmanager
def at(browser: Browser, served: Served, staff: Staff, size: tuple[int, int]) -> Iterator[Page]:
    """A colleague's page, signed in by the address that the service really has here."""
    context = kit.context(browser, size)
    try:
        page = context.new_page()
        page.goto(served[0].link(staff))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/signin" not in url)
        yield page
    finally:
        context.close()


def look(page: Page, name: str) -> None:
    """The rules of accessibility, and a picture where somebody wants to look."""
    kit.check(page)
    if SHOTS:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)


def set_up(page: Page, service: str, provider: Provider) -> None:
    page.goto(f"{service}/settings/sign-on")
    page.get_by_label("People sign in with this provider").check()
    page.get_by_label("Issuer").fill(provider.issuer)
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_label("Your e-mail domains").fill("clinic.example")
    page.get_by_label("Care manager").fill("care")
    page.get_by_label("Make an account for whoever comes").check()
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("whoever runs " + provider.issuer)).to_be_visible()
    page.get_by_label("New secret").fill(SECRET)
    page.get_by_role("button", name="Keep the secret").click()
    expect(page.get_by_text("A secret is kept, set")).to_be_visible()
    page.get_by_role("button", name="Ask the provider who it is").click()
    expect(page.get_by_text("The provider answers, as the one it should be")).to_be_visible()


def comes_and_goes(page: Page, service: str, provider: Provider) -> None:
    """Somebody new signs in, looks at their account, leaves, and has no role when they come again."""
    page.goto(f"{service}/signin")
    look(page, "signin-organization")
    page.get_by_role("link", name="Sign in with your organization").click()
    page.get_by_role("button", name="It is me").click()
    page.wait_for_url(lambda url: url.startswith(service) and "/signin" not in url)
    page.goto(f"{service}/account")
    expect(page.get_by_text("Linked to your organization's account")).to_be_visible()
    look(page, "account-organization")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        sam = session.scalars(select(Staff).where(Staff.email == "sam@clinic.example")).one()
        assert (sam.name, sam.role, sam.sso_state) == ("Sam Lee", "care_manager", "linked")
    page.goto(f"{service}/menu")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{service}/signin")
    assert "/end" in {path.partition("?")[0] for path in provider.asked}
    provider.claims = {"groups": []}
    page.get_by_role("link", name="Sign in with your organization").click()
    page.get_by_role("button", name="It is me").click()
    expect(page.get_by_text("did not let you in")).to_be_visible()
    look(page, "signin-refused")


@pytest.mark.parametrize("size", [kit.DESK, NARROW], ids=["desk", "phone"])
def test_it_is_set_up_by_two_used_by_somebody_new_and_left_over_there_too(
    browser: Browser, served: Served, provider: Provider, size: tuple[int, int]
) -> None:
    house, service = served
    ana = house.staff("Ana Ruiz", role="clinic_admin", email="ana@clinic.example")
    rosa = house.staff("Rosa Delgado", role="care_manager", email="rosa@clinic.example")
    with db.unit_of_work(house.clinic.id) as session:
        for staff in (ana, rosa):
            session.get_one(Staff, staff.id).password_hash = passwords.hashed("seven quiet herons wait")
    with at(browser, served, ana, size) as page:
        set_up(page, service, provider)
        look(page, "sign-on-draft")
        page.get_by_label("Reason").fill("We have one account for everything")
        page.get_by_role("button", name="Ask a second person").click()
        expect(page.get_by_role("button", name="Asked: waiting")).to_be_visible()
    with at(browser, served, rosa, size) as page:
        page.goto(f"{service}/settings/sign-on")
        look(page, "sign-on-agree")
        page.get_by_role("button", name="Agree and publish").click()
        expect(page.get_by_label("Issuer")).to_have_value(provider.issuer)
    context = kit.context(browser, size)
    comes_and_goes(context.new_page(), service, provider)
    context.close()
