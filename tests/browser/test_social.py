"""Social needs in a browser: the words loaded, asked, followed; the plan against a relapse; each page fit to read."""

import pytest
from playwright.sync_api import Browser, Page, expect

from caseload.social import scoring
from tests.browser import kit
from tests.browser.place import Served, at

pytestmark = pytest.mark.xdist_group("browser")


def look(page: Page) -> None:
    """Check the page on a phone and a desk, by day and at night."""
    for width in (390, 1440):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)


def test_words_are_loaded_a_need_is_found_and_referred(browser: Browser, served: Served) -> None:
    house, service = served
    with at(browser, served, house.staff("Ines Moreau", role="clinic_admin")) as page:
        page.goto(f"{service}/settings/social-needs")
        look(page)
        page.get_by_label("Whose words").fill("Made up for a test")
        said = "\n".join(f"{key} = Made-up words number {number}" for number, key in enumerate(scoring.core().wanted()))
        page.get_by_label("The words").fill(said)
        page.get_by_role("button", name="Put it into use").click()
        expect(page.get_by_text("Tick that the clinic may use these words")).to_be_visible()
        expect(page.get_by_label("The words")).to_have_value(said)
        page.get_by_label("The clinic may use these words").check()
        page.get_by_role("button", name="Put it into use").click()
        expect(page.get_by_text("It is asked from now on.")).to_be_visible()
        look(page)
    patient = house.patient(first_name="Walter", last_name="Nowak")
    with at(browser, served, house.staff("Rosa Delgado")) as page:
        page.goto(f"{service}/patients/{patient.id}/scores")
        look(page)
        page.get_by_role("link", name="Social needs and referrals").click()
        page.get_by_role("link", name="Ask in person").click()
        look(page)
        page.get_by_label("Made-up words number 2", exact=True).check()
        page.get_by_role("button", name="Save the answers").click()
        expect(page.get_by_text("Each need is a task of yours now.")).to_be_visible()
        page.get_by_label("Referred to").fill("Cedar Shelter, intake on Tuesday")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Referred to Cedar Shelter, intake on Tuesday")).to_be_visible()
        look(page)
        page.get_by_role("link", name="Close it with what came of it").click()
        page.get_by_role("button", name="Connected with a service").click()
        page.goto(f"{service}/patients/{patient.id}/scores")
        expect(page.get_by_text("Housing: need")).to_be_visible()
        look(page)


def test_a_plan_against_a_relapse_is_written(browser: Browser, served: Served) -> None:
    house, service = served
    patient = house.patient(first_name="Ada", last_name="Reyes")
    with at(browser, served, house.staff("Rosa Delgado")) as page:
        page.goto(f"{service}/patients/{patient.id}/relapse-plan")
        page.get_by_label("What helps").fill("A walk each day\nMy sister")
        page.get_by_label("reads it on their own page").check()
        page.get_by_role("button", name="Save the plan").click()
        expect(page.get_by_role("link", name="Print it (PDF)")).to_be_visible()
        expect(page.get_by_label("reads it on their own page")).to_be_checked()
        look(page)
