"""A warm handoff from the request to the word about how it ended: three browsers and the patient's phone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.browser import kit

pytestmark = pytest.mark.xdist_group("browser")
ROSA, BEN, _, SAM = day.TEAM


@contextmanager
def at(browser: Browser, walk: Walk, colleague: day.Colleague, size: tuple[int, int] = kit.DESK) -> Iterator[Page]:
    """A colleague's page with the handoffs, signed in; it closes with the block."""
    inside = kit.context(browser, size)
    link = walk.scene.command("staff", "invite", "--name", colleague.name, "--email", colleague.email, "--once")[0][
        "link"
    ]
    page = inside.new_page()
    page.goto(f"{link}?next=/handoffs")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/handoffs*")
    yield page
    inside.close()


PATIENT = day.HERE
NAME = f"{PATIENT.first} {PATIENT.last}"


def row(page: Page) -> Locator:
    return page.locator("li.handoff", has_text=NAME).first


def ask_on_a_phone(page: Page) -> None:
    """Ask by name, with two reasons, a place and a note."""
    page.get_by_label("Find whom it is about").fill(PATIENT.last)
    page.get_by_role("button", name="Find", exact=True).click()
    kit.check(page)
    page.locator("#ask-title ~ ul a", has_text=NAME).click()
    page.get_by_label("Grief or loss").check()
    page.get_by_label("Sleep").check()
    page.get_by_text("How they meet, where they wait").click()
    page.get_by_label("Where they wait").fill("Room 4")
    page.get_by_label("Note for the colleague").fill("Lost his wife in June")
    kit.check(page)
    page.get_by_role("button", name="Ask for a handoff").click()


def pass_on(page: Page) -> None:
    """See why, and say that one is with a patient."""
    for words in ("Offered to you", "Grief or loss · Sleep", "Lost his wife in June"):
        expect(row(page)).to_contain_text(words)
    kit.check(page)
    row(page).locator("summary", has_text="I cannot").click()
    kit.check(page)
    row(page).get_by_role("button", name="With a patient").click()


def test_the_loop_closes_on_the_requesters_page_without_a_reload(browser: Browser, walk: Walk) -> None:
    with at(browser, walk, SAM, kit.PHONE) as sam, at(browser, walk, ROSA) as rosa, at(browser, walk, BEN) as ben:
        ask_on_a_phone(sam)
        expect(row(sam)).to_contain_text("You asked Rosa Delgado")
        kit.check(sam)
        pass_on(rosa)
        expect(row(sam)).to_contain_text("You asked Ben Carter")
        expect(row(sam)).to_contain_text("Rosa Delgado: cannot")
        expect(row(ben)).to_contain_text("Offered to you")
        assert not any("expecting you" in text["body"] for text in walk.scene.texts(PATIENT.number))
        row(ben).get_by_role("button", name="I'm coming").click()
        expect(row(sam)).to_contain_text("Ben Carter is coming")

        # The patient reads where to go and not why, and says HERE.
        text = walk.scene.received(PATIENT.number, "expecting you")
        assert "Room 4" in text
        assert not re.search("grief|sleep|wife|Ben", text, re.IGNORECASE)
        walk.scene.type(PATIENT.number, "HERE")
        walk.scene.received(PATIENT.number, "that you are here")
        expect(row(ben)).to_contain_text("They are there; you are meeting them")
        expect(row(sam)).to_contain_text("They are there")
        kit.check(ben)
        row(ben).get_by_role("button", name="We met").click()
        expect(ben.get_by_text("Noted: they have met")).to_be_visible()

        # Sam has touched nothing, and reads how it ended.
        expect(sam.get_by_role("heading", name="What became of those you asked for")).to_be_visible()
        expect(row(sam)).to_contain_text(re.compile("Met.*Ben Carter"))
        kit.check(sam)
        sam.get_by_role("link", name="How handoffs went").click()
        expect(sam.get_by_role("table", name="Warm handoffs by requester")).to_contain_text("Sam Fields")
        kit.check(sam)
