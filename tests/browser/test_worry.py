"""The story of a text that names no crisis: signed off, read by likeness, seen within minutes, and made an alarm."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import db
from messaging.consent import ledger
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from messaging.second_reading.models import SecondReading
from tests.browser import kit
from tests.browser.place import Served, at
from tests.web.conftest import House
from tests.worries import ORDINARY, WORRYING
from webhooks import handle_text

pytestmark = pytest.mark.xdist_group("browser")
SIZES = ((390, 844), (768, 1024), (1440, 900))
# Where the pictures go for whoever wants to look at them.
PICTURES = os.environ.get("WORRY_PICTURES")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"{name}.png"), full_page=True)


def look(page: Page, name: str) -> None:
    """Check the page in three widths, and at night."""
    for size in SIZES:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        kit.check(page)
        picture(page, f"{name}-{size[0]}")
    page.emulate_media(color_scheme="dark")
    kit.check(page)
    picture(page, f"{name}-dark")
    page.emulate_media(color_scheme="light")


def writes(house: House, patient: Patient, body: str) -> None:
    """A text of the patient comes in."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        number = session.get_one(Patient, patient.id).numbers[0].number or ""
        ledger.record(session, clinic, number, "granted", source="staff", actor="system:test")
        form = {"From": number, "To": clinic.number, "Body": body, "MessageSid": f"SM{uuid4().hex}"}
        handle_text.answer(session, clinic, form, datetime.now(UTC))


def called_a_crisis(mine: Page) -> None:
    """Rosa finds Teresa's text first in the list, reads why it is there, and says that it is a crisis."""
    row = mine.locator(".row", has_text="Teresa")
    expect(row).to_contain_text("May be a crisis, read by likeness and not by a word")
    expect(mine.locator(".row").first).to_contain_text("Teresa")
    look(mine, "list")
    row.click()
    panel = mine.locator(".likeness")
    expect(panel.locator("mark")).to_have_count(1)
    expect(panel).to_contain_text("No automatic text was sent")
    expect(panel).not_to_contain_text(re.compile(r"\d+ ?%"))
    look(mine, "case")
    panel.get_by_role("button", name=re.compile("^Crisis")).click()
    expect(mine.get_by_text("It is a patient safety item now.")).to_be_visible()
    expect(mine.get_by_role("button", name="I'm calling")).to_be_visible()
    look(mine, "alarm")


def test_a_worry_is_signed_off_seen_and_made_an_alarm_that_a_colleague_sees(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    doctor, rosa, ines = house.staff("Dr Lindqvist", role="clinician"), house.staff(), house.staff("Ines Moreau")
    walter, teresa = house.patient(first_name="Walter"), house.patient(first_name="Teresa")
    writes(house, walter, WORRYING)  # in shadow mode: nobody is shown anything
    with at(browser, served, doctor) as page:
        page.goto(f"{service}/inbox?view=everyone")
        expect(page.get_by_text("May be a crisis")).to_have_count(0)
        page.goto(f"{service}/settings/second-reading")
        expect(page.get_by_text("Shadow mode").first).to_be_visible()
        look(page, "shadow")
        page.get_by_label("I have read what it finds and what it misses").check()
        page.get_by_role("button", name="Sign it off").click()
        expect(page.get_by_text("Signed off by Dr Lindqvist")).to_be_visible()
        look(page, "signed")
    with at(browser, served, rosa) as mine, at(browser, served, ines) as theirs:
        writes(house, teresa, "what should I bring?")
        writes(house, teresa, WORRYING)
        mine.goto(f"{service}/inbox?view=everyone")
        called_a_crisis(mine)
        theirs.goto(f"{service}/inbox?view=everyone")
        expect(theirs.locator(".row.safety", has_text="Teresa")).to_be_visible()
    with db.unit_of_work(db.EVERY) as session:
        items = session.scalars(select(InboxItem).where(InboxItem.patient_id == teresa.id)).all()
        assert [item.kind for item in items] == ["safety"]
        verdicts = session.scalars(select(SecondReading.verdict_by).where(SecondReading.verdict == "crisis")).all()
        assert verdicts == [rosa.id]


def test_the_month_and_the_sample_are_read_with_the_keyboard_alone(
    browser: Browser, served: Served, unhurried: None
) -> None:
    house, service = served
    kim = house.staff("Kim Park")
    for place in range(3):
        writes(house, house.patient(first_name=f"Person{place}"), ORDINARY)
    with db.unit_of_work(db.EVERY) as session:
        for reading in session.scalars(select(SecondReading).where(SecondReading.tier.is_(None))):
            reading.drawn, reading.at = "2026-W48", reading.at - timedelta(seconds=1)
    with at(browser, served, kim) as page:
        page.goto(f"{service}/second-reading")
        look(page, "month")
        page.get_by_role("link", name=re.compile("Read the sample")).press("Enter")
        expect(page.get_by_role("heading", name="The weekly sample", level=1)).to_be_visible()
        look(page, "sample")
        page.get_by_role("button", name="Neither").press("Enter")
        expect(page.get_by_text("Kept. Here is the next one.")).to_be_visible()


def test_when_the_second_reading_is_off_everybody_is_told(browser: Browser, served: Served, unhurried: None) -> None:
    house, service = served
    ben = house.staff("Ben Okafor")
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        signed = {"by": str(ben.id), "at": "2026-11-30T09:00:00+00:00", "weights": "w"}
        clinic.rules = {**clinic.rules, "second_reading": {"signed": signed}}
    writes(house, house.patient(first_name="Olu"), ORDINARY)
    with db.unit_of_work(db.EVERY) as session:
        last = session.scalars(select(SecondReading).order_by(SecondReading.id.desc()).limit(1)).one()
        last.off, last.at = "slow", datetime.now(UTC)
    with at(browser, served, ben) as page:
        page.goto(f"{service}/inbox?view=everyone")
        expect(page.get_by_text("The second reading is off")).to_be_visible()
        look(page, "off")
    with db.unit_of_work(db.EVERY) as session:
        for reading in session.scalars(select(SecondReading)):
            reading.off = None
