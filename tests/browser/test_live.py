"""Two browsers side by side against a served application: who is here, what has just come in, and losing one's way."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from config import db
from messaging.models import Staff
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, a_reply, at, enter, serving
from tests.web.conftest import House
from web import sessions

pytestmark = pytest.mark.xdist_group("browser")
# As if the reader were in another window, and the computer let us tell them.
AWAY = """
document.hasFocus = () => false;
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, options) { super(); document.documentElement.dataset.told = JSON.stringify(options); }
};
"""


@pytest.fixture
def served(tmp_path: Path, valkey: ValkeyServer) -> Iterator[Served]:
    with serving(tmp_path, valkey) as place:
        yield place


def test_two_colleagues_see_each_other_and_what_comes_in(browser: Browser, served: Served) -> None:
    house, service = served
    patient, item = a_reply(house, "Amina", "Can I bring my sister?")
    case = f"{service}/inbox/{item.id}?view=everyone"
    rosa_, ben_ = house.staff(), house.staff("Ben Carter")
    with at(browser, served, rosa_) as rosa, at(browser, served, ben_) as ben:
        rosa.goto(case)
        ben.goto(case)
        expect(rosa.locator(".top .here")).to_have_text("Ben Carter is viewing")
        expect(ben.locator(".top .here")).to_have_text("Rosa Delgado is viewing")
        expect(rosa.locator(".row .here", has_text="Ben Carter is viewing")).to_be_visible()
        expect(rosa.locator("[data-announce]")).to_have_text("Ben Carter is viewing")
        ben.get_by_label("Reply to Amina's phone").fill("Of course, bring her along")
        expect(rosa.locator(".top .here")).to_have_text("Ben Carter is writing")
        kit.check(rosa)

        # A text comes in: it appears for who only reads; who writes keeps their words and is told.
        house.text_from(patient, "And my daughter?")
        expect(rosa.locator(".thread").get_by_text("And my daughter?")).to_be_visible()
        expect(ben.get_by_role("link", name="The conversation has gone on. Show it")).to_be_visible()
        expect(ben.get_by_label("Reply to Amina's phone")).to_have_value("Of course, bring her along")

        # Ben takes it: Rosa is told at once. Then he goes away, and is no longer said to be here.
        ben.get_by_role("button", name="Assign to me").click()
        expect(rosa.locator("[data-toast]")).to_have_text("Assigned to Ben Carter just now.")
        expect(rosa.locator(".top .sub")).to_contain_text("Ben Carter has it")
        ben.goto(f"{service}/preferences")
        expect(rosa.locator(".top .here")).to_have_text("")


def test_a_new_item_is_there_within_two_seconds_and_nothing_under_the_hands_moves(
    browser: Browser, served: Served
) -> None:
    house, service = served
    a_reply(house, "Devon", "Is there parking?")
    with at(browser, served, house.staff()) as page:
        page.goto(f"{service}/inbox?view=everyone&stay=1")
        row = page.locator(".row", has_text="Devon Q.")
        row.focus()
        row.evaluate("one => { one.kept = true; document.querySelector('.me').open = true; }")
        for _ in range(3):  # the page has come to rest, as it has where somebody sits before it
            page.wait_for_event("response", lambda answer: "/inbox/poll" in answer.url)
        house.item("safety", patient_id=house.patient(first_name="Joy").id)
        expect(page.locator(".row", has_text="Joy Q.")).to_be_visible()
        assert page.locator(".row").first.inner_text().startswith("Joy Q.")
        assert row.evaluate("one => one.kept && one === document.activeElement")
        expect(page.locator(".me")).to_have_attribute("open", "")
        expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_who_wants_to_is_told_on_their_computer_without_a_name_or_a_word(browser: Browser, served: Served) -> None:
    house, _ = served
    with at(browser, served, house.staff(), AWAY) as page:
        page.locator(".me summary").click()
        page.get_by_role("button", name="Turn on desktop notifications").click()
        expect(page.get_by_role("button", name="Turn off desktop notifications")).to_be_visible()
        house.item("safety", patient_id=house.patient().id)
        notification = '{"body":"A safety item waits","tag":"warmthread-safety","renotify":true}'
        expect(page.locator("html")).to_have_attribute("data-told", notification)
        page.get_by_role("button", name="Turn off desktop notifications").click()
        expect(page.get_by_role("button", name="Turn on desktop notifications", exact=True)).to_be_visible()


def test_a_page_that_has_lost_its_way_says_since_when(browser: Browser, served: Served) -> None:
    with at(browser, served, served[0].staff()) as page:
        page.context.set_offline(True)
        expect(page.locator("[data-offline]")).to_be_visible()
        assert re.search(r"Not up to date since \d+:\d\d", page.locator("[data-offline]").inner_text())
        kit.check(page)
        page.context.set_offline(False)
        expect(page.locator("[data-offline]")).to_be_hidden()


def test_being_signed_out_takes_the_page_away_but_never_what_was_being_written(
    browser: Browser, served: Served
) -> None:
    house, service = served
    _, item = a_reply(house, "Marcus", "Where do I park?")
    staff = house.staff()
    with at(browser, served, staff) as page:
        page.goto(f"{service}/inbox/{item.id}?view=everyone")
        box = page.get_by_label("Reply to Marcus's phone")
        box.fill("Behind the building, and")
        revoke(house, staff)
        expect(page.locator("[data-ended]")).to_be_visible()
        expect(box).to_have_value("Behind the building, and")
        expect(page.locator(".said")).to_be_hidden()
        kit.check(page)
        again = page.context.new_page()
        enter(again, served, staff)
        again.close()
        expect(page.locator("[data-ended]")).to_be_hidden()
        expect(page.locator(".said")).to_be_visible()
        expect(box).to_have_value("Behind the building, and")
        box.fill("")
        revoke(house, staff)
        expect(page).to_have_url(re.compile("/signin"))


def revoke(house: House, staff: Staff) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        sessions.revoke(session, staff.id)
