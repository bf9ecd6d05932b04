"""What goes otherwise: somebody cannot now, is here after all, or was to be met by somebody who works here no more."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.browser import kit
from tests.browser.test_handoffs import BEN, ROSA, SAM, at

pytestmark = pytest.mark.xdist_group("browser")
INES = day.TEAM[2]
PHONE = (390, 844)


def ask(page: Page, patient: day.Visitor) -> None:
    """Ask by record number, in Room 4."""
    page.get_by_text("By record number").click()
    page.get_by_label("Record number", exact=True).fill(patient.record)
    page.get_by_text("How they meet, where they wait").click()
    page.get_by_label("Where they wait").fill("Room 4")
    page.get_by_role("button", name="Ask for a handoff").click()
    expect(page.get_by_text("Asked. ")).to_be_visible()


def test_who_cannot_now_is_read_before_anybody_goes_and_who_is_here_after_all_is_met(
    browser: Browser, walk: Walk
) -> None:
    walter = day.HERE
    with at(browser, walk, SAM, PHONE) as sam, at(browser, walk, ROSA) as rosa:
        mine, hers = (page.locator("li.handoff", has_text=walter.last).first for page in (sam, rosa))
        ask(sam, walter)
        hers.get_by_role("button", name="I'm coming").click()
        walk.scene.received(walter.number, "expecting you")
        walk.scene.type(walter.number, "I can't right now, I have to get back to work")
        # Nobody has loaded anything anew.
        expect(hers).to_contain_text("They have written")
        expect(mine).to_contain_text("Rosa Delgado is told to read it")
        walk.scene.received(ROSA.number, "has written. Please read it before you go")
        kit.check(sam)
        kit.check(rosa)
        hers.get_by_role("link", name="Read it").click()
        expect(rosa.get_by_text("I have to get back to work").first).to_be_visible()
        rosa.goto(f"{walk.scene.service}/handoffs")
        hers.locator("summary", has_text="How it ended").click()
        hers.get_by_role("button", name="They have left").click()
        expect(mine).to_contain_text("They left without meeting")

        walk.scene.type(walter.number, "HERE")
        walk.scene.received(walter.number, "that you are here")
        walk.scene.received(ROSA.number, "is here after all")
        expect(mine).to_contain_text("They are there; Rosa Delgado is meeting them")
        kit.check(sam)
        hers.get_by_role("button", name="We met").click()
        expect(mine).to_contain_text(re.compile("Met.*Rosa Delgado"))


def test_who_waits_for_somebody_who_works_here_no_more_is_met_by_the_next(browser: Browser, walk: Walk) -> None:
    teresa = day.FORM
    with at(browser, walk, SAM, PHONE) as sam, at(browser, walk, BEN) as ben, at(browser, walk, ROSA) as rosa:
        theirs = [page.locator("li.handoff", has_text=teresa.last).first for page in (sam, ben, rosa)]
        ask(sam, teresa)
        theirs[2].get_by_role("button", name="I'm coming").click()
        theirs[0].get_by_role("button", name="They are here").click()
        expect(theirs[0]).to_contain_text("They are there; Rosa Delgado is meeting them")
        with at(browser, walk, INES) as ines:
            ines.goto(f"{walk.scene.service}/settings/people")
            ines.locator("tr", has_text=ROSA.email).locator("summary").click()
            ines.get_by_role("link", name="Deactivate Rosa Delgado").click()
            ines.get_by_label("Who gets what is unfinished").select_option(label="Ben Carter, care manager")
            kit.check(ines)
            ines.get_by_role("button", name="Deactivate Rosa Delgado").click()
            expect(ines.get_by_text("Rosa Delgado is deactivated")).to_be_visible()
        expect(theirs[1]).to_contain_text("Offered to you")
        expect(theirs[0]).to_contain_text("Rosa Delgado: cannot after all")
        theirs[1].get_by_role("button", name="I'm coming").click()
        expect(ben.get_by_text("They are there already: please go to them")).to_be_visible()
        expect(theirs[0]).to_contain_text("They are there; Ben Carter is meeting them")
        kit.check(sam)
