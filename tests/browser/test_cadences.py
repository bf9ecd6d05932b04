"""Reminders changed in a browser: a step edited, tried on a made-up visit and on the real week, published; the bar."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from config import clock
from messaging.models import Staff
from reminders.cadence_decision import plan_again
from tests.browser import kit
from tests.browser.place import Served, at
from tests.web.settings.test_cadence import PAGE
from tests.web.settings.test_cadence_week import book

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def admin(served: Served) -> Staff:
    """Three visits on a noon in six days, so that what is added falls into the week at whatever hour this runs."""
    house, zone = served[0], ZoneInfo("America/Denver")
    noon = datetime.combine(clock.now().astimezone(zone).date() + timedelta(days=6), time(12), zone)
    for name in ("Amina", "Devon", "Joy"):
        book(house, house.patient(first_name=name), noon - clock.now(), name)
    return house.staff("Dana Wu", role="clinic_admin", number="+12025550151")


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served, admin: Staff) -> Iterator[Page]:
    with at(browser, served, admin, script=request.param) as page:
        yield page


def test_a_step_is_changed_tried_published_and_reaches_every_visit(page: Page, served: Served, admin: Staff) -> None:
    house, service = served
    page.goto(service + PAGE)
    steps = page.locator(".step").count()
    page.get_by_role("button", name="Add a step").click()
    card = page.locator(".step").last
    expect(page.locator(".step")).to_have_count(steps + 1)
    card.get_by_label("How long").fill("4" if steps == 3 else "5")
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name=f"The draft: {steps + 1} texts")).to_be_visible()
    page.get_by_role("link", name="Booked the same day").click()
    expect(page.locator("#pane-draft")).to_contain_text("skipped")
    page.get_by_role("link", name="Try the draft on the real coming week").click()
    expect(page.get_by_role("heading", name="3 people get more texts")).to_be_visible()
    page.get_by_role("link", name="Back to the reminders").click()
    page.get_by_label("Reason").fill("people asked for it")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published. It holds from this moment.")).to_be_visible()
    expect(page.locator("#replanning")).to_contain_text("0 of 3 visits")
    page.get_by_role("link", name="Watch it").click()
    assert plan_again(house.clinic.id) == 3
    expect(page.locator("#replanning")).to_contain_text("3 coming visits follow what is live")
    page.get_by_role("link", name="Back to the reminders").click()
    expect(page.get_by_role("heading", name=f"Live: {steps + 1} texts")).to_be_visible()


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/week", f"{PAGE}/progress"])
def test_the_pages_break_no_rule_at_any_size(browser: Browser, served: Served, admin: Staff, path: str) -> None:
    for size in ((320, 640), kit.PHONE, kit.DESK):
        for dark in (False, True):
            with at(browser, served, admin, size=size, dark=dark) as page:
                page.goto(served[1] + path)
                kit.check(page)
