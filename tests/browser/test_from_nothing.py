"""A new clinic is set up from nothing in a browser: invitation, name, hours, a colleague, reminders, policy."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import audit, clock, db
from messaging.models import Clinic, Message
from reminders.imports import runs
from service.embedded.valkey import ValkeyServer
from tests.browser import kit
from tests.browser.place import Served, serving
from web.settings import access_requests

pytestmark = pytest.mark.xdist_group("browser")
PASSWORD = "a few words in a row"
SHOTS = os.environ.get("WARMTHREAD_SHOTS")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey: ValkeyServer) -> Iterator[Served]:
    """A clinic that nobody has touched."""
    with serving(tmp_path_factory.mktemp("new"), valkey) as place:
        yield place


@contextmanager
def visitor(browser: Browser, size: tuple[int, int] = kit.DESK, **options: bool) -> Iterator[Page]:
    inside = kit.context(browser, size, **options)
    try:
        yield inside.new_page()
    finally:
        inside.close()


def come_in(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_label("Password", exact=False).first.fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
    page.wait_for_url(lambda url: "/signin" not in url)


def step(page: Page, name: str) -> str:
    return page.locator(f"#step-{name}").get_attribute("class") or ""


def look(page: Page, name: str) -> None:
    """The rules of accessibility, and a picture where somebody wants to look."""
    kit.check(page)
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def _describes_the_clinic(page: Page) -> None:
    page.get_by_role("link", name="Name, phone, time zone and sites").click()
    page.locator("#read-row > details > summary").click()
    page.get_by_label("Name on the pages that patients open").fill("Larkspur Clinic")
    page.get_by_label("Phone they call").fill("(202) 555-0177")
    page.locator("#clock-row > details > summary").click()
    page.get_by_label("Time zone type a city or a country").fill("America/Fenix")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("#zone-problem")).to_contain_text("America/Phoenix")
    page.get_by_label("Time zone type a city or a country").fill("America/Phoenix")
    page.locator("#sites-row > details > summary").click()
    site = page.get_by_role("group", name="Site 1")
    site.get_by_label("Name").fill("Elm House")
    site.get_by_label("Address").fill("12 Elm St")
    look(page, "clinic-form")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="A draft waits to be published")).to_be_visible()
    look(page, "clinic-draft")
    page.get_by_label("Reason").fill("Our first day")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Version 1 is live")).to_be_visible()
    expect(page.locator("header .clinic")).to_have_text("Larkspur Clinic")


def _invites_rosa(page: Page, served: Served) -> str:
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_text("Invite a colleague").click()
    form = page.locator("form", has=page.get_by_role("button", name="Invite"))
    form.get_by_label("Name", exact=True).fill("Rosa Delgado")
    form.get_by_label("E-mail").fill("rosa@clinic.example")
    form.get_by_label("Spanish").check()
    form.get_by_label("Mobile").fill("(202) 555-0152")
    form.get_by_role("button", name="Invite").click()
    look(page, "people-waits")
    expect(page.get_by_text("Nobody else here may agree for Rosa Delgado")).to_be_visible()
    house, service = served
    with db.unit_of_work(house.clinic.id) as session:  # as the operator does who sets a clinic up
        (asked,) = access_requests.waiting(session, house.clinic.id)
        access_requests.agree(session, session.get_one(Clinic, house.clinic.id), asked, audit.OPERATOR)
    page.reload()
    with db.unit_of_work(house.clinic.id) as session:
        db.load_keys(session, {house.clinic.key_id})
        bodies = [
            message.body or "" for message in session.scalars(select(Message).where(Message.kind == "staff_alert"))
        ]
    path = next(match[1] for body in bodies if (match := re.search(r"http://localhost:8000(/signin/\S+)", body)))
    return f"{service}{path}"


def _gives_herself_a_phone(page: Page) -> None:
    page.get_by_role("row", name="Dana Wu").locator("summary").click()
    page.get_by_role("link", name="Edit Dana Wu").click()
    own = page.locator("#person-form")
    own.get_by_label("Mobile").fill("(202) 555-0151")
    own.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Dana Wu: changed.")).to_be_visible()


def _publishes_the_policy(page: Page) -> None:
    page.get_by_role("link", name="Routing and escalation", exact=True).click()
    page.locator("#hours-row > details > summary").click()
    page.get_by_label("Open", exact=True).fill("Mon-Fri 8-5")
    page.locator("#fallback-row > details > summary").click()
    page.get_by_label("First", exact=True).select_option(label="Dana Wu")
    page.locator("#call-row > details > summary").click()
    page.locator('input[name="call[0].name"]').fill("Dr Wu")
    page.locator('input[name="call[0].phone"]').fill("(202) 555-0178")
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_role("heading", name="A draft waits to be published")).to_be_visible()
    page.get_by_label("Reason").fill("Our first day")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Published. It holds from this moment")).to_be_visible()


def _publishes_the_reminders(page: Page) -> None:
    page.get_by_role("link", name="Reminders", exact=True).click()
    page.get_by_role("button", name="Add a step").click()
    page.locator(".step").last.get_by_label("How long").fill("5")
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.get_by_label("Reason").fill("Our first day")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published. It holds from this moment.")).to_be_visible()


def _publishes_the_questionnaires(page: Page) -> None:
    page.get_by_role("link", name="Questionnaires", exact=True).click()
    page.locator('input[name="asks[0].every"]').fill("2 weeks")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("heading", name="By the draft")).to_be_visible()
    look(page, "schedule-draft")
    page.get_by_label("Reason").fill("Our first day")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("Version 1 is live")).to_be_visible()


def _imports(page: Page, kind: str, text: str) -> None:
    """A file handed in on the page, its columns as they were guessed, and the worker's part of it."""
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("radio", name=kind).check()
    page.get_by_label("The file").set_input_files({"name": "day.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Look at the columns").click()
    expect(page.get_by_text("good")).to_be_visible()
    look(page, f"import-{kind}")
    page.get_by_role("button", name="Check the row").click()
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.locator("progress")).to_be_visible()
    runs.drain()  # the page asks again by itself
    expect(page.get_by_text("Every row was taken.")).to_be_visible()


def _brings_a_visit_in(page: Page) -> None:
    _imports(page, "Patients", "MRN,First,Last,Cell,DOB\n11,Teresa,Quintana,(303) 555-0101,2/29/1980\n")
    when = f"{clock.now() + timedelta(days=5):%Y-%m-%dT10:00}"
    _imports(page, "Visits", f"AppointmentID,PatientId,Date\nV1,11,{when}\n")


def _the_carrier_delivers(served: Served) -> None:
    with db.unit_of_work(served[0].clinic.id) as session:
        for text in session.scalars(select(Message).where(Message.kind == "staff_alert")):
            text.state = "delivered"


def test_a_clinic_is_set_up_from_nothing(browser: Browser, served: Served) -> None:
    house, service = served
    dana = house.staff("Dana Wu", role="clinic_admin", email="dana@clinic.example")
    with visitor(browser) as page, visitor(browser, kit.PHONE) as phone:
        come_in(page, service + house.link(dana, "invite"))
        expect(page.get_by_role("heading", name="Setting up Alder Street Clinic")).to_be_visible()
        expect(page.get_by_text("3 of 10 ready")).to_be_visible()
        look(page, "setup-new")
        _describes_the_clinic(page)
        invitation = _invites_rosa(page, served)
        _gives_herself_a_phone(page)
        come_in(phone, invitation)
        expect(phone).to_have_url(f"{service}/today")
        _publishes_the_policy(page)
        _publishes_the_questionnaires(page)
        _publishes_the_reminders(page)
        _brings_a_visit_in(page)
        page.get_by_role("link", name="Setting up", exact=True).click()
        page.get_by_role("button", name="Send me one").click()
        expect(page.locator("#step-test_text .mark")).to_have_text("On its way")
        _the_carrier_delivers(served)
        page.reload()
        expect(page.get_by_role("heading", name="Everything is set up")).to_be_visible()
        assert page.locator(".setting-up .todo").count() == 0
        assert step(page, "reached") == "done"
        look(page, "setup-whole")
        page.get_by_role("link", name="Export and import", exact=True).click()
        expect(page.locator("pre")).to_contain_text('name = "Elm House"')
        look(page, "file")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [kit.PHONE, kit.DESK])
def test_every_settings_page_is_readable_everywhere(
    browser: Browser, served: Served, size: tuple[int, int], dark: bool
) -> None:
    house, service = served
    lead = house.staff("Lee Park", role="clinic_admin")
    with visitor(browser, size, dark=dark) as page:
        page.goto(service + house.link(lead))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/signin" not in url)
        for name in ("", "/clinic", "/people", "/schedule", "/file"):
            page.goto(f"{service}/settings{name}")
            look(page, f"{name.strip('/') or 'setup'}-{size[0]}-{'dark' if dark else 'light'}")
