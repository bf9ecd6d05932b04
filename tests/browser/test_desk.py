"""The front desk's inbox and automatic texts while two people are talking: as two colleagues see them."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config import clock, db
from messaging import outbox
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.web.test_desk import an_item

pytestmark = pytest.mark.xdist_group("browser")
LOOKS = [(size, dark) for size in (kit.PHONE, kit.DESK) for dark in (False, True)]


def picture(page: Page, name: str) -> None:
    """Keep what is on the screen in the folder SHOTS, if one is named."""
    if "SHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["SHOTS"], f"{name}.png"), full_page=True)


def test_a_care_manager_hands_to_the_desk_which_answers(browser: Browser, served: Served, unhurried: None) -> None:
    house, service = served
    rosa, dana = house.staff("Rosa Delgado"), house.staff("Dana Ortiz", role="front_desk")
    _, item = a_reply(house, "Devon", "Could you fit me in on Tuesday?", owner_id=rosa.id)
    with at(browser, served, rosa) as care, at(browser, served, dana) as desk:
        desk.goto(f"{service}/desk")
        expect(desk.get_by_role("heading", name="Nothing waits for the front desk")).to_be_visible()
        care.goto(f"{service}/inbox/{item.id}")
        care.locator("summary", has_text="Reassign").click()
        care.get_by_label("Who takes it, with its clock").select_option("role:front_desk")
        care.get_by_label("Why").fill("Any Tuesday is fine")
        picture(care, "handover")
        care.locator("form[action$='/handover'] button").click()
        care.wait_for_load_state()
        desk.reload()
        desk.get_by_role("link", name="Devon Quintana").click()
        expect(desk.get_by_text("Any Tuesday is fine")).to_be_visible()
        desk.get_by_label("Text to").fill("Tuesday at three is free. See you then.")
        desk.get_by_role("button", name="Send and resolve").click()
        expect(desk.get_by_text("Your text is on its way, and the item is resolved.")).to_be_visible()
    assert house.read(InboxItem, item.id).state == "done"


@pytest.mark.parametrize(("size", "dark"), LOOKS)
def test_the_desk_reads_well_everywhere(browser: Browser, served: Served, size: tuple[int, int], dark: bool) -> None:
    house, service = served
    dana = house.staff("Dana Ortiz", role="front_desk")
    item = an_item(house)
    with at(browser, served, dana, size=size, dark=dark) as page:
        page.goto(f"{service}/desk")
        kit.check(page)
        picture(page, f"desk-{size[0]}-{'dark' if dark else 'light'}")
        page.goto(f"{service}/desk/{item.id}")
        kit.check(page)
        picture(page, f"desk-case-{size[0]}-{'dark' if dark else 'light'}")


@pytest.mark.parametrize(
    ("act", "state"), [("Send now", "queued"), ("I say it myself", "cancelled"), ("Skip it", "cancelled")]
)
def test_a_colleague_who_is_talking_decides_about_an_automatic_text(
    browser: Browser, served: Served, act: str, state: str
) -> None:
    house, service = served
    rosa = house.staff("Rosa Delgado")
    patient, item = a_reply(house, "Amina", "Is it tomorrow?", owner_id=rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        text = outbox.text_patient(
            session,
            session.get_one(Clinic, house.clinic.id),
            session.get_one(Patient, patient.id),
            kind="reminder",
            programme="reminders",
            body="Your visit is tomorrow at 2:30 PM.",
            dedupe=f"offered:{act}",
            offered_until=clock.now() + timedelta(minutes=10),
        )
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/inbox/{item.id}")
        waiting = page.get_by_label("Automatic texts that wait for you")
        expect(waiting.get_by_text("Your visit is tomorrow at 2:30 PM.").first).to_be_visible()
        kit.check(page)
        picture(page, f"offered-{act.split()[0].lower()}")
        waiting.get_by_role("button", name=act).click()
        expect(page.get_by_label("Automatic texts that wait for you")).to_have_count(0)
    stored = house.read(Message, text.id)
    assert (stored.state, stored.offered_until is None) == (state, act == "Send now")
