"""The page of what goes back to an EHR, in a browser: ticked, looked at before, refused in words, written again."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import db, runtime
from messaging.models import Clinic, Patient
from reminders import handoffs
from reminders.handoffs import Wishes
from tests.browser import kit, place
from tests.browser.place import Served
from tests.interchange.polling.asked_ehrs import Asked
from tests.phones import Network
from tests.records.writing.kit import Writes, answered
from tests.web.conftest import House

SIZES = {"narrow": (390, 844), "wide": (1440, 900)}


@pytest.fixture(scope="module")
def epic(served: Served, network_url: str) -> Writes:
    house, _ = served
    runtime._settings = runtime.settings().model_copy(update={"ehr_networks": "127.0.0.0/8"})
    network = Network(network_url)
    network.ask("DELETE", "/sim")
    ehr = Asked(network, house.clinic)
    ehr.patient()
    return Writes(ehr, kinds=[], forms=[])


def shot(page: Page, name: str) -> None:
    kit.check(page)
    if "SHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["SHOTS"], f"written-{name}.png"), full_page=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_what_goes_back_is_ticked_looked_at_refused_and_written_again(
    browser: Browser, served: Served, epic: Writes, size: str, dark: bool
) -> None:
    house, service = served
    name = f"{size}-{dark}"
    with place.at(browser, served, house.staff("Ada", role="clinic_admin"), size=SIZES[size], dark=dark) as page:
        page.goto(f"{service}/feeds/{epic.ehr.feed_id}/writing")
        page.get_by_label("Answers and scores", exact=True).check()
        page.get_by_label("The answers (QuestionnaireResponse)").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved. What is owed to the EHR is written from now on.")).to_be_visible()
        answered(house.clinic, event=f"{name} first")
        epic.drain()
        epic.faults({"method": "POST", "path": "QuestionnaireResponse", "code": "59100", "times": 1})
        answered(house.clinic, event=f"{name} second")
        epic.drain()
        answered(house.clinic, event=f"{name} third")
        page.get_by_role("button", name="Show what would be sent").click()
        expect(page.get_by_text("Nothing was sent.")).to_be_visible()
        page.locator("summary", has_text="QuestionnaireResponse").first.click()
        shot(page, name)
        page.goto(f"{service}/feeds/{epic.ehr.feed_id}/writing")
        expect(page.get_by_text("The EHR says that its content cannot be so")).to_be_visible()
        page.get_by_role("button", name="Write it again").first.click()
        expect(page.get_by_text("It is written again.")).to_be_visible()
        epic.drain()
        page.reload()
        expect(page.get_by_text("Refused: somebody must look at it")).to_have_count(0)
        if "SHOTS" in os.environ:
            page.goto(f"{epic.network.url}/ehrs")
            page.screenshot(path=Path(os.environ["SHOTS"], f"simulator-{name}.png"), full_page=True)


def referred(house: House) -> None:
    """A colleague refers the patient whom the EHR knows, for another day."""
    colleague = house.staff("Bo")
    with db.unit_of_work(house.clinic.id) as session:
        own = session.get_one(Clinic, house.clinic.id)
        patient = session.scalars(select(Patient).order_by(Patient.id)).first()
        assert patient is not None
        db.load_keys(session, {patient.key_id, own.key_id})
        wishes = Wishes(note="Sleeps badly.", modality="later")
        handoffs.request(session, own, patient, requested_by=f"staff:{colleague.id}", wishes=wishes)


@pytest.mark.parametrize("size", SIZES)
def test_referrals_and_the_texts_of_a_day_are_ticked_and_a_referral_stands_in_the_ehr(
    browser: Browser, served: Served, epic: Writes, size: str
) -> None:
    house, service = served
    with place.at(browser, served, house.staff("Ada", role="clinic_admin"), size=SIZES[size], dark=False) as page:
        page.goto(f"{service}/feeds/{epic.ehr.feed_id}/writing")
        page.get_by_label("Warm handoffs and referrals").check()
        page.get_by_label("The text messages of a day").check()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved. What is owed to the EHR is written from now on.")).to_be_visible()
        referred(house)
        page.get_by_role("button", name="Show what would be sent").click()
        page.locator("summary", has_text="ServiceRequest").first.click()
        expect(page.get_by_text("Sleeps badly.")).to_have_count(0)
        shot(page, f"referral-{size}")
        epic.drain()
        page.goto(f"{service}/feeds/{epic.ehr.feed_id}/writing")
        row = page.get_by_role("row").filter(has_text="Warm handoffs and referrals").first
        expect(row).to_contain_text("Written")
        page.goto(f"{epic.network.url}/ehrs")
        expect(page.get_by_text("Referral to behavioral health").first).to_be_visible()
        if "SHOTS" in os.environ:
            page.screenshot(path=Path(os.environ["SHOTS"], f"simulator-referral-{size}.png"), full_page=True)
