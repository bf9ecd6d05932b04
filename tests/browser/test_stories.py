"""Three stories as people live them, in a real browser against the real service, each about patients of its own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.browser import kit

pytestmark = pytest.mark.xdist_group("browser")
ROSA, BEN = day.TEAM[:2]
SEVERAL, HALF, DAILY, NEVER = "Several days", "More than half the days", "Nearly every day", "Not at all"


@contextmanager
def at(browser: Browser, walk: Walk, colleague: day.Colleague) -> Iterator[Page]:
    """A colleague's page at a desk, signed in; it closes with the block."""
    inside = kit.context(browser, kit.DESK)
    yield kit.sign_in(inside, walk, colleague)
    inside.close()


def test_a_patient_answers_on_her_phone_and_is_offered_help_at_once(browser: Browser, walk: Walk) -> None:
    inside = kit.context(browser, kit.PHONE, script=False)
    seeing = kit.context(browser, kit.PHONE)
    page, twin = inside.new_page(), seeing.new_page()
    page.goto(kit.form_link(walk, day.FORM))
    kit.check_as(page, twin)
    kit.say_birth_date(page, day.FORM)
    for number, words in enumerate((HALF, HALF, DAILY, SEVERAL, SEVERAL, SEVERAL, SEVERAL, NEVER, SEVERAL), 1):
        expect(page.get_by_text(f"Question {number} of ")).to_be_visible()
        kit.check_as(page, twin)
        kit.answer(page, words)
    expect(page.get_by_role("heading", name="You do not have to carry this alone")).to_be_visible()
    expect(page.get_by_role("link", name="Call 988", exact=True)).to_have_attribute("href", "tel:988")
    expect(page.get_by_text("Our team has been told about your answer.")).to_be_visible()
    kit.check_as(page, twin)
    page.get_by_role("link", name="Continue").click()
    while "/check" not in page.url:  # how difficult it has all been: asked, and never part of the score
        kit.check_as(page, twin)
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text(SEVERAL, exact=True)).to_have_count(5)
    kit.check_as(page, twin)
    page.get_by_role("button", name="Send my answers").click()
    expect(page.get_by_role("link", name="Call 988", exact=True)).to_be_visible()  # a bare thanks would not do
    page.get_by_role("link", name="Continue").click()
    thanks = page.get_by_role("heading", name="Thank you. Your answers are with your care team.")
    expect(thanks).to_be_visible()
    kit.check_as(page, twin)
    for _ in range(4):  # the help stays; of what was answered there is nothing left, not even in the history
        page.go_back()
        expect(page.get_by_role("radio")).to_have_count(0)
        expect(page.get_by_text(SEVERAL)).to_have_count(0)
    expect(thanks).to_be_visible()
    seeing.close()
    inside.close()


def test_the_care_manager_acknowledges_replies_and_settles(browser: Browser, walk: Walk) -> None:
    patient, reply = day.SPANISH, "Hola Lucía, soy Rosa. Te llamo ahora mismo."
    walk.scene.type(patient.number, "Ya no quiero vivir")
    walk.scene.received(patient.number, "988")
    with at(browser, walk, ROSA) as page:
        kit.check(page)
        page.get_by_role("link", name=re.compile("^Lucía B")).click()
        expect(page.get_by_role("heading", name="Lucía Benavides", level=1)).to_be_visible()
        kit.check(page)
        page.locator("#outcome > summary").click()
        page.get_by_label("Reached by phone").check()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("Acknowledged by Rosa Delgado")).to_be_visible()
        kit.check(page)
        page.get_by_label("Reply to Lucía's phone").fill(reply)
        expect(page.get_by_text("1 segment, ")).to_be_visible()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_role("status").filter(has_text="on its way")).to_be_visible()
        walk.scene.received(patient.number, "soy Rosa")
        page.get_by_role("button", name="Resolve", exact=True).click()
        expect(page.get_by_text("Resolved by Rosa Delgado")).to_be_visible()
        kit.check(page)
        page.goto(f"{walk.scene.network}/phone/{patient.number}")
        expect(page.get_by_text(reply)).to_be_visible()
        kit.check(page)


def test_the_inbox_can_be_worked_by_keys_alone(browser: Browser, walk: Walk) -> None:
    patient = day.CRISIS
    walk.scene.type(patient.number, "I can't go on")
    walk.scene.received(patient.number, "988")
    with at(browser, walk, BEN) as page:
        joy = page.locator(".row", has_text="Joy A.")
        expect(joy).to_be_visible()
        for _ in range(page.locator(".row").count()):
            kit.Keys(page).press("k")  # it came in above the one that is open by itself
            if joy.evaluate("row => row === document.activeElement"):
                break
        kit.Keys(page).press("o")
        expect(page.get_by_role("heading", name="Joy Abara", level=1)).to_be_visible()
        kit.Keys(page).press("a")
        kit.Keys(page).press("Space")
        kit.Keys(page).press("Enter")
        expect(page.get_by_text("Acknowledged by Ben Carter")).to_be_visible()
        kit.Keys(page).press("r")
        kit.Keys(page).type("Ben here, I am calling you now.")
        kit.Keys(page).press("Tab")
        kit.Keys(page).press("Enter")
        walk.scene.received(patient.number, "Ben here")
        page.locator(".done").wait_for()
        kit.Keys(page).press("e")
        expect(page.get_by_text("is resolved.")).to_be_visible()
        kit.Keys(page).press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        kit.check(page)


def test_stop_typed_on_a_phone_closes_the_composer(browser: Browser, walk: Walk) -> None:
    patient = day.STOP
    phone = kit.context(browser, kit.PHONE)
    handset = phone.new_page()
    handset.goto(f"{walk.scene.network}/phone/{patient.number}")
    kit.check(handset)
    write(handset, "Can my sister come with me?")
    with at(browser, walk, BEN) as page:
        row = page.locator(".row", has_text="Devon K.")
        row.click()  # it comes into the list by itself
        expect(page.get_by_label("Reply to Devon's phone")).to_be_visible()
        kit.check(page)
        write(handset, "STOP")
        expect(handset.get_by_text("This phone has stopped texts from this number.")).to_be_visible()
        kit.check(handset)
        shut = page.locator(".shut", has_text="This number has opted out of texts.")
        expect(shut.get_by_role("link")).to_have_attribute("href", f"tel:{patient.number}")
        expect(page.get_by_label("Reply to Devon's phone")).to_have_count(0)
        kit.check(page)
    phone.close()


def write(handset: Page, words: str) -> None:
    """Type a text on a phone's page and send it."""
    handset.get_by_label("Text to the clinic").fill(words)
    handset.get_by_role("button", name="Send").click()
    expect(handset.get_by_role("log").get_by_text(words, exact=True)).to_be_visible()
