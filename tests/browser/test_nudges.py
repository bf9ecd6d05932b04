"""A colleague has her address confirmed and is mailed that something waits; the grid by keys; calendar and workload."""

import json
import re
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from messaging.models import Staff
from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("browser")
ROSA = day.TEAM[0]
SMALL, PHONE, TABLET, DESK = (320, 640), (390, 844), (768, 1024), (1440, 900)


def mails(walk: Walk) -> list[dict[str, Any]]:
    """What Rosa has been mailed, the newest first."""
    with urllib.request.urlopen(f"{walk.scene.network}/sim/mails?to={ROSA.email}", timeout=kit.PATIENCE) as answer:
        kept: list[dict[str, Any]] = json.load(answer)["mails"]
        return kept


def test_she_confirms_her_address_and_is_mailed_that_something_waits(browser: Browser, walk: Walk) -> None:
    inside = kit.context(browser, PHONE)
    page = kit.sign_in(inside, walk, ROSA)
    page.goto(f"{walk.scene.service}/preferences")
    page.get_by_role("button", name="Send me a link to confirm").click()
    expect(page.get_by_text("Nothing else is mailed until you have confirmed")).to_be_visible()
    until(lambda: mails(walk), "the mail with the link")
    page.goto(f"{walk.scene.network}/mail")
    kit.check(page)
    page.get_by_role("link", name="/preferences/mail/").click()
    kit.check(page)
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_text("You are e-mailed at")).to_be_visible()
    kit.check(page)
    page.get_by_label("A reply comes to me: E-mail").check()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    walk.scene.type(day.HERE.number, "is there somewhere to park my truck")
    until(lambda: len(mails(walk)) > 1, "the mail that something has come")
    newest = mails(walk)[0]
    said = f"{newest['subject']} {newest['body']}"
    assert not re.search(f"{day.HERE.first}|{day.HERE.last}|truck|park|{day.CLINIC}", said), said
    page.goto(f"{walk.scene.network}/mail")
    page.get_by_role("link", name="/inbox/").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(day.HERE.first)
    inside.close()


@pytest.fixture(scope="module")
def rosa(served: Served) -> Staff:
    return served[0].staff("Rosa Delgado", hours={name: ["08:00", "17:00"] for name in ("mon", "tue", "wed")})


def shown(page: Page, sizes: tuple[tuple[int, int], ...] = (SMALL, PHONE, TABLET, DESK)) -> None:
    """The page holds in each width, by day and at night."""
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)


def test_the_grid_by_keys_saves_at_once_and_stays(browser: Browser, served: Served, rosa: Staff) -> None:
    with at(browser, served, rosa) as page:
        page.goto(f"{served[1]}/preferences")
        box = page.get_by_label("A reply comes to me: Text")
        expect(box).not_to_be_checked()
        box.focus()
        kit.Keys(page).press("Space")
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_label("A reply comes to me: Text")).to_be_checked()
        expect(page.get_by_label("Patient safety comes to me: Text")).to_have_count(0)
        shown(page)


def test_the_grid_without_script(browser: Browser, served: Served, rosa: Staff) -> None:
    with at(browser, served, rosa, script=False) as page:
        page.goto(f"{served[1]}/preferences")
        page.get_by_label("A text that was not delivered comes to me: Text").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_label("A text that was not delivered comes to me: Text")).to_be_checked()


def test_an_address_for_a_calendar_is_shown_once(browser: Browser, served: Served, rosa: Staff) -> None:
    with at(browser, served, rosa) as page:
        page.goto(f"{served[1]}/preferences")
        page.get_by_role("button", name="Make an address for my calendar").click()
        address = page.get_by_label("Give this address to your calendar").input_value()
        assert re.search(r"/calendar/[\w-]{22}\.ics$", address)
        shown(page)
        page.reload()
        expect(page.get_by_label("Give this address to your calendar")).to_have_count(0)
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text("That address leads nowhere any more")).to_be_visible()


def test_the_lead_reads_who_has_how_much_and_gets_to_the_list(browser: Browser, served: Served, rosa: Staff) -> None:
    house, service = served
    lead = house.staff("Ines Moreau", role="clinic_admin")
    a_reply(house, "Amina", "Can I bring my sister?", owner_id=rosa.id)
    with at(browser, served, lead) as page:
        page.goto(f"{service}/today")
        page.get_by_role("link", name="Workload").first.click()
        shown(page)
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.get_by_role("link", name=re.compile(r"^\d+ open, Rosa Delgado")).click()
        expect(page.locator(".row", has_text="A. Q.")).to_be_visible()
        expect(page.get_by_role("link", name="Take away: Rosa Delgado")).to_be_visible()
