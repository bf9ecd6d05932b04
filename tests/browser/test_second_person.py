"""Two administrators in two browsers: one asks for a colleague, the other agrees, and the invitation arrives."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import db
from messaging.models import Message, Staff
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, at, serving

pytestmark = pytest.mark.xdist_group("browser")
NARROW = (390, 844)
SHOTS = os.environ.get("WARMTHREAD_SHOTS")
REQUESTS = "/settings/people/requests"
PASSWORD = "seven quiet herons wait"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey: ValkeyServer) -> Iterator[Served]:
    """A clinic whose people are brought in by those who work there."""
    with serving(tmp_path_factory.mktemp("two"), valkey) as place:
        yield place


def look(page: Page, name: str) -> None:
    """The rules of accessibility, and a picture where somebody wants to look."""
    kit.check(page)
    if SHOTS:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png", full_page=True)


def bodies(served: Served, name: str) -> list[str]:
    """What was texted to a colleague."""
    house, _ = served
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        db.load_keys(session, {house.clinic.key_id})
        theirs = select(Message).join(Staff, Staff.id == Message.staff_id).where(Staff.name == name)
        return [message.body or "" for message in session.scalars(theirs.order_by(Message.created_at))]


def invites(page: Page, service: str, name: str) -> None:
    page.goto(f"{service}/settings/people")
    page.get_by_text("Invite a colleague").click()
    form = page.locator("form", has=page.get_by_role("button", name="Invite"))
    form.get_by_label("Name", exact=True).fill(name)
    form.get_by_label("E-mail").fill(f"{name.split()[0].lower()}@clinic.example")
    form.get_by_label("Role").select_option("care_manager")
    form.get_by_label("English").check()
    form.get_by_label("Mobile").fill("(202) 555-0152")
    form.get_by_role("button", name="Invite").click()
    expect(page.get_by_text(f"For {name} a second person has to agree first")).to_be_visible()


def press(page: Page, act: str, name: str) -> None:
    """Act on somebody's request as whoever uses no mouse does."""
    page.locator("article", has_text=name).get_by_role("button", name=act).focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("size", [kit.DESK, NARROW], ids=["desk", "phone"])
def test_one_asks_another_agrees_by_the_keyboard_and_the_invitation_arrives(
    browser: Browser, served: Served, size: tuple[int, int]
) -> None:
    house, service = served
    narrow = size == NARROW
    name = "Rita Moss" if narrow else "Rosa Delgado"
    dana = house.staff(f"Dana Wu {size[0]}", role="clinic_admin")
    lee = house.staff(f"Lee Park {size[0]}", role="clinic_admin", number=f"+1202555016{int(narrow)}")
    with at(browser, served, dana, size=size) as asks, at(browser, served, lee, size=size) as agrees:
        agrees.goto(service + REQUESTS)
        expect(agrees.get_by_text("Nothing waits.")).to_be_visible()
        look(agrees, "requests-none")
        invites(asks, service, name)
        look(asks, "people-asked")
        expect(asks.locator("article", has_text=name).get_by_role("button", name="Take it back")).to_be_visible()
        assert bodies(served, name) == []
        (told,) = [body for body in bodies(served, lee.name) if "waits for a second person" in body]
        link = re.search(r"http://localhost:8000(/\S+)", told)
        assert link is not None
        agrees.goto(service + link[1])
        expect(agrees.get_by_text("The link goes to the phone ··0152.")).to_be_visible()
        expect(agrees.get_by_text(f"{dana.name} asked")).to_be_visible()
        look(agrees, "requests-agree")
        press(agrees, "Agree", name)
        expect(agrees.get_by_role("heading", name="The link is on its way")).to_be_visible()
        look(agrees, "requests-agreed")
    invitation = re.search(r"http://localhost:8000(/signin/\S+)", bodies(served, name)[0])
    assert invitation is not None
    inside = kit.context(browser, size)
    hers = inside.new_page()
    hers.goto(service + invitation[1])
    hers.get_by_label("Password", exact=False).first.fill(PASSWORD)
    hers.get_by_label("The same again").fill(PASSWORD)
    hers.get_by_role("button", name="Save and sign in").click()
    hers.wait_for_url(lambda url: "/signin" not in url)
    inside.close()


def test_whoever_is_asked_refuses_and_the_asker_reads_that_nothing_waits(browser: Browser, served: Served) -> None:
    house, service = served
    dana, flo = house.staff("Dora Wu", role="clinic_admin"), house.staff("Flo Desk", role="front_desk")
    house.staff("Lena Park", role="clinic_admin")
    with at(browser, served, dana) as asks, at(browser, served, flo) as desk:
        invites(asks, service, "Nell Roe")
        desk.goto(service + REQUESTS)
        expect(desk.get_by_role("button", name="Agree")).to_have_count(0)
        look(desk, "requests-front-desk")
        press(desk, "Refuse", "Nell Roe")
        expect(desk.get_by_text("Refused. Nothing has changed for Nell Roe")).to_be_visible()
        asks.reload()
        expect(asks.locator("article", has_text="Nell Roe")).to_have_count(0)
    assert bodies(served, "Nell Roe") == []
