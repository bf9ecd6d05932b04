"""Every page of the staff's door, on a phone and at a desk, by day and at night: no rule of accessibility is broken."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from config import db
from messaging import jobs
from messaging.models import Patient, Staff
from reminders import handoffs
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.interchange.messages import visit as visit_of
from tests.web.boards.test_unassigned import published
from tests.web.boards.test_unreached import opted_out, visit
from tests.web.conftest import House
from tests.web.feeds import heard
from tests.web.patients.test_identify import stranger
from tests.web.presenters.test_screen_view import START, hand_in

pytestmark = pytest.mark.xdist_group("browser")
LOOKS = [(size, scheme) for size in (kit.PHONE, kit.DESK) for scheme in ("light", "dark")]
VIEWS = ("mine", "unassigned", "waiting", "snoozed", "done", "everyone")
PAGES = (
    "today",
    "visits",
    "visits?span=week",
    "help/today",
    "menu",
    "patients",
    "reach",
    "board",
    "away",
    "workload",
    "workload/unread",
    "ladder",
    "clocks",
    "saved-replies",
    "preferences",
    "account",
    "account/factor",
    "handoffs",
    "handoffs/report",
    "settings/words",
    "settings/second-reading",
    "second-reading",
    "second-reading/sample",
    "tasks",
    "tasks/templates",
    "notes",
    "announcements",
)
# What an administrator is shown otherwise than a care manager, or alone.
ADMINISTERED = (
    "today",
    "menu",
    "inbox?view=everyone",
    "ladder",
    "away",
    "saved-replies",
    "consents/drift",
    "settings",
    "settings/clinic",
    "settings/people",
    "settings/keys",
    "settings/cadence",
    "settings/cadence/week",
    "settings/words",
    "settings/words/reminder_day",
    "settings/schedule",
    "settings/protocol",
    "settings/second-reading",
    "second-reading",
    "settings/handoffs",
    "settings/file",
    "settings/import",
    "settings/feeds",
    "settings/rota",
    "settings/replay",
    "settings/history/rules",
)


@dataclass(frozen=True)
class Full:
    """A clinic in which every page has something to show, and who works there."""

    served: Served
    rosa: Staff
    admin: Staff
    cases: dict[str, str]
    patient: str


@pytest.fixture(scope="module")
def full(served: Served) -> Full:
    house, service = served
    admin = published(house)
    rosa = house.staff()
    cases, patient = _cases(house, rosa)
    browser = house.signed_in(rosa)
    for act, form in (
        ("snoozed/snooze", {"until": "1_hour"}),
        ("done/resolve", {}),
        ("waiting/reply", {"body": "Yes, do.", "then": "wait", "compose": "0190a1b2-0000-7000-8000-000000000001"}),
        ("reply/note", {"words": "Call after three"}),
        ("reply/call", {"outcome": "voicemail"}),
    ):  # fmt: skip
        name, verb = act.split("/")
        assert browser.post(f"/inbox/{cases[name]}/{verb}", **form).status_code == 303, act
    assert browser.post("/saved-replies/defaults").status_code == 303
    key = {"name": "Kiosk", "scope": "patients.read", "days": "90", "staff": str(rosa.id)}
    assert house.signed_in(admin).post("/settings/keys", **key).status_code == 200
    visit(house, opted_out(house, first_name="Harold"), hour=9)
    visit(house, house.patient(first_name="Marcus"), hour=10)
    heard(house, visit_of("S12", "AIS|1||X|20300313090000", start="20300310090000"))
    heard(house, visit_of("S12", start=""))
    paths = {name: f"{service}/inbox/{item}?view=everyone" for name, item in cases.items()}
    return Full(served, rosa, admin, paths, f"{service}/patients/{patient}")


def _cases(house: House, rosa: Staff) -> tuple[dict[str, str], str]:
    """One item of each kind and state by name, and the patient of the safety item."""
    teresa, _ = a_reply(house, "Teresa", "I will fill it in", owner_id=rosa.id)
    hand_in(house, teresa, 40, START)
    hand_in(house, teresa, 1, [3, 3, 2, 3, 2, 2, 1, 1, 2])
    hand_in(house, house.patient(first_name="Olu"), 1, [2] * 7, "gad7")
    _request(house, house.patient(first_name="Walter"), rosa)
    jobs.fire_timers()
    cases = {
        "reply": a_reply(house, "Amina", "Can I bring my sister?", owner_id=rosa.id)[1],
        "waiting": a_reply(house, "Devon", "Is there parking?", owner_id=rosa.id)[1],
        "snoozed": a_reply(house, "Joy", "I will call later", owner_id=rosa.id)[1],
        "done": a_reply(house, "Milo", "Thank you", owner_id=rosa.id)[1],
        "crisis": a_reply(house, "Nadia", "I can't go on", kind="safety")[1],
        "delivery": a_reply(house, "Ada", "A text could not be delivered", kind="delivery")[1],
        "unknown": stranger(house)[1],
    }
    return {name: str(item.id) for name, item in cases.items()}, str(teresa.id)


def _request(house: House, patient: Patient, rosa: Staff) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        handoffs.request(session, house.clinic, session.merge(patient), requested_by=f"staff:{rosa.id}")


@pytest.fixture(scope="module")
def page(browser: Browser, full: Full) -> Iterator[Page]:
    with at(browser, full.served, full.rosa) as page:
        yield page


@pytest.fixture(scope="module")
def administered(browser: Browser, full: Full) -> Iterator[Page]:
    with at(browser, full.served, full.admin) as page:
        yield page


def open_page(page: Page, address: str) -> None:
    """Go to an address that must be there."""
    answer = page.goto(address)
    assert answer is not None
    assert answer.ok, address


def look(page: Page) -> None:
    """Check the page at each size, in each scheme."""
    for (width, height), scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        kit.check(page, colours_only=scheme == "dark")


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_of_the_list(page: Page, full: Full, view: str) -> None:
    open_page(page, f"{full.served[1]}/inbox?view={view}&stay=1")  # the list, on a wide screen too
    expect(page.locator(".row").first).to_be_visible()
    look(page)


@pytest.mark.parametrize("words", ["Patient safety", "Positive screen", "Warm handoff"])
def test_a_case_that_came_by_itself(page: Page, full: Full, words: str) -> None:
    open_page(page, f"{full.served[1]}/inbox?view=everyone")
    page.locator(".row", has_text=words).first.click()
    page.locator("main[data-item]").wait_for()
    look(page)


@pytest.mark.parametrize("name", ["reply", "waiting", "snoozed", "done", "crisis", "delivery", "unknown"])
def test_a_case_of_each_kind_and_state(page: Page, full: Full, name: str) -> None:
    open_page(page, full.cases[name])
    look(page)


@pytest.mark.parametrize("path", PAGES)
def test_each_page_of_the_clinic(page: Page, full: Full, path: str) -> None:
    open_page(page, f"{full.served[1]}/{path}")
    look(page)


@pytest.mark.parametrize("path", ["", "/phones", "/consent", "/record", "/team"])
def test_the_patient(page: Page, full: Full, path: str) -> None:
    open_page(page, full.patient + path)
    look(page)


def test_what_a_search_finds(page: Page, full: Full) -> None:
    open_page(page, f"{full.served[1]}/patients")
    page.get_by_label("Name, birth date, phone or record number", exact=True).fill("quintana")
    page.get_by_role("main").get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Search in messages too").click()
    expect(page.get_by_text("Looked through")).to_be_visible()
    look(page)


def test_whose_number_it_is(page: Page, full: Full) -> None:
    open_page(page, full.cases["unknown"].replace("?", "/who?"))
    page.get_by_label("Name, phone or record number of the patient").fill("quintana")
    page.get_by_role("main").get_by_role("button", name="Find").click()
    expect(page.get_by_role("button", name="It is theirs").first).to_be_visible()
    look(page)


@pytest.mark.parametrize("path", ADMINISTERED)
def test_what_a_clinic_administrator_sees(administered: Page, full: Full, path: str) -> None:
    open_page(administered, f"{full.served[1]}/{path}")
    look(administered)
