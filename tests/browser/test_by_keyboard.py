"""Each act of a handoff and of the team by the keyboard alone: Tab until it is there, type, choose, press."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from messaging.models import Patient
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.browser.test_inbox_day import tab_to

pytestmark = pytest.mark.xdist_group("browser")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{name}")).first


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    """Tab to something and press it."""
    page.wait_for_load_state()
    tab_to(page, wanted)
    page.keyboard.press(key)


def write(page: Page, field: Locator, words: str) -> None:
    """Tab to a field and type; of a list the words choose."""
    page.wait_for_load_state()
    tab_to(page, field)
    page.keyboard.type(words)


def open_menu(page: Page, words: str) -> None:
    press(page, page.locator("li.handoff summary", has_text=words).first)


def ask(page: Page, patient: Patient) -> None:
    """Ask by record number, grief, somebody should meet them."""
    write(page, page.get_by_label("Record number", exact=True), patient.record or "")
    press(page, page.get_by_label("Grief or loss"), "Space")
    press(page, button(page, "Ask for a handoff"))
    expect(page.get_by_text("Asked. ")).to_be_visible()


def offered(pages: tuple[Page, Page]) -> tuple[Page, Page]:
    """The page of whom it is offered to, and the other."""
    for page in pages:
        page.goto(re.sub(r"/handoffs.*", "/handoffs", page.url))
    first, other = pages
    return (first, other) if first.get_by_text("Offered to you").count() else (other, first)


def test_a_handoff_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    rosa = house.staff("Rosa Delgado", number="+12025550171")
    ben = house.staff("Ben Okafor", number="+12025550172")
    doctor = house.staff("Dr Okafor", role="clinician")
    with at(browser, served, doctor) as asks, at(browser, served, rosa) as hers, at(browser, served, ben) as his:
        for page in (asks, hers, his):
            page.goto(f"{service}/handoffs")
        ask(asks, house.patient(first_name="Walter", record="K-1"))
        first, other = offered((hers, his))
        open_menu(first, "I cannot")
        press(first, button(first, "With a patient"))
        expect(first.get_by_text("Declined. The next person is asked")).to_be_visible()
        other.reload()
        press(other, button(other, "In 10 minutes"))
        expect(other.get_by_text("Accepted. ")).to_be_visible()
        asks.reload()
        press(asks, button(asks, "They are here"))
        expect(asks.get_by_text("Noted: they are here")).to_be_visible()
        other.reload()
        press(other, button(other, "We met"))
        expect(other.get_by_text("Noted: they have met")).to_be_visible()
        asks.reload()
        ask(asks, house.patient(first_name="Gloria", record="K-2"))
        meets_another_time(offered((hers, his))[0])


def meets_another_time(page: Page) -> None:
    """Accept, open how it ended, leave that by Escape, and come back to it."""
    press(page, button(page, "I'm coming"))
    expect(page.get_by_text("Accepted. ")).to_be_visible()
    open_menu(page, "How it ended")
    page.keyboard.press("Escape")
    expect(page.locator("li.handoff summary", has_text="How it ended")).to_be_focused()
    page.keyboard.press("Enter")
    press(page, button(page, "Another time"))
    expect(page.get_by_text("they meet another time. Somebody is reminded")).to_be_visible()
    kit.check(page)


def test_the_team_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    rosa, ben = house.staff("Rosa Delgado"), house.staff("Ben Okafor")
    patient, _ = a_reply(house, "Teresa", "Can I come at four?", owner_id=rosa.id)
    thread = f"{service}/patients/{patient.id}/team"
    with at(browser, served, rosa) as hers, at(browser, served, ben) as his:
        hers.goto(thread)
        write(hers, hers.get_by_label("Note for colleagues, never sent"), "Her mood is worse. @ben")
        expect(hers.get_by_role("option", name="Ben Okafor").first).to_be_visible()
        hers.keyboard.press("Enter")
        press(hers, button(hers, "Save note"))
        expect(hers.get_by_text("Ben Okafor: not read yet")).to_be_visible()

        his.goto(thread)
        press(his, his.locator("summary", has_text=re.compile("^Reply")).first)
        write(his, his.locator("details.reply-to[open] textarea"), "Yes, at five.")
        press(his, button(his, "Save reply"))
        expect(his.get_by_text("Yes, at five.")).to_be_visible()

        hers.reload()
        write(hers, hers.get_by_label("Note for colleagues, never sent"), "Hard of hearing")
        with hers.expect_file_chooser() as chooser:
            press(hers, hers.get_by_label("Files up to 5.0 MB each"))
        chooser.value.set_files({"name": "ear.txt", "mimeType": "text/plain", "buffer": b"left ear"})
        press(hers, hers.get_by_label("Pin it: a fact everybody must know"), "Space")
        press(hers, button(hers, "Save note"))
        expect(hers.get_by_label("Pinned by the team").get_by_text("Hard of hearing")).to_be_visible()
        press(hers, button(hers, "Retract"))
        expect(hers.get_by_text("Retracted. It stays readable, struck through")).to_be_visible()
        kit.check(hers)


def test_a_task_and_an_announcement_by_the_keyboard_alone(browser: Browser, served: Served) -> None:
    house, service = served
    rosa = house.staff("Rosa Delgado")
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/tasks")
        write(page, page.get_by_label("What is to be done"), "Call the pharmacy")
        write(page, page.get_by_label("Who does it", exact=True), "Me")
        press(page, page.get_by_label("Until when"), "ArrowDown")
        press(page, button(page, "Make the task"))
        press(page, page.get_by_role("link", name="Call the pharmacy").first)
        write(page, page.get_by_label("What came of it"), "They have it")
        press(page, page.get_by_role("button", name="Done", exact=True))
        expect(page.get_by_text("Closed, with what came of it.")).to_be_visible()

        page.goto(f"{service}/announcements")
        write(page, page.get_by_label("What everybody should know"), "The lift is out of order")
        press(page, button(page, "Put it on the board"))
        expect(page.locator(".post.board").get_by_text("The lift is out of order").first).to_be_visible()
        kit.check(page)
