"""A lead changes who gets what: a rule drafted, replayed, agreed to by another; and the rota, with its refusals."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config import db
from messaging.models import Staff
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.web.boards.test_unassigned import published

pytestmark = pytest.mark.xdist_group("browser")


def look(page: Page, name: str) -> None:
    """Check the page on a phone at night and at a desk by day; keep pictures where WARMTHREAD_SHOTS names a folder."""
    for (width, height), scheme in ((kit.PHONE, "dark"), (kit.DESK, "light")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        kit.check(page)
        if "WARMTHREAD_SHOTS" in os.environ:
            file = Path(os.environ["WARMTHREAD_SHOTS"], f"{name}-{width}-{scheme}.png")
            page.screenshot(path=file, full_page=True)


def test_a_rule_is_drafted_replayed_and_agreed_to_by_somebody_else(browser: Browser, served: Served) -> None:
    house, service = served
    dana = published(house)
    house.staff("Ben Carter", number="+12025550153", languages=("en", "es"))
    rosa = house.staff("Rosa Delgado", number="+12025550154", panels=("Dr Okafor",))
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(Staff, rosa.id).password_hash = "x"
    for name in ("Teresa", "Olu", "Amina"):
        a_reply(house, name, "Can I come on Monday?", kind="safety")
    with at(browser, served, dana) as page:
        page.goto(f"{service}/ladder")
        look(page, "ladder")
        page.locator("#route-row > details > summary").click()
        page.get_by_label("Name of the new rule").fill("Crisis texts to Rosa")
        page.get_by_label("It goes to").select_option("people")
        page.get_by_role("group", name="People, where it goes to people by name").get_by_label("Rosa Delgado").check()
        page.get_by_text("When: always, as long as nothing is chosen").click()
        page.get_by_role("group", name="Kind").get_by_label("Patient safety").check()
        page.get_by_label("Questionnaire").select_option("")
        page.get_by_role("button", name="Save draft").click()
        expect(page.get_by_text("A second person must agree")).to_be_visible()
        look(page, "ladder-draft")
        page.get_by_role("link", name="Replay").click()
        expect(page.get_by_role("heading", name="Of 3 items 3 would have gone elsewhere")).to_be_visible()
        look(page, "replay")
        page.go_back()
        page.get_by_label("Reason").fill("she knows them")
        page.get_by_role("button", name="Ask a second person").click()
        expect(page.get_by_role("button", name="Asked: waiting for a second person")).to_be_disabled()
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/ladder")
        page.get_by_role("button", name="Agree and publish").click()
        expect(page.get_by_text("Patient safety → Rosa Delgado")).to_be_visible()
        look(page, "ladder-ruled")


def test_hours_that_leave_nobody_are_refused_where_they_were_typed(browser: Browser, served: Served) -> None:
    house, service = served
    house.staff("Ines Vega", number="+12025550155")
    dana = house.staff("Dana Admin", role="clinic_admin", number=None)
    with at(browser, served, dana) as page:
        page.goto(f"{service}/settings/rota")
        look(page, "rota")
        colleague = page.get_by_role("listitem").filter(has_text="Ines Vega")
        colleague.locator("summary").click()
        colleague.get_by_label("Works").fill("Mon 20:00-9:30, Tue 9:00-12:00")
        colleague.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Mon goes on into Tue")).to_be_visible()
        look(page, "rota-refused")


def test_hours_are_painted_by_mouse_and_by_keys_and_written_back_in_one_form(browser: Browser, served: Served) -> None:
    house, service = served
    dana = house.staff("Dana Painter", role="clinic_admin", number=None)
    with at(browser, served, dana) as page:
        page.goto(f"{service}/ladder?open=hours")
        field = page.locator("#hours")
        field.fill("weekdays 9-noon")
        field.press("Tab")
        expect(field).to_have_value("Mon-Fri 9:00 AM-12:00 PM")
        page.locator("#hours-row").get_by_text("Paint on a grid").click()
        monday, friday = page.locator('[data-at="24"]'), page.locator(f'[data-at="{4 * 48 + 33}"]')
        expect(page.locator('[data-at="18"]')).to_have_attribute("aria-selected", "true")
        kit.check(page)
        monday.hover()
        page.mouse.down()
        friday.hover()
        page.mouse.up()
        expect(field).to_have_value("Mon-Fri 9:00 AM-5:00 PM")
        saturday = page.locator(f'[data-at="{5 * 48 + 18}"]')
        saturday.press("Space")
        saturday.press("Shift+ArrowRight")
        expect(field).to_have_value("Mon-Fri 9:00 AM-5:00 PM, Sat 9:00 AM-10:00 AM")
        look(page, "hours")
