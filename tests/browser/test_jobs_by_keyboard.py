"""The main job of each other page by the keyboard alone: a patient's visits and texts, a merge, settings, a file."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from config import clock
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.browser.test_by_keyboard import button, press, write
from tests.browser.test_importing import SPANISH
from tests.web.caseload.seeding import enrolled, with_registry

pytestmark = pytest.mark.xdist_group("browser")


def link(page: Page, name: str) -> None:
    press(page, page.get_by_role("link", name=re.compile(f"^{name}")).first)


def when(page: Page, label: str, moment: datetime) -> None:
    """Type a day and a time as fingers do, from one part of the field to the next."""
    write(page, page.get_by_label(label), f"{moment:%m%d%Y}")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{moment:%I%M%p}")


def test_a_visit_and_a_first_word_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    patient, _ = a_reply(house, "Walter", "Good morning")
    with at(browser, served, house.staff("Rosa Delgado")) as page:
        page.goto(f"{service}/patients/{patient.id}")
        link(page, "Book a visit")
        two = (clock.now() + timedelta(days=6)).replace(hour=14, minute=0)
        when(page, "Day and time", two)
        press(page, button(page, "Continue"))
        press(page, button(page, "Book it"))
        press(page, button(page, "Confirm"))
        expect(page.get_by_text("confirmed", exact=True)).to_be_visible()
        link(page, "Move")
        when(page, "New day and time", two + timedelta(days=2))
        press(page, button(page, "Continue"))
        press(page, button(page, "Move it"))
        link(page, "Cancel visit")
        press(page, button(page, "Cancel the visit"))
        expect(page.get_by_text("cancelled", exact=True).first).to_be_visible()
        link(page, "Summary")
        link(page, "Text Walter")
        write(page, page.get_by_role("textbox", name=re.compile("Walter's phone")), "Shall we talk?")
        press(page, button(page, "Send"))
        expect(page.get_by_text("Shall we talk?").first).to_be_visible()
        kit.check(page)


def test_two_records_are_merged_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    stays, goes = (house.patient(first_name="Gloria", record=record) for record in ("K-11", "K-12"))
    with at(browser, served, house.staff("Rosa Delgado")) as page:
        page.goto(f"{service}/patients/{stays.id}/merge")
        write(page, page.get_by_role("searchbox", name="of the other record"), "gloria")
        press(page, button(page, "Find"))
        press(page, button(page, f"Compare with .*, record {goes.record}"))
        press(page, page.get_by_role("radio").first, "Space")
        press(page, page.get_by_label("I have compared both"), "Space")
        press(page, button(page, "Merge them"))
        expect(page.get_by_text("The records are one now").first).to_be_visible()
        kit.check(page)


def test_reminders_are_published_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    with at(browser, served, house.staff("Dana Wu", role="clinic_admin", number=None)) as page:
        page.goto(f"{service}/settings/cadence")
        press(page, page.locator(".step summary").first)
        hours = page.locator(".step").first.get_by_label("How long")
        press(page, hours, "ControlOrMeta+a")
        page.keyboard.type("48")
        press(page, button(page, "Save draft"))
        expect(page.get_by_text("The draft is saved.")).to_be_visible()
        write(page, page.get_by_label("Reason"), "people asked for it")
        press(page, button(page, "Publish"))
        expect(page.get_by_text("Published. It holds from this moment.")).to_be_visible()


def test_a_file_of_patients_is_imported_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    with at(browser, served, house.staff("Dana Wu", role="clinic_admin", number=None)) as page:
        page.goto(f"{service}/settings/import")
        with page.expect_file_chooser() as chooser:
            press(page, page.get_by_label("The file"))
        chooser.value.set_files({"name": "f.csv", "mimeType": "text/csv", "buffer": SPANISH.encode()})
        write(page, page.get_by_label("Where it comes from"), "Office")
        press(page, button(page, "Look at the columns"))
        expect(page.get_by_role("heading", name="Which column is which")).to_be_visible()
        press(page, button(page, "Check (all|the row)"))
        expect(page.get_by_role("heading", name="1 of 2 rows are good")).to_be_visible()
        press(page, button(page, "Import 1 of 2 rows"))
        expect(page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)


def test_the_caseload_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    scene = with_registry(house)
    patient = house.patient(first_name="Hanna")
    enrolled(scene, patient, 20)
    with at(browser, served, scene.rosa) as page:
        page.goto(f"{service}/caseload")
        write(page, page.get_by_label("Phase"), "In care")
        press(page, button(page, "Show"))
        link(page, f"Hanna {patient.last_name}")
        press(page, page.locator("summary", has_text="Log work"))
        when(page, "Began", clock.now() - timedelta(days=1))
        write(page, page.get_by_label("Minutes"), "20")
        press(page, button(page, "Save"))
        expect(page.get_by_role("cell", name="20", exact=True)).to_be_visible()
        kit.check(page)
    with at(browser, served, scene.silva) as page:
        page.goto(f"{service}/caseload/reviews")
        link(page, "Begin")
        press(page, page.get_by_label("Go on as before"), "Space")
        press(page, button(page, "Save and go on"))
        expect(page.get_by_text("Saved.")).to_be_visible()
