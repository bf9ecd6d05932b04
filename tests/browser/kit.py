"""What the stories and the screenshots share: a phone, a colleague who signs in, and the rules of accessibility."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.waiting import PATIENCE

# What a page may take on a busy machine, in milliseconds: how fast it is, no test here says.
PATIENCE_MS = PATIENCE * 1000
# What a snooze offers first: from three to four by the clinic's clock, four o'clock is nearer than in an hour.
NEAREST_SNOOZE = re.compile("In 1 hour|This afternoon")
PHONE, DESK = (360, 740), (1440, 900)
_AXE = Axe()
# One copy of axe for each page, and of what it finds only what is wrong: both are long to send.
_THERE = "() => Boolean(window.axe)"
_LOAD = "source => (0, eval)(source)"
_VIOLATIONS = "only => axe.run({ resultTypes: ['violations'], ...only }).then(found => found.violations)"
_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_SAME_IDS = """(() => { const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
return ids.filter((id, at) => ids.indexOf(id) < at) })()"""


def context(browser: Browser, size: tuple[int, int], *, script: bool = True, dark: bool = False) -> BrowserContext:
    """A browser nobody has used yet, `size` in CSS pixels wide and high."""
    made = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=script,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-US",
    )
    made.set_default_timeout(PATIENCE_MS)
    return made


class Keys:
    """The keyboard of a page whose words may be seen before its scripts listen: they are waited for."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, key: str) -> None:
        self.page.wait_for_load_state()
        self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        self.page.wait_for_load_state()
        self.page.keyboard.type(words)


def check(page: Page, *, colours_only: bool = False) -> None:
    """Assert that the page breaks no rule that axe can check, and is nowhere wider than the screen.

    `colours_only` is for a page that was checked and has changed nothing but its colours.
    """
    page.wait_for_load_state()  # with its style sheets: without them it may be wider
    if not page.evaluate(_THERE):
        page.evaluate(_LOAD, _AXE.axe_script)
    violations = page.evaluate(_VIOLATIONS, _COLOURS if colours_only else {})
    described = [
        f"{violation['id']} ({violation['impact']}): {[node['html'][:160] for node in violation['nodes']]}"
        for violation in violations
    ]
    assert not described, f"{page.url}: {described}"
    assert page.evaluate(_SAME_IDS) == [], f"{page.url}: a label or a link would lead to the wrong one of two"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.url} is too wide"


def check_as(page: Page, twin: Page) -> None:
    """Check a page without script, where axe cannot run, by its twin: the same visit at the same address."""
    twin.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    twin.goto(page.url)
    check(twin)


def sign_in(inside: BrowserContext, walk: Walk, colleague: day.Colleague) -> Page:
    """A colleague's page after they pressed the button of a fresh one-time link."""
    words = ("--name", colleague.name, "--email", colleague.email, "--once")
    page = inside.new_page()
    page.goto(walk.scene.command("staff", "invite", *words)[0]["link"] + "?next=/inbox")
    check(page)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/inbox*")
    return page


def form_link(walk: Walk, patient: day.Visitor) -> str:
    """The address of the questions in the text that a patient got."""
    link = re.search(r"https?://\S+/i/[\w-]+", walk.scene.received(patient.number, "/i/"))
    assert link is not None
    return link.group()


def say_birth_date(page: Page, patient: day.Visitor) -> None:
    """Fill in the patient's birth date and go on."""
    year, month, born = patient.birth.split("-")
    for label, value in (("Month", month), ("Day", born), ("Year", year)):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Continue").click()


def answer(page: Page, words: str) -> None:
    """Choose an answer and go on."""
    page.get_by_label(words, exact=True).check()
    page.get_by_role("button", name="Continue").click()
