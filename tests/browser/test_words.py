"""Wording a text in a browser: the phones follow as one types, and the page breaks no rule at any size."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import kit
from tests.browser.place import Served, at

pytestmark = pytest.mark.xdist_group("browser")
SIZES = ((320, 640), kit.PHONE, kit.DESK)
# A folder to keep what was looked at in; nowhere by default.
KEEP = os.environ.get("WORDS_SHOTS")


def look(page: Page, name: str) -> None:
    for width, height in SIZES:
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)
            if KEEP:
                page.screenshot(path=Path(KEEP, f"{name}-{width}-{scheme}.png"), full_page=True)


def test_a_text_is_worded_with_its_phones_beside_it(browser: Browser, served: Served) -> None:
    house, service = served
    with at(browser, served, house.staff("Dana Wu", role="clinic_admin")) as page:
        page.goto(f"{service}/settings/words/reminder_hours")
        look(page, "shipped")
        english = page.get_by_role("textbox").first
        english.fill("It is {day} at {time}, {first_name}, about your depression. Reply CANCEL if you can't")
        marked = page.locator("[data-shown=en] mark")
        expect(marked.first).to_have_text("depression")
        expect(page.locator("[data-said=en]")).to_contain_text("3 things stop it")
        look(page, "flagged")
        page.locator("textarea[name=es]").fill(
            "Le esperamos {day}, {time}, aquí en {place}, {first_name}. Está bien llegar un poco tarde. - {clinic}"
        )
        expect(page.locator("[data-shown=es] .costly").first).to_have_text("í")
        page.get_by_role("button", name="Use letters that cost less in Spanish").click()
        expect(page.locator("textarea[name=es]")).to_have_value(
            "Le esperamos {day}, {time}, aqui en {place}, {first_name}. Esta bien llegar un poco tarde. - {clinic}"
        )
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_text("cannot be published", exact=False).first).to_be_visible()
        look(page, "list")
        with at(browser, served, house.staff("Olu Ade", role="clinic_admin"), script=False) as other:
            other.goto(f"{service}/settings/words/crisis")
            other.locator("textarea[name=en]").fill("Call 911. Call or text 988.")
            other.get_by_role("button", name="Show on a phone").click()
            expect(other.locator(".bubble").first).to_have_text("Call 911. Call or text 988.")
            page.goto(f"{service}/settings/words/crisis")
            page.locator("textarea[name=en]").fill("In danger, call 911. Call or text 988. We will call you.")
            page.get_by_role("button", name="Save draft").click()
            other.get_by_role("button", name="Save draft").click()
            expect(other.get_by_role("heading", name="Somebody else has changed the draft meanwhile")).to_be_visible()
            if KEEP:
                other.screenshot(path=Path(KEEP, "clash.png"), full_page=True)
