"""Alarms that cannot be missed, as people meet them: two desks, a crisis that nobody answers, and what comes of it."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from config import clock, db
from messaging.inbox.models import InboxItem, Told
from messaging.models import Staff
from messaging.team import board
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, a_reply, at, serving
from tests.web.boards.test_unreached import visit
from tests.web.conftest import House

pytestmark = pytest.mark.xdist_group("browser")
# As if the reader were in another window, had allowed notices and sound, and the computer had a loudspeaker we can see.
ALLOWED = """
document.hasFocus = () => false;
localStorage.setItem("wt_tell", "on");
localStorage.setItem("wt_sound", "on");
window.Notification = class extends EventTarget {
  static permission = "granted";
  constructor(title, options) { super(); document.documentElement.dataset.told = JSON.stringify(options); }
};
const made = AudioContext;
window.AudioContext = class extends made {
  constructor() { super(); const { dataset } = document.documentElement; dataset.rang = 1 + Number(dataset.rang ?? 0); }
};
"""


@pytest.fixture
def served(tmp_path: Path, valkey: ValkeyServer) -> Iterator[Served]:
    with serving(tmp_path, valkey) as place:
        yield place


def crisis(house: House, owner: Staff, name: str = "Joy", late: int = 13, **facts: Any) -> InboxItem:
    """Somebody's words of a crisis, `late` minutes after their time."""
    answer_by = clock.now() - timedelta(minutes=late, seconds=20)
    return a_reply(house, name, "I can't go on", "safety", owner_id=owner.id, answer_by=answer_by, **facts)[1]


def escalate(house: House, item: InboxItem, to: Staff) -> None:
    """Bring an item before a colleague, as the escalation does."""
    with db.unit_of_work(house.clinic.id) as session:
        session.get_one(InboxItem, item.id).escalated_at = clock.now()
        session.add(Told(clinic_id=house.clinic.id, item_id=item.id, staff_id=to.id, at=clock.now()))


def mine(page: Page) -> Any:
    return page.locator(".views a", has_text="My items")


def test_what_came_to_me_stands_on_top_until_my_colleague_acknowledges(browser: Browser, served: Served) -> None:
    house, service = served
    rosa_, ben_ = house.staff(), house.staff("Ben Carter")
    item = crisis(house, ben_)
    a_reply(house, "Devon", "Is there parking?", owner_id=rosa_.id)
    with at(browser, served, rosa_) as rosa, at(browser, served, ben_) as ben:
        expect(rosa.locator(".list .row")).to_have_count(1)
        escalate(house, item, rosa_)  # it comes by itself
        first = rosa.locator(".list .row").first
        expect(first).to_contain_text("Joy Q.")
        expect(first.locator(".came")).to_contain_text(
            re.compile(r"came to you at \d+:\d\d [AP]M, Ben has not answered")
        )
        expect(mine(rosa).locator(".came")).to_contain_text("1")
        kit.check(rosa)
        ben.goto(f"{service}/inbox/{item.id}?view=mine")
        ben.locator("#outcome > summary").click()
        ben.get_by_label("Met in person").check()
        ben.get_by_role("button", name="Acknowledge").click()
        expect(ben.get_by_text("In progress. Acknowledged by Ben Carter")).to_be_visible()
        expect(rosa.locator(".list .row")).to_have_count(1)
        expect(mine(rosa).locator(".came")).to_have_count(0)
        # It stays in its owner's list, below, and nobody is said to wait for the patient.
        expect(ben.locator(".list .row", has_text="Joy Q.")).to_contain_text("in progress")
        ben.goto(f"{service}/inbox?view=waiting")
        expect(ben.locator(".list .row")).to_have_count(0)


def test_a_missed_deadline_is_on_every_page_is_heard_and_goes_by_an_acknowledgement_alone(
    browser: Browser, served: Served
) -> None:
    house, service = served
    rosa_, ben_ = house.staff(), house.staff("Ben Carter")
    with at(browser, served, rosa_, ALLOWED) as rosa, at(browser, served, ben_) as ben:
        rosa.goto(f"{service}/patients")
        expect(rosa.locator(".alarms")).to_have_count(0)
        item = crisis(house, ben_)
        bar = rosa.locator(".alarms li.loud")
        expect(bar).to_contain_text("J. Q.")  # without a reload
        expect(bar).to_contain_text("Ben Carter has not answered")
        expect(rosa.locator("html")).to_have_attribute("data-rang", "1")
        told = json.loads(rosa.locator("html").get_attribute("data-told") or "{}")
        assert told["body"] == "Nobody has answered a safety item"
        kit.check(rosa)
        for size in (kit.PHONE, (320, 568)):
            rosa.set_viewport_size({"width": size[0], "height": size[1]})
            kit.check(rosa)
        rosa.set_viewport_size({"width": kit.DESK[0], "height": kit.DESK[1]})
        bar.get_by_role("button", name="Assign to me").click()
        rosa.wait_for_url("**/inbox/**")
        expect(rosa.locator(".alarms li.loud")).to_contain_text("you have not answered")
        # Who is on it turns it into that, on both desks; nothing is acknowledged.
        rosa.get_by_role("button", name="I'm calling").click()
        expect(rosa.locator(".alarms li.held")).to_contain_text(
            re.compile(r"You are on it until (tomorrow )?\d+:\d\d [AP]M: calling")
        )
        ben.goto(f"{service}/handoffs")
        expect(ben.locator(".alarms li.held")).to_contain_text("Rosa Delgado is on it until")
        assert house.read(InboxItem, item.id).acknowledged_at is None
        rosa.get_by_role("button", name="Undo").click()
        expect(ben.locator(".alarms li.loud")).to_be_visible()
        rosa.locator("#outcome > summary").click()
        rosa.get_by_label("Reached by phone").check()
        rosa.get_by_role("button", name="Acknowledge").click()
        expect(rosa.locator(".alarms")).to_have_count(0)
        expect(ben.locator(".alarms")).to_have_count(0)


def test_a_screen_reader_is_told_each_alarm_once(browser: Browser, served: Served) -> None:
    house, service = served
    rosa_, ben_ = house.staff(), house.staff("Ben Carter")
    with at(browser, served, rosa_) as rosa:
        rosa.goto(f"{service}/patients")
        alert = rosa.locator("[data-alert]")
        expect(alert).to_be_empty()
        crisis(house, ben_)
        expect(alert).to_have_text(
            re.compile("Patient safety: J. Q., 13 min past its time, Ben Carter has not answered")
        )
        kit.check(rosa)
        crisis(house, ben_, "Ana", late=5)
        expect(alert).to_have_text(
            re.compile("^Patient safety: A. Q., 5 min past its time, Ben Carter has not answered")
        )
        for page in ("/patients", "/handoffs"):
            rosa.goto(f"{service}{page}")
            rosa.wait_for_load_state()
            expect(rosa.locator(".alarms li.loud")).to_have_count(2)
            expect(alert).to_be_empty()


def test_the_bar_stands_without_script_too(browser: Browser, served: Served) -> None:
    house, service = served
    rosa = house.staff()
    item = crisis(house, house.staff("Ben Carter"))
    with at(browser, served, rosa, script=False) as page, at(browser, served, rosa) as twin:
        page.goto(f"{service}/preferences")
        expect(page.locator(".alarms li.loud")).to_contain_text("min past its time")
        kit.check_as(page, twin)
        page.locator(".alarms").get_by_role("link", name="Open").click()
        expect(page.get_by_role("heading", name="Joy Quintana", level=1)).to_be_visible()
        page.locator("#outcome > summary").click()  # beside the call
        page.get_by_label("Assessed: safety plan made").check()
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator("#refused")).to_contain_text("An assessment says in a note what it rests on")
        expect(page.get_by_label("Assessed: safety plan made")).to_be_checked()
        page.locator("#outcome-words").fill("Her sister stays with her tonight.")
        page.locator("#next").select_option("2_hours")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text("In progress. Acknowledged by Rosa Delgado")).to_be_visible()
        expect(page.locator(".thread .noted")).to_contain_text("Her sister stays with her tonight.")
    assert house.read(InboxItem, item.id).disposition == "assessed_plan"


def test_no_letter_chooses_an_outcome_and_a_call_opens_it(browser: Browser, served: Served) -> None:
    house, service = served
    rosa = house.staff()
    item = crisis(house, rosa, late=-9)
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/inbox/{item.id}")
        call = page.locator(".acts .call")
        expect(call).to_have_class(re.compile("main"))
        expect(page.locator(".need button.main:visible, .need a.main:visible")).to_have_count(1)
        page.evaluate(
            "addEventListener('click', event => event.target.closest('[href^=tel]') && event.preventDefault())"
        )
        call.click()
        expect(page.locator("#outcome")).to_have_attribute("open", "")
        page.reload()
        keys = kit.Keys(page)
        keys.press("a")
        expect(page.get_by_label("Reached by phone")).to_be_focused()
        for letter in "aaassecch":
            keys.press(letter)
        expect(page.locator("[name=disposition]:checked")).to_have_count(0)
        assert house.read(InboxItem, item.id).acknowledged_at is None
        keys.press("Space")
        expect(page.get_by_label("Reached by phone")).to_be_checked()
        kit.check(page)
        for card in page.locator(".cards .choice span").all():
            assert card.evaluate("words => words.scrollWidth <= words.clientWidth + 1")


def test_one_patient_is_one_row_and_what_comes_in_meanwhile_is_not_acknowledged(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    rosa = house.staff()
    item = crisis(house, rosa)
    about = {"patient_id": item.patient_id, "conversation_id": item.conversation_id, "owner_id": rosa.id}
    screen = house.item("screen", summary="PHQ-9 17, moderately severe", **about)
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/inbox/{item.id}")
        expect(page.locator(".list .row")).to_have_count(1)
        expect(page.locator(".list .row .also")).to_contain_text("PHQ-9 17")
        expect(page.locator(".reasons li")).to_have_count(2)
        page.locator("#outcome > summary").click()
        page.get_by_label("Reached by phone").check()
        later = house.item("safety", summary="please", **about)
        expect(page.locator(".list .row .also")).to_have_count(2)  # what is open stays as it was read
        page.get_by_role("button", name="Acknowledge all 2").click()
        expect(page.get_by_text("Something more came in meanwhile")).to_be_visible()
        page.get_by_role("button", name="Undo").focus()  # whoever is about to press it keeps it
        page.wait_for_url(f"**/inbox/{later.id}*")
        stands = [house.read(InboxItem, each.id).acknowledged_at is not None for each in (item, screen, later)]
        assert stands == [True, True, False]
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_text("Everything is as it was")).to_be_visible()
        assert house.read(InboxItem, screen.id).acknowledged_at is None
        kit.check(page)


def test_a_snooze_begins_with_the_nearest_time_and_is_seen_whole(browser: Browser, served: Served) -> None:
    house, service = served
    rosa = house.staff()
    _, item = a_reply(house, "Devon", "Is there parking?", owner_id=rosa.id)
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/inbox/{item.id}")
        kit.Keys(page).press("s")
        expect(page.locator(":focus")).to_contain_text(kit.NEAREST_SNOOZE)
        sheet, box = page.locator(".acts .menu[open] .sheet"), page.locator(".said")
        assert sheet.evaluate("one => one.getBoundingClientRect().bottom") <= box.evaluate(
            "one => one.getBoundingClientRect().bottom + 1"
        )


def test_on_a_phone_what_the_board_says_scrolls_away_and_the_alarm_stays(browser: Browser, served: Served) -> None:
    house, service = served
    rosa_, ben_ = house.staff(), house.staff("Ben Carter")
    crisis(house, ben_)
    with db.unit_of_work(house.clinic.id) as session:
        for number in range(3):
            words = f"The afternoon clinic is cancelled, {number}. " + "Please call whoever was to come. " * 7
            board.announce(session, house.clinic, session.merge(ben_), words, clock.now() + timedelta(hours=5))
    with at(browser, served, rosa_, size=(390, 844)) as rosa:
        rosa.goto(f"{service}/announcements")
        expect(rosa.locator(".announced")).to_have_count(3)
        kit.check(rosa)
        rosa.goto(f"{service}/handoffs#ask-title")
        sticks = rosa.locator(".stays").bounding_box()
        assert sticks is not None
        assert (sticks["y"], sticks["height"] < 120) == (0, True)
        expect(rosa.locator(".announced").first).not_to_be_in_viewport()
        heading = rosa.locator("#ask-title").bounding_box()  # what was jumped to is not below the alarm
        assert heading is not None
        assert heading["y"] >= sticks["height"]


def test_under_the_bar_a_full_page_is_scrolled_and_nothing_of_it_is_squeezed_away(
    browser: Browser, served: Served
) -> None:
    house, service = served
    rosa = house.staff()
    crisis(house, rosa)
    for hour in range(8, 18):
        visit(house, house.patient(), hour=hour)
    with at(browser, served, rosa, size=(1440, 700)) as page:
        page.goto(f"{service}/visits")
        page.get_by_role("link", name="Day after").click()
        expect(page.locator("[data-visit]")).to_have_count(10)
        expect(page.locator(".alarms")).to_be_visible()
        week = page.get_by_role("link", name="Week", exact=True)
        tall = week.evaluate("link => link.closest('nav').getBoundingClientRect().height")
        assert tall > 36
        week.click()
        expect(page).to_have_url(re.compile("span=week"))
