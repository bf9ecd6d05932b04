"""A clinician's phone, the desk's visits by keys, and the bar at the bottom of phones."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from config import clock, db
from messaging.models import Patient, Staff
from reminders import appointments
from reminders.models import Appointment
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.web.conftest import House

pytestmark = pytest.mark.xdist_group("browser")
PHONE = (390, 844)
# How often a finger came down, also over several pages.
COUNTING = """addEventListener("pointerdown", () =>
sessionStorage.setItem("taps", 1 + Number(sessionStorage.getItem("taps") ?? 0)), true)"""
DOCTOR = "Dr Lindqvist"


def visit_at(house: House, patient: Patient, hour: int, **facts: str) -> Appointment:
    """A visit of today at an hour of the clinic's own clock."""
    house.count += 1
    local = clock.now().astimezone(ZoneInfo("America/Denver"))
    starts = datetime(local.year, local.month, local.day, hour, tzinfo=local.tzinfo)
    booked = clock.now() - timedelta(days=9)
    record = appointments.VisitRecord(f"V{house.count}", "", starts, "America/Denver", booked, **facts)
    with db.unit_of_work(house.clinic.id) as session:
        return appointments.save(session, house.clinic, session.merge(patient), record)[0]


@pytest.fixture(scope="module")
def team(served: Served) -> dict[str, Staff]:
    house = served[0]
    return {
        "rosa": house.staff("Rosa Delgado", number="+12025550150"),
        "doctor": house.staff(DOCTOR, role="clinician", number="+12025550151"),
        "sam": house.staff("Sam Frank", role="front_desk"),
    }


def taps(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.getItem('taps') ?? 0)"))


def lies_below(page: Page, above: str, below: str) -> None:
    """What can be pressed begins where the words begin, and does not touch them."""
    words, acts = (page.locator(which).first.bounding_box() for which in (above, below))
    assert words is not None
    assert acts is not None
    assert acts["x"] == words["x"]
    assert acts["y"] >= words["y"] + words["height"] + 4


def test_a_clinician_asks_for_a_handoff_in_three_taps_and_sees_who_comes(
    browser: Browser, served: Served, team: dict[str, Staff]
) -> None:
    house, service = served
    visit_at(house, house.patient(first_name="Walter", last_name="Ng"), 12, clinician=DOCTOR)
    visit_at(house, house.patient(first_name="Elsewhere"), 12, clinician="Dr Okafor")
    with at(browser, served, team["doctor"], COUNTING, size=PHONE) as page:
        page.goto(f"{service}/")
        expect(page.get_by_role("heading", name="My patients today")).to_be_visible()
        expect(page.get_by_text("Elsewhere")).to_have_count(0)
        kit.check(page)
        page.evaluate("sessionStorage.setItem('taps', 0)")
        page.locator("summary", has_text="Warm handoff: Walter Ng").click()
        kit.check(page)
        page.get_by_label("Mood or anxiety").first.check()
        page.get_by_role("button", name="Ask now").click()
        expect(page.get_by_text("You asked Rosa Delgado")).to_be_visible()
        assert taps(page) == 3
        expect(page.get_by_role("button", name="I'm coming")).to_have_count(0)
        expect(page.get_by_role("button", name="Cancel request")).to_be_visible()
        kit.check(page)
        lies_below(page, ".wide > p", ".wide .acts")
        with at(browser, served, team["rosa"]) as desk:
            desk.goto(f"{service}/today")
            row = desk.locator(".handoff", has_text="Walter Ng")
            expect(row).to_contain_text("Mood or anxiety")
            row.get_by_role("button", name="I'm coming").click()
            expect(desk.get_by_text(re.compile("Accepted"))).not_to_have_count(0)
        page.reload()
        expect(page.get_by_text("Rosa Delgado is coming")).to_be_visible()
        page.get_by_role("button", name="They met").click()
        expect(page.locator("summary", has_text="Warm handoff: Walter Ng")).to_be_visible()


def test_it_works_without_script_too_and_can_be_taken_back(
    browser: Browser, served: Served, team: dict[str, Staff]
) -> None:
    house, service = served
    visit_at(house, house.patient(first_name="Priya", last_name="Raman"), 13, clinician=DOCTOR)
    with at(browser, served, team["doctor"], size=PHONE, script=False) as page:
        page.goto(f"{service}/today")
        page.locator("summary", has_text="Warm handoff: Priya Raman").click()
        page.locator("li", has_text="Priya Raman").get_by_role("button", name="Ask now").click()
        expect(page.get_by_text("You asked Rosa Delgado")).to_be_visible()
        page.locator("li", has_text="Priya Raman").get_by_role("button", name="Cancel request").click()
        expect(page.get_by_text("Taken back. Whoever was asked is told")).to_be_visible()
        expect(page.locator("summary", has_text="Warm handoff: Priya Raman")).to_be_visible()


def test_the_desk_notes_who_came_by_keys_alone(browser: Browser, served: Served, team: dict[str, Staff]) -> None:
    house, service = served
    first = visit_at(house, house.patient(first_name="Ada", last_name="First"), 0)
    visit_at(house, house.patient(first_name="Zoe", last_name="Second"), 0, place="North")
    with at(browser, served, team["sam"]) as page:
        page.goto(f"{service}/visits")
        kit.check(page)
        keys = kit.Keys(page)
        keys.press("j")
        expect(page.get_by_role("link", name="Ada First", exact=True)).to_be_focused()
        keys.press("j")
        expect(page.get_by_role("link", name="Zoe Second")).to_be_focused()
        keys.press("k")
        keys.press("i")
        expect(page.get_by_text("Noted: they are here")).to_be_visible()
        expect(page.get_by_role("link", name="Ada First", exact=True)).to_be_focused()
        assert house.read(Appointment, first.id).state == "arrived"
        keys.press("j")
        keys.press("m")
        expect(page.get_by_text("Noted: they did not come")).to_be_visible()
        kit.check(page)
        keys.press("n")
        page.wait_for_url("**/visits?day=*")
        keys.press("p")
        page.get_by_role("link", name="Week", exact=True).click()
        kit.check(page)


@pytest.mark.parametrize("who", ["rosa", "doctor", "sam"])
@pytest.mark.parametrize("size", [(320, 640), PHONE], ids=["320", "390"])
def test_a_thumb_reaches_the_main_ways_on_a_phone(
    browser: Browser, served: Served, team: dict[str, Staff], who: str, size: tuple[int, int]
) -> None:
    _, service = served
    with at(browser, served, team[who], size=size) as page:
        page.goto(f"{service}/today")
        kit.check(page)
        bar = page.get_by_role("navigation", name="Main")
        expect(bar.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")
        for link in bar.get_by_role("link").all():
            box = link.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44, link.inner_text()
        # What stands last on the page can be brought above the bar.
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        last, top = page.locator("main").bounding_box(), bar.bounding_box()
        assert last is not None
        assert top is not None
        assert last["y"] + last["height"] <= top["y"] + 1
        bar.get_by_role("link", name="Me").click()
        expect(page.get_by_role("link", name="Time off and coverage")).to_be_visible()
        kit.check(page)
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_the_bar_counts_and_covers_nothing_where_the_page_is_enlarged(
    browser: Browser, served: Served, team: dict[str, Staff]
) -> None:
    house, service = served
    a_reply(house, "Amina", "Can I bring my sister?", owner_id=team["rosa"].id)
    with at(browser, served, team["rosa"], size=(320, 256)) as page:  # 1280 by 1024 at 400 %
        page.goto(f"{service}/inbox")
        bar = page.get_by_role("navigation", name="Main")
        expect(bar.get_by_role("link", name=re.compile(r"^Inbox \d+"))).to_have_attribute("aria-current", "page")
        assert bar.evaluate("bar => getComputedStyle(bar).position") == "static"
        kit.check(page)


def test_a_hint_is_closed_once_and_help_opens_about_the_page(
    browser: Browser, served: Served, team: dict[str, Staff]
) -> None:
    _, service = served
    with at(browser, served, team["sam"]) as page:
        page.goto(f"{service}/visits")
        page.get_by_role("complementary", name="Hint").get_by_role("button", name="Got it").click()
        expect(page.get_by_role("complementary", name="Hint")).to_have_count(0)
        page.get_by_role("banner").get_by_role("link", name="Help").click()
        expect(page.get_by_role("heading", name="Visits", level=1)).to_be_visible()
        kit.check(page)


def test_the_hour_of_a_visit_never_touches_whose_it_is(
    browser: Browser, served: Served, team: dict[str, Staff]
) -> None:
    house, service = served
    visit_at(house, house.patient(first_name="Hanna"), 10, clinician=DOCTOR)
    visit_at(house, house.patient(first_name="Noor"), 12, clinician=DOCTOR)
    with at(browser, served, team["doctor"]) as page:
        for size in ((1440, 900), (768, 1024), PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.goto(f"{service}/today")
            expect(page.locator(".visits .when").first).to_be_visible()
            wide = "all => all.filter(when => when.scrollWidth > when.clientWidth).map(when => when.textContent)"
            assert page.locator(".visits .when").evaluate_all(wide) == [], size
