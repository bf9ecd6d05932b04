"""The page of an EHR that is asked, in a browser: set up by keyboard alone, narrow and wide, light and dark."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from interchange.polling import poller
from tests.browser import kit, place
from tests.browser.place import Served
from tests.web.feeds import feed_of

SIZES = {"narrow": (390, 844), "wide": (1440, 900)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_an_ehr_is_let_be_asked_by_keyboard_and_says_why_it_is_not(
    browser: Browser, served: Served, size: str, dark: bool
) -> None:
    house, service = served
    feed = feed_of(house)
    with place.at(browser, served, house.staff("Ada", role="clinic_admin"), size=SIZES[size], dark=dark) as page:
        page.goto(f"{service}/feeds/{feed.id}/asking")
        kit.check(page)
        page.get_by_label("Address", exact=True).focus()
        page.keyboard.press("Control+A")
        page.keyboard.type("https://ehr.invalid/api/FHIR/R4")
        page.keyboard.press("Tab")
        page.keyboard.press("Control+A")
        page.keyboard.type("us")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Saved. The EHR is asked from now on")).to_be_visible()
        poller.drain()
        page.reload()
        expect(page.get_by_text("The EHR cannot be reached")).to_be_visible()
        kit.check(page)
        if "SHOTS" in os.environ:
            page.screenshot(path=Path(os.environ["SHOTS"], f"asked-{size}-{dark}.png"), full_page=True)
