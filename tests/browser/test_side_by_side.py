"""Two browsers side by side: who takes a case, who answers it, and where the words go that somebody had begun."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from config import db
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from tests.browser import kit
from tests.browser.place import Served, a_reply, at, enter

pytestmark = pytest.mark.xdist_group("browser")
WHOSE = re.compile("Assigned to you|Assigned to")


@pytest.fixture(scope="module")
def rosa_(served: Served) -> Staff:
    return served[0].staff()


@pytest.fixture(scope="module")
def ben_(served: Served) -> Staff:
    return served[0].staff("Ben Carter")


def case_of(served: Served, item: InboxItem) -> str:
    return f"{served[1]}/inbox/{item.id}?view=everyone"


def hear_nothing(page: Page) -> None:
    """What happens elsewhere no longer reaches the page by itself, as on a slow line."""
    page.route("**/inbox/poll**", lambda route: route.abort())


def test_who_comes_second_is_told_who_took_it(browser: Browser, served: Served, rosa_: Staff, ben_: Staff) -> None:
    _, item = a_reply(served[0], "Amina", "Can I bring my sister?")
    with at(browser, served, rosa_) as rosa, at(browser, served, ben_) as ben:
        hear_nothing(ben)
        for page in (rosa, ben):
            page.goto(case_of(served, item))
        rosa.get_by_role("button", name="Assign to me").click()
        expect(rosa.get_by_text("Assigned to you.")).to_be_visible()
        ben.get_by_role("button", name="Assign to me").click()
        expect(ben.locator(".problem")).to_have_text(
            re.compile(r"Assigned to Rosa Delgado (just now|\d+ s ago)\. This is how it stands now\.")
        )
        expect(ben.locator(".top .sub")).to_contain_text("Rosa Delgado has it")
        kit.check(ben)
    assert served[0].read(InboxItem, item.id).owner_id == rosa_.id


def test_of_two_who_press_at_the_same_moment_one_has_it_and_the_other_knows(
    browser: Browser, served: Served, rosa_: Staff, ben_: Staff
) -> None:
    _, item = a_reply(served[0], "Marcus", "Is there parking?")
    press = (
        "moment => setTimeout(() => document.querySelector('form[action$=\"/claim\"] button').click(), "
        "moment - Date.now())"
    )
    with at(browser, served, rosa_) as rosa, at(browser, served, ben_) as ben:
        for page in (rosa, ben):
            hear_nothing(page)
            page.goto(case_of(served, item))
        moment = rosa.evaluate("Date.now() + 800")
        for page in (rosa, ben):
            page.evaluate(press, moment)
        won, lost = [], []
        for page in (rosa, ben):  # counted at once: a notice goes by itself
            expect(page.locator(".notice, .problem").get_by_text(WHOSE)).to_be_visible()
            won.append(page.get_by_text("Assigned to you.").count())
            lost.append(page.locator(".problem").count())
    assert sorted(won) == [0, 1]
    assert lost == won[::-1]
    assert served[0].read(InboxItem, item.id).owner_id == (rosa_ if won[0] else ben_).id


def test_a_reply_is_held_back_when_somebody_has_just_answered_and_goes_out_after_a_look(
    browser: Browser, served: Served, rosa_: Staff, ben_: Staff
) -> None:
    _, item = a_reply(served[0], "Devon", "Can I come at four?")
    box = "Reply to Devon's phone"
    with at(browser, served, rosa_) as rosa, at(browser, served, ben_) as ben:
        hear_nothing(ben)
        for page in (rosa, ben):
            page.goto(case_of(served, item))
        ben.get_by_label(box).fill("Four is fine")
        rosa.get_by_label(box).fill("Half past four would be better")
        rosa.get_by_role("button", name="Send and wait").click()
        expect(rosa.get_by_text("Your text is on its way.")).to_be_visible()
        ben.get_by_role("button", name="Send and wait").click()
        expect(ben.locator(".problem")).to_contain_text("Rosa Delgado answered while you were writing.")
        expect(ben.locator(".theirs")).to_contain_text("Half past four would be better")
        expect(ben.get_by_label(re.compile(box))).to_have_value("Four is fine")
        kit.check(ben)
        assert said(ben) == ["Can I come at four?", "Half past four would be better"]
        ben.get_by_label(re.compile(box)).fill("Either is fine")
        ben.get_by_role("button", name="Send mine as well").click()
        expect(ben.get_by_text("Your text is on its way.")).to_be_visible()
        assert said(ben) == ["Can I come at four?", "Half past four would be better", "Either is fine"]
        expect(ben.get_by_label(box)).to_have_value("")


def said(page: Page) -> list[str]:
    """The texts of the conversation that the page shows."""
    return page.locator(".said .thread:not(.planned) .msg > p").all_inner_texts()


def test_what_was_begun_outlives_a_new_owner_a_sign_out_and_a_browser_that_dies(
    browser: Browser, served: Served, rosa_: Staff, ben_: Staff
) -> None:
    house, _ = served
    _, item = a_reply(house, "Joy", "Where do I go?", owner_id=rosa_.id)
    words, label = "Take the second door on the left, and then", "Reply to Joy's phone"
    with at(browser, served, rosa_) as page:
        page.goto(case_of(served, item))
        page.get_by_label(label).press_sequentially(words)
        expect(page.locator("[data-kept]")).to_contain_text("draft kept")
        with db.unit_of_work(house.clinic.id) as session:
            held = session.get_one(InboxItem, item.id)
            items.hand_over(session, held, session.merge(rosa_, load=False), session.merge(ben_, load=False))
        expect(page.locator(".top .sub")).to_contain_text("Ben Carter has it")
        expect(page.get_by_label(label)).to_have_value(words)
        page.locator(".me summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/signin*")
        enter(page, served, rosa_)
        page.goto(case_of(served, item))
        expect(page.get_by_label(label)).to_have_value(words)
        # Typed a moment before the page is left: the words leave with it.
        page.get_by_label(label).press_sequentially(" up")
        page.goto(f"{served[1]}/preferences")
    with at(browser, served, ben_) as page:
        page.goto(case_of(served, item))
        expect(page.get_by_label(label)).to_have_value("")  # a draft is its author's
    with at(browser, served, rosa_) as page:
        page.goto(f"{served[1]}/inbox?view=everyone")
        expect(page.locator(".row", has_text="Joy").get_by_text("your draft waits")).to_be_visible()
        page.goto(case_of(served, item))
        expect(page.get_by_label(label)).to_have_value(f"{words} up")
        page.get_by_label(label).fill("")
        expect(page.locator("[data-kept]")).to_have_text("")
