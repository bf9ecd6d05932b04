"""A morning's triage on the page a care manager works from: what is open by itself, what is new, and how many keys."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import func, select

from config import audit, db
from messaging.inbox.models import InboxItem
from messaging.models import Staff
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.web.conftest import House

pytestmark = pytest.mark.xdist_group("browser")
PRESSES = 60
ANSWERED = ("Ada", "Amina", "Ben", "Carla", "Devon", "Elena", "Farid", "Grace")
READ = ("Hanna", "Ivan", "Jonas", "Kemi")


class Counted(kit.Keys):
    """The keyboard, and how often it was pressed beside the words that were typed."""

    presses = 0

    def press(self, key: str) -> None:
        super().press(key)
        self.presses += 1


def case_of(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=f"{name} Quintana", level=1)).to_be_visible()


def fifteen(house: House, rosa: Staff) -> list[InboxItem]:
    """Fifteen items of a morning: safety and a screen, replies to answer and to read, a text that failed."""
    kinds = {"Zoe": "safety", "Yara": "screen", "Xena": "delivery"}
    words = {"Zoe": "I can't go on", "Yara": "Positive screen on the PHQ-9", "Xena": "A text did not arrive"}
    names = ("Zoe", "Yara", *ANSWERED, *READ, "Xena")
    return [
        a_reply(house, name, words.get(name, "Can I come at four?"), kind=kinds.get(name, "reply"), owner_id=rosa.id)[1]
        for name in names
    ]


def acknowledge(keys: Counted) -> None:
    keys.press("a")
    keys.press("ArrowDown")
    expect(keys.page.get_by_label("Reached by phone")).to_be_checked()
    keys.press("Enter")
    expect(keys.page.get_by_text("Acknowledged by Rosa Delgado")).to_be_visible()


def test_fifteen_mixed_items_take_at_most_sixty_keys(browser: Browser, served: Served, unhurried: None) -> None:
    house, _ = served
    rosa = house.staff()
    morning = fifteen(house, rosa)
    with at(browser, served, rosa) as page:
        keys = Counted(page)
        for name in ("Zoe", "Yara"):
            case_of(page, name)
            acknowledge(keys)
            keys.press("e")
        for name in ANSWERED:
            case_of(page, name)
            keys.press("r")
            keys.type("Yes, four is fine.")
            keys.press("Control+Enter")
        for name in READ:
            case_of(page, name)
            keys.press("e")
        case_of(page, "Xena")
        keys.press("e")
        expect(page.locator(".toasts .notice")).to_contain_text("Xena Q. is resolved.")
        assert keys.presses <= PRESSES, keys.presses
        print(f"\n15 items: {keys.presses} keys beside the words")
    assert {house.read(InboxItem, item.id).state for item in morning} == {"done"}


def test_snooze_a_task_done_and_handing_on_land_on_the_next_with_a_way_back(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    rosa, _ = house.staff(), house.staff("Ben Okafor")
    _, slept = a_reply(house, "Ada", "Can I come at four?", owner_id=rosa.id)
    _, handed = a_reply(house, "Ben", "Can I come at five?", owner_id=rosa.id)
    with at(browser, served, rosa) as page:
        keys = kit.Keys(page)
        page.goto(f"{service}/tasks")
        page.get_by_label("What is to be done").fill("Call the pharmacy")
        page.get_by_label("Until when").select_option(index=1)
        page.get_by_role("button", name="Make the task").click()
        page.goto(f"{service}/inbox?view=mine")
        expect(page.locator(".asked")).to_be_visible()
        keys.press("e")
        case_of(page, "Ada")
        notice = page.locator(".toasts .notice")
        expect(notice).to_contain_text("Closed, with what came of it. This is the next one.")
        keys.press("s")
        keys.press("Enter")
        case_of(page, "Ben")
        expect(notice).to_contain_text("Ada Q. is snoozed until")
        keys.press("z")
        case_of(page, "Ada")
        expect(notice).to_contain_text("Taken back")
        keys.press("s")
        keys.press("Enter")
        case_of(page, "Ben")
        keys.press("h")
        page.get_by_label("Who takes it, with its clock").select_option(label="Ben Okafor")
        page.get_by_role("button", name="Reassign", exact=True).click()
        expect(notice).to_contain_text(
            "Ben Q. is reassigned, and stands in their list now. That was the last one here."
        )
        expect(page.locator("main[data-item]")).to_have_count(0)
        kit.check(page)
    assert house.read(InboxItem, slept.id).state == "snoozed"
    assert house.read(InboxItem, handed.id).owner_id != rosa.id


def test_on_a_wide_screen_the_first_is_open_by_itself_and_on_a_phone_the_list_stays(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    ines = house.staff("Ines Moreau")
    _, first = a_reply(house, "Lena", "When do you open?", owner_id=ines.id)
    a_reply(house, "Milo", "Thank you", owner_id=ines.id)
    with at(browser, served, ines, size=(390, 844)) as page:
        expect(page.get_by_role("heading", name="My items", level=1)).to_be_visible()
        expect(page.locator(".row.unread")).to_have_count(2)
        expect(page.locator("main[data-item]")).to_have_count(0)
        kit.check(page)
    assert opened(house, first) == 0
    with at(browser, served, ines) as page:
        case_of(page, "Lena")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        # What is new is said, and not by colour alone; what was opened is no longer new.
        expect(page.locator(".row", has_text="Milo")).to_have_accessible_name(re.compile(r"^Milo Q\.\s+unread\b"))
        expect(page.locator(".row", has_text="Lena")).to_have_accessible_name(re.compile(r"^Lena Q. \d h( \d\d)? left"))
        kit.Keys(page).press("u")
        expect(page.locator("main[data-item]")).to_have_count(0)
        expect(page.locator(".row", has_text="Lena")).to_be_focused()
        page.goto(f"{service}/inbox?view=everyone")
        page.locator("main[data-item]").wait_for()
    assert opened(house, first) >= 1
    assert house.read(InboxItem, first.id).state == "open"


def opened(house: House, item: InboxItem) -> int:
    """How often the record says that a case was opened."""
    about = select(func.count()).where(
        audit.AuditEntry.act == "case.opened", audit.AuditEntry.about == f"inbox_item:{item.id}"
    )
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(about) or 0


def test_a_case_has_all_its_buttons_on_one_line_and_three_ways_to_write(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    sam = house.staff("Sam Fields")
    _, item = a_reply(house, "Priya", "Is there parking?", owner_id=sam.id)
    with at(browser, served, sam) as page:
        page.goto(f"{service}/inbox/{item.id}")
        for bar in (".need .acts", ".write .send"):
            tops = page.locator(bar).locator("button:visible, .button:visible")
            middles = {
                round(box["y"] + box["height"] / 2) for box in (button.bounding_box() for button in tops.all()) if box
            }
            assert len(middles) == 1, (bar, middles)
        keys = kit.Keys(page)
        keys.press("Tab")
        expect(page.get_by_role("link", name="Skip to the case")).to_be_focused()
        keys.press("Tab")
        keys.press("Enter")
        assert page.url.endswith("#write")
        page.evaluate("document.activeElement.blur()")
        keys.press("r")
        keys.type("I will")
        keys.press("Escape")
        page.evaluate("document.activeElement.blur()")
        keys.press("n")
        expect(page.get_by_label("Note never sent to anybody")).to_be_focused()
        expect(page.get_by_label("Reply to Priya's phone")).to_be_hidden()
        kit.check(page)
        keys.type("Comes by car")
        keys.press("Control+Enter")
        expect(page.locator(".noted")).to_contain_text("Comes by car")
        keys.press("l")
        expect(page.get_by_role("button", name="Reached", exact=True)).to_be_focused()
        kit.check(page)
        keys.press("Enter")
        expect(page.locator(".follow")).to_contain_text("Reached")
        expect(page.get_by_label("Reply to Priya's phone")).to_have_value("I will")  # kept as a draft meanwhile


def test_a_call_that_cannot_be_kept_stands_as_it_was_typed_without_script(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    dana = house.staff("Dana Wu")
    _, item = a_reply(house, "Omar", "Please call me", owner_id=dana.id)
    with at(browser, served, dana, script=False) as page:
        page.goto(f"{service}/inbox/{item.id}")
        page.locator(".tab.call > summary").click()
        page.get_by_text("With minutes, words or the next try").click()
        page.get_by_label("Minutes").fill("x")
        page.get_by_label("Words never sent").fill("He asked for a list of groups.")
        page.get_by_role("button", name="Reached", exact=True).click()
        expect(page.locator("p.problem")).to_be_visible()
        expect(page.get_by_label("Minutes")).to_have_value("x")
        expect(page.get_by_label("Words never sent")).to_have_value("He asked for a list of groups.")


def test_a_key_with_nothing_to_press_says_so_aloud_and_presses_nothing(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, _ = served
    rosa = house.staff()
    _, item = a_reply(house, "Lena", "Can I come at four?", owner_id=rosa.id)
    with at(browser, served, rosa) as page:
        case_of(page, "Lena")
        keys = kit.Keys(page)
        keys.press("a")
        expect(page.get_by_role("status").filter(has_text="“a” does nothing on this case")).to_be_visible()
        kit.check(page)
        keys.press("q")
        expect(page.locator("#no-key")).to_have_count(1)
    assert house.read(InboxItem, item.id).state == "open"
