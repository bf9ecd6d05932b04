"""One patient in two EHRs, in real browsers against the real service: connected on their pages, one reminder on the
phone, and what the owning EHR says newest stands."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import clock, db
from reminders.models import Reminder
from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.browser import kit
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running, running
from tests.walks.two_ehrs import (
    ADDRESSES,
    HERE,
    HUB,
    NUMBER,
    PATIENT,
    bodies,
    both_heard,
    ehr,
    heard_of,
    is_one_visit,
    messages,
    reminded,
    visits,
)

pytestmark = pytest.mark.xdist_group("browser")
ADMINISTRATOR = ("--name", "Ines Vega", "--email", "ines@clinic.example", "--role", "clinic_admin")
KINDS = {"epic": "Day by day", "athena": "By its queue"}


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("clinic"), **HERE) as service:
        named = ("--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
        service.scene.command("clinic", "create", *named)
        yield service


@pytest.fixture
def admin(browser: Browser, service: Running) -> Iterator[Page]:
    """The administrator's page, signed in."""
    inside = kit.context(browser, kit.DESK)
    page = inside.new_page()
    invited = service.scene.command("staff", "invite", *ADMINISTRATOR, "--number", "+12015550190", "--once")
    page.goto(invited[0]["link"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"^(?!.*/signin)"))
    yield page
    inside.close()


def let_it_be_asked(admin: Page, service: Running, name: str) -> None:
    """As an administrator does: a feed, where its EHR is, and our keys' address told to it."""
    scene, (path, practice, _) = service.scene, ADDRESSES[name]
    admin.goto(f"{scene.service}/settings/feeds")
    admin.get_by_role("textbox", name=re.compile("^(Name of the feed|Another feed)")).fill(name)
    admin.get_by_role("button", name="Add the feed").click()
    expect(admin.get_by_label("The secret", exact=True)).to_be_visible()
    admin.get_by_role("link", name="Let this EHR be asked").click()
    admin.get_by_label(KINDS[name]).check()
    for label, words in {"Address": scene.network + path, "Client id": "us", "Practice": practice}.items():
        admin.get_by_role("textbox", name=re.compile(f"^{label}")).fill(words)
    admin.get_by_role("textbox", name=re.compile("^Secret of its events")).fill(HUB)
    admin.get_by_label("Days ahead").fill("7")
    admin.get_by_label("At most this often a minute").fill("600")
    admin.get_by_role("button", name="Let it be asked").click()
    expect(admin.get_by_text("Saved. The EHR is asked from now on")).to_be_visible()
    events = f"{scene.service}/webhooks/ehr/{name}"
    known = {"client_id": "us", "jwks_url": f"{events}/jwks.json", "events_url": events, "events_secret": HUB}
    ehr(service, "PUT", f"{name}/client", known | {"zone": day.ZONE})


def ask_now(admin: Page, service: Running, *names: str) -> None:
    for name in names or ADDRESSES:
        admin.goto(f"{service.scene.service}/settings/feeds")
        admin.get_by_role("link", name=name, exact=True).click()
        admin.get_by_role("link", name="How this EHR is asked").click()
        admin.get_by_role("button", name="Ask now").click()
        expect(admin.get_by_role("heading", name=f"How {name} is asked")).to_be_visible()


def told(service: Running, name: str, **visit: Any) -> None:
    ehr(service, "PUT", f"{name}/visits/12", visit)


def booked_in_both(service: Running, start: datetime) -> None:
    for name in ADDRESSES:
        ehr(service, "PUT", f"{name}/patients/7", PATIENT | {"record": f"{name}7"})
        told(service, name, patient="7", start=start.isoformat())
    event = ehr(service, "POST", "athena/events", {"topic": "schedule", "visits": ["12"]})
    assert (event["status"], event["milliseconds"] < 2_000) == (200, True)


def test_one_visit_in_two_ehrs_is_one_reminder_and_its_owner_s_newest_stands(
    browser: Browser, service: Running, admin: Page
) -> None:
    for name in ADDRESSES:
        let_it_be_asked(admin, service, name)
    # Of a visit whose time for the step of 24 hours before has passed already, nobody would be reminded.
    start = (clock.now() + timedelta(hours=24, minutes=2)).replace(second=0, microsecond=0)
    booked_in_both(service, start)
    ask_now(admin, service)
    until(lambda: both_heard(service), "both EHRs to be read", within=3 * PATIENCE, pause=0.2)
    is_one_visit()
    until(lambda: reminded(service), "a reminder on the phone", within=2 * PATIENCE, pause=0.2)
    service.scene.type(NUMBER, "Y")
    until(lambda: visits("confirmed"), "the confirmation", within=PATIENCE, pause=0.2)

    inside = kit.context(browser, kit.DESK)
    desk = kit.sign_in(inside, Walk(service.scene), day.TEAM[0])
    moved = start + timedelta(hours=3)
    told(service, "athena", status="cancelled")
    told(service, "epic", start=moved.isoformat())
    ask_now(admin, service)
    until(lambda: heard_of(service, moved), "the owner's move", within=3 * PATIENCE, pause=0.2)
    until(lambda: len(messages("ehr.athena", service)) >= 2, "the other's cancellation", within=PATIENCE, pause=0.2)
    assert [each.starts_at for each in visits()] == [moved]
    desk.goto(f"{service.scene.service}/patients/{visits()[0].patient_id}")
    expect(desk.get_by_role("heading", name="Ana River")).to_be_visible()
    expect(desk.locator("section", has=desk.get_by_role("heading", name="Next visit"))).to_have_count(1)

    told(service, "epic", status="cancelled")
    ask_now(admin, service, "epic")
    until(lambda: visits("cancelled") and not visits(), "the cancellation", within=3 * PATIENCE, pause=0.2)
    desk.reload()
    expect(desk.get_by_text("None booked.")).to_be_visible()
    inside.close()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Reminder).where(Reminder.state == "planned")).all() == []
    assert len(bodies(service)) == len(set(bodies(service)))
