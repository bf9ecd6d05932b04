"""After an act: what was done is in sight and can be taken back, and the page stands where it stood."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from messaging.inbox.models import InboxItem
from messaging.models import Staff
from tests.browser import kit
from tests.browser.place import Served, a_reply, at

pytestmark = pytest.mark.xdist_group("browser")
TOAST = ".toasts .notice"


@pytest.fixture(scope="module")
def rosa(served: Served) -> Staff:
    return served[0].staff()


def a_long_talk(served: Served, name: str, **facts: object) -> InboxItem:
    """A reply below so many texts that their conversation is longer than any screen."""
    house = served[0]
    patient, item = a_reply(house, name, "Is there parking?", **facts)
    for number in range(30):
        house.text_from(patient, f"Line {number} of a long story")
    return item


def in_sight(page: Page, what: Locator) -> bool:
    """Whether all of `what` lies on the screen as the page is scrolled."""
    expect(what).to_be_visible()
    box, size = what.bounding_box(), page.viewport_size
    assert box is not None
    assert size is not None
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def test_after_a_text_is_sent_the_page_stands_where_it_stood_and_says_so(
    browser: Browser, served: Served, rosa: Staff, unhurried: None
) -> None:
    item = a_long_talk(served, "Devon", owner_id=rosa.id)
    with at(browser, served, rosa) as page:
        page.goto(f"{served[1]}/inbox/{item.id}?view=everyone")
        page.get_by_label("Reply to Devon's phone").fill("Yes, behind the building.")
        page.get_by_role("button", name="Send and wait").click()
        expect(page.locator(TOAST)).to_contain_text("Your text is on its way.")
        assert in_sight(page, page.locator(TOAST))
        assert in_sight(page, page.locator(".msg.out").last)
        expect(page.get_by_role("button", name="Send and wait")).to_be_focused()
        kit.check(page)


def test_what_was_settled_is_taken_back_by_a_key(
    browser: Browser, served: Served, rosa: Staff, unhurried: None
) -> None:
    item = a_long_talk(served, "Amina", owner_id=rosa.id)
    with at(browser, served, rosa) as page:
        page.goto(f"{served[1]}/inbox/{item.id}?view=everyone")
        page.locator(".said").evaluate("said => said.scrollTo(0, 200)")
        either = page.get_by_role("button", name="Assign to me")
        either.or_(page.get_by_role("button", name="Resolve", exact=True)).click()
        expect(page.get_by_text("Resolved by")).to_be_visible()
        assert in_sight(page, page.locator(TOAST))
        kit.Keys(page).press("z")
        expect(page.locator(TOAST)).to_contain_text("Taken back.")
        assert in_sight(page, page.locator(TOAST))
    assert served[0].read(InboxItem, item.id).state == "open"


def test_a_note_is_struck_again_by_the_same_key(browser: Browser, served: Served, rosa: Staff, unhurried: None) -> None:
    item = a_long_talk(served, "Joy", owner_id=rosa.id)
    with at(browser, served, rosa) as page:
        page.goto(f"{served[1]}/inbox/{item.id}?view=everyone")
        kit.Keys(page).press("n")
        kit.Keys(page).type("Her sister drives her.")
        page.get_by_role("button", name="Save note").click()
        expect(page.locator(".noted")).to_contain_text("Her sister drives her.")
        assert in_sight(page, page.locator(TOAST))
        kit.Keys(page).press("z")
        expect(page.locator(".noted.struck")).to_contain_text("Her sister drives her.")


@pytest.fixture(params=[kit.DESK, (390, 844)], ids=["desk", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param


def test_without_script_what_was_done_stands_on_top_of_what_is_seen(
    browser: Browser, served: Served, rosa: Staff, unhurried: None, size: tuple[int, int]
) -> None:
    item = a_long_talk(served, "Walter", owner_id=rosa.id)
    with at(browser, served, rosa, script=False, size=size) as page:
        page.goto(f"{served[1]}/inbox/{item.id}?view=everyone")
        page.get_by_label("Reply to Walter's phone").fill("Yes, behind the building.")
        page.get_by_role("button", name="Send and wait").click()
        expect(page.locator(TOAST)).to_contain_text("Your text is on its way.")
        assert in_sight(page, page.locator(TOAST))
        page.mouse.wheel(0, 4000)
        box = page.locator(TOAST).bounding_box()
        assert box is not None
        assert box["y"] == 0
        # What is refused leads to the words, which are still there.
        page.get_by_label("Reply to Walter's phone").fill("Your depression score was 14")
        page.get_by_role("button", name="Send and wait").click()
        expect(page.get_by_label(re.compile("Reply to Walter's phone"))).to_be_focused()
        assert in_sight(page, page.get_by_label(re.compile("Reply to Walter's phone")))


def test_on_a_phone_the_toast_leaves_room_for_the_bar_below(
    browser: Browser, served: Served, rosa: Staff, unhurried: None
) -> None:
    item = a_long_talk(served, "Nadia", owner_id=rosa.id)
    with at(browser, served, rosa, size=(390, 844)) as page:
        page.goto(f"{served[1]}/inbox/{item.id}?view=everyone")
        page.get_by_role("button", name="Resolve", exact=True).click()
        page.locator(TOAST).wait_for()
        page.evaluate("document.documentElement.style.setProperty('--bottom-bar', '56px')")
        box = page.locator(TOAST).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844 - 56
        expect(page.get_by_role("heading", name="Nadia Quintana", level=1)).to_be_focused()
        kit.check(page)
