"""How we did in a browser: published, asked, answered on a phone by keyboard, and a crisis in it rings."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from caseload.models import SatisfactionWatch
from caseload.satisfaction import asking
from config import db
from messaging.models import Message, Patient
from tests.browser import kit
from tests.browser.place import Served, at
from tests.web.caseload.seeding import Scene, enrolled, with_registry

pytestmark = pytest.mark.xdist_group("browser")


def look(page: Page) -> None:
    """Check the page on a phone, a tablet and a desk, by day and at night."""
    for width in (390, 768, 1440):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)


def asked(scene: Scene, patient: Patient) -> str:
    """Have somebody asked who has been in care for 90 days; return the path of the link they were texted."""
    enrolled(scene, patient, days_ago=90)
    with db.unit_of_work(db.EVERY) as session:
        asking.look(session, session.scalars(select(SatisfactionWatch)).all())
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        text = session.scalars(select(Message).where(Message.patient_id == patient.id)).one()
        db.load_keys(session, [text.key_id])
        found = re.search(r"/i/[\w-]+", text.body or "")
        assert found is not None
        return found[0]


def born(page: Page) -> None:
    """Say the birth date."""
    for label, said in (("Month", "3"), ("Day", "2"), ("Year", "1985")):
        page.get_by_label(label, exact=True).fill(said)
    page.keyboard.press("Enter")


def test_the_clinic_publishes_patients_answer_and_a_crisis_is_heard(browser: Browser, served: Served) -> None:
    house, service = served
    scene = with_registry(house)
    with at(browser, served, house.staff("Ines Moreau", role="clinic_admin")) as page:
        published(page, service)
    patient = house.patient(first_name="Walter", last_name="Nowak")
    path = asked(scene, patient)
    phone = kit.context(browser, kit.PHONE)
    answered(phone.new_page(), f"{service}{path}")
    phone.close()
    with at(browser, served, house.staff("Lea Brandt", role="care_manager")) as page:
        page.goto(f"{service}/inbox?view=everyone")
        expect(page.get_by_text("Nowak").first).to_be_visible()
        page.goto(f"{service}/patients/{patient.id}/care")
        expect(page.get_by_text("nobody reads an answer by name")).to_be_visible()
        look(page)
        page.goto(f"{service}/review/words")
        expect(page.get_by_text("Nothing can be read yet")).to_be_visible()
        look(page)
        page.goto(f"{service}/review")
        look(page)


def published(page: Page, service: str) -> None:
    """An administrator leaves one question out, first in one language only, and publishes the rest."""
    page.goto(f"{service}/settings/satisfaction")
    look(page)
    page.get_by_label("Ask patients how we did").check()
    page.get_by_label("Third question, English").fill("")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("give it in both languages, or in neither").first).to_be_visible()
    look(page)
    page.get_by_label("Third question, Spanish").fill("")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_label("Reason").fill("To learn how we do")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#desk-title")).to_contain_text("Live")


def answered(page: Page, link: str) -> None:
    """A patient answers by keyboard and writes of a crisis."""
    page.goto(link)
    look(page)
    born(page)
    expect(page.get_by_role("heading", name="How did we do?")).to_be_visible()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page)
    page.locator("#q1-5").focus()
    page.keyboard.press("ArrowDown")  # from the best to the next
    page.get_by_label("Is there something you want to tell us?").focus()
    page.keyboard.type("You were kind, but I want to kill myself.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="You do not have to carry this alone")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you for telling us.")).to_be_visible()
    look(page)
