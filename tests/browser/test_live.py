"""Two browsers side by side against the real service: who is here, what has just come in, and losing one's way."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from config.cli.walk import day
from config.cli.walk.steps import Walk
from tests.browser import kit

pytestmark = pytest.mark.xdist_group("browser")
ROSA, BEN = day.TEAM[:2]
# As if the reader were in another window, and the computer let us tell them.
AWAY = """
document.hasFocus = () => false;
window.told = [];
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, options) { super(); window.told.push(options); }
};
"""


@contextmanager
def at(browser: Browser, walk: Walk, colleague: day.Colleague, script: str = "") -> Iterator[Page]:
    """A colleague's page at a desk, signed in; it closes with the block."""
    inside = kit.context(browser, kit.DESK)
    if script:
        inside.add_init_script(script)
    yield kit.sign_in(inside, walk, colleague)
    inside.close()


def open_case(page: Page, walk: Walk, name: str) -> None:
    """Open somebody's case from everybody's list."""
    page.goto(f"{walk.scene.service}/inbox?view=everyone")
    page.locator(".row", has_text=name).first.click()
    expect(page.get_by_role("heading", name=re.compile(name.split()[0]), level=1)).to_be_visible()


def within(seconds: float) -> float:
    """Return milliseconds, with room for a machine that does much else."""
    return 1000 * seconds


def test_two_colleagues_see_each_other_and_what_comes_in(browser: Browser, walk: Walk) -> None:
    walk.scene.type(day.CHANGE.number, "Can I bring my sister?")
    with at(browser, walk, ROSA) as rosa, at(browser, walk, BEN) as ben:
        rosa.goto(f"{walk.scene.service}/inbox?view=everyone")
        rosa.locator(".row", has_text="Amina S.").wait_for()
        open_case(rosa, walk, "Amina S.")
        open_case(ben, walk, "Amina S.")
        expect(rosa.locator(".top .here")).to_have_text("Ben Carter is viewing")
        expect(ben.locator(".top .here")).to_have_text("Rosa Delgado is viewing")
        expect(rosa.locator(".row .here", has_text="Ben Carter is viewing")).to_be_visible()
        expect(rosa.locator("[data-announce]")).to_have_text("Ben Carter is viewing")
        ben.get_by_label("Reply to Amina's phone").fill("Of course, bring her along")
        expect(rosa.locator(".top .here")).to_have_text("Ben Carter is writing")
        kit.check(rosa)

        # A text comes in: it appears for who only reads; who writes keeps their words and is told.
        walk.scene.type(day.CHANGE.number, "And my daughter?")
        expect(rosa.locator(".thread").get_by_text("And my daughter?")).to_be_visible()
        expect(ben.get_by_role("link", name="The conversation has gone on. Show it")).to_be_visible()
        expect(ben.get_by_label("Reply to Amina's phone")).to_have_value("Of course, bring her along")

        # Ben takes it: Rosa is told at once. Then he goes away, and is no longer said to be here.
        ben.get_by_role("button", name="Take it").click()
        expect(rosa.locator("[data-toast]")).to_have_text("Ben Carter took it just now.")
        expect(rosa.locator(".top .sub")).to_contain_text("Ben Carter has it")
        ben.goto(f"{walk.scene.service}/preferences")
        expect(rosa.locator(".top .here")).to_have_text("", timeout=within(15))


def test_a_new_item_is_there_within_two_seconds_and_nothing_under_the_hands_moves(
    browser: Browser, walk: Walk
) -> None:
    walk.scene.type(day.STOP.number, "Is there parking?")
    with at(browser, walk, BEN) as page:
        page.goto(f"{walk.scene.service}/inbox?view=everyone")
        row = page.locator(".row", has_text="Devon K.")
        row.wait_for()
        row.focus()
        row.evaluate("one => { one.kept = true; document.querySelector('.me').open = true; }")
        walk.scene.type(day.CRISIS.number, "I can't go on")
        walk.scene.received(day.CRISIS.number, "988")
        expect(page.locator(".row", has_text="Joy A.")).to_be_visible(timeout=within(4))
        assert row.evaluate("one => one.kept && one === document.activeElement")
        expect(page.locator(".me")).to_have_attribute("open", "")
        expect(page).to_have_title(re.compile(r"^\(\d+\) "))


def test_who_wants_to_is_told_on_their_computer_without_a_name_or_a_word(
    browser: Browser, walk: Walk
) -> None:
    with at(browser, walk, ROSA, AWAY) as page:
        page.locator(".me summary").click()
        page.get_by_role("button", name="Tell me on this computer").click()
        expect(page.get_by_role("button", name="Stop telling me on this computer")).to_be_visible()
        walk.scene.type(day.SPANISH.number, "Ya no quiero vivir")
        page.wait_for_function("window.told.length > 0")
        told = page.evaluate("window.told[0]")
        assert told == {"body": "A safety item waits", "tag": "warmthread-safety", "renotify": True}
        page.get_by_role("button", name="Stop telling me on this computer").click()
        expect(page.get_by_role("button", name="Tell me on this computer", exact=True)).to_be_visible()


def test_a_page_that_has_lost_its_way_says_since_when(browser: Browser, walk: Walk) -> None:
    with at(browser, walk, ROSA) as page:
        page.context.set_offline(True)
        expect(page.locator("[data-offline]")).to_be_visible(timeout=within(20))
        assert re.search(r"Not up to date since \d+:\d\d", page.locator("[data-offline]").inner_text())
        kit.check(page)
        page.context.set_offline(False)
        expect(page.locator("[data-offline]")).to_be_hidden(timeout=within(20))


def sign_out_elsewhere(inside: BrowserContext, walk: Walk) -> Page:
    other = inside.new_page()
    other.goto(f"{walk.scene.service}/preferences")
    other.locator(".me summary").click()
    other.get_by_role("button", name="Sign out").click()
    other.get_by_role("heading").first.wait_for()
    return other


def test_being_signed_out_takes_the_page_away_but_never_what_was_being_written(
    browser: Browser, walk: Walk
) -> None:
    walk.scene.type(day.YES.number, "Where do I park?")
    with at(browser, walk, BEN) as page:
        page.goto(f"{walk.scene.service}/inbox?view=everyone")
        page.locator(".row", has_text="Marcus W.").wait_for()
        open_case(page, walk, "Marcus W.")
        box = page.get_by_label("Reply to Marcus's phone")
        box.fill("Behind the building, and")
        other = sign_out_elsewhere(page.context, walk)
        expect(page.locator("[data-ended]")).to_be_visible()
        expect(box).to_have_value("Behind the building, and")
        expect(page.locator(".said")).to_be_hidden()
        kit.check(page)
        other.close()
        again = kit.sign_in(page.context, walk, BEN)
        again.close()
        expect(page.locator("[data-ended]")).to_be_hidden(timeout=within(20))
        expect(page.locator(".said")).to_be_visible()
        expect(box).to_have_value("Behind the building, and")
        box.fill("")
        sign_out_elsewhere(page.context, walk).close()
        page.wait_for_url("**/signin*")
