"""From a clinic without a registry to a discharge with goals met, in four browsers."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from caseload.models import Episode
from config import clock, db
from messaging.models import Patient, Staff
from tests.browser import kit
from tests.browser.place import Served, at
from tests.web.caseload.seeding import answer, back, enrolled, with_registry
from tests.web.conftest import House

pytestmark = pytest.mark.xdist_group("browser")


def look(page: Page) -> None:
    """Check the page on a phone, a tablet and a desk, by day and at night."""
    for width in (320, 390, 768, 1440):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)


def weeks_pass(house: House, patient: Patient, weeks: int, *points: int) -> None:
    """Let the episode have begun so many weeks ago, and the patient have answered every week since."""
    with db.unit_of_work(db.EVERY) as session:
        episode = session.scalars(select(Episode).where(Episode.patient_id == patient.id)).one()
        back(episode, timedelta(weeks=weeks))
    for week, total in enumerate(points):
        answer(house, patient, 7 * (weeks - week), total)


def test_an_administrator_chooses_a_model_with_a_registry(browser: Browser, served: Served) -> None:
    house, service = served
    with at(browser, served, house.staff("Ines Moreau", role="clinic_admin")) as page:
        page.goto(f"{service}/settings/care")
        look(page)
        page.get_by_label("Collaborative Care").check()
        page.get_by_label("Days without a score").fill("28")
        page.get_by_role("button", name="Save draft").click()
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_text("Published. It holds from this moment.")).to_be_visible()


def test_somebody_who_does_not_improve_is_reviewed_changed_and_gets_well(browser: Browser, served: Served) -> None:
    house, service = served
    rosa, ames = house.staff("Rosa Delgado"), house.staff("Dr Ames", role="clinician")
    silva = house.staff("Dr Silva", role="psychiatric_consultant")
    patient = house.patient(first_name="Walter", last_name="Nowak")
    with at(browser, served, rosa) as page:
        page.goto(f"{service}/caseload")
        look(page)
        enrol(page, service, patient)
        weeks_pass(house, patient, 9, 18, 17, 18, 16, 17, 18, 16, 17, 17)
        page.goto(f"{service}/caseload")
        row = page.get_by_role("row", name="Walter Nowak")
        for reason in ("score 17", "not better in week 9", "review due"):
            expect(row.get_by_text(reason)).to_be_visible()
        look(page)
        row.get_by_role("link", name="Walter Nowak").click()
        look(page)
        page.get_by_label("Ask the consultant").fill("He takes it every day. What next?")
        page.get_by_role("button", name="Put on the list").click()
        expect(page.get_by_text("On the consultant’s list")).to_be_visible()
    reviewed(browser, served, silva)
    done(browser, served, ames, patient)
    answer(house, patient, 0, 3)
    with at(browser, served, rosa) as page:
        got_well(page, service, patient)


def test_the_consultant_goes_from_one_person_to_the_next_by_a_key(browser: Browser, served: Served) -> None:
    house, service = served
    scene = with_registry(house)
    for name in ("Ada", "Bea"):
        patient = house.patient(first_name=name, last_name="Lind")
        enrolled(scene, patient, days_ago=60)
        answer(house, patient, 59, 18)
        answer(house, patient, 2, 17)
    with at(browser, served, scene.silva) as page:
        page.goto(f"{service}/caseload/reviews")
        page.get_by_role("link", name="Begin").click()
        page.wait_for_load_state()
        first = page.locator("main h1").inner_text()
        page.get_by_label("What is recommended, and why").press("j")
        expect(page.locator("main h1")).to_have_text(first)
        page.get_by_label("What is recommended, and why").fill("")
        page.locator("main h1 a").focus()
        kit.Keys(page).press("j")
        expect(page.locator("main h1")).not_to_have_text(first)
        kit.Keys(page).press("u")
        expect(page.get_by_role("heading", name="Consultant’s list")).to_be_visible()


def enrol(page: Page, service: str, patient: Patient) -> None:
    page.goto(f"{service}/patients/{patient.id}")
    page.get_by_role("link", name="Care", exact=True).click()
    look(page)
    expect(page.locator("input[name=consent]:checked")).to_have_count(0)
    page.get_by_label("Verbally", exact=False).check()
    page.get_by_role("button", name="Enroll").click()
    expect(page.locator("#problem")).to_contain_text("cost sharing first")
    page.get_by_label("They know that a consultant").check()
    page.get_by_label("Psychiatric consultant").select_option(label="Dr Silva")
    page.get_by_label("Treating clinician").select_option(label="Dr Ames")
    page.get_by_role("button", name="Enroll").click()
    expect(page.get_by_text("Enrolled.")).to_be_visible()


def reviewed(browser: Browser, served: Served, silva: Staff) -> None:
    """The consultant goes through the list by keys and says what to change."""
    with at(browser, served, silva) as page:
        page.goto(f"{served[1]}/caseload/reviews")
        look(page)
        page.get_by_role("link", name="Begin").click()
        expect(page.get_by_text("He takes it every day. What next?")).to_be_visible()
        look(page)
        page.get_by_label("Recommend a change").check()
        page.get_by_label("What is recommended, and why").fill("Add mirtazapine 15 mg at night.")
        page.get_by_role("button", name="Save and go on").click()
        expect(page.get_by_text("Saved.")).to_be_visible()


def done(browser: Browser, served: Served, ames: Staff, patient: Patient) -> None:
    """Who treats him finds it as a task, and says what came of it."""
    with at(browser, served, ames, size=kit.PHONE) as page:
        page.goto(f"{served[1]}/tasks")
        page.get_by_role("link", name="Act on the consultant’s recommendation").first.click()
        expect(page.get_by_text("Add mirtazapine 15 mg at night.").first).to_be_visible()
        kit.check(page)
        page.get_by_role("button", name="Done", exact=True).click()
        expect(page.get_by_text("Closed, with what came of it.")).to_be_visible()
        page.goto(f"{served[1]}/patients/{patient.id}/care")
        expect(page.get_by_text("Dr Ames: done")).to_be_visible()


def got_well(page: Page, service: str, patient: Patient) -> None:
    """Written down, into relapse prevention, and discharged with goals met; the row says remission to the end."""
    page.goto(f"{service}/patients/{patient.id}/care")
    expect(page.get_by_text("remission").first).to_be_visible()
    page.get_by_text("Log work").click()
    page.get_by_label("Minutes").fill("20")
    began = page.get_by_label("Began")
    began.fill((clock.now() - timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("spoke with them")).to_be_visible()
    page.locator("summary", has_text="Relapse prevention").click()
    page.get_by_label("Next check on").fill((clock.now() + timedelta(days=30)).date().isoformat())
    page.get_by_role("button", name="Begin relapse prevention").click()
    expect(page.get_by_role("heading", name="Relapse prevention, 9 wk in care")).to_be_visible()
    look(page)
    plan_written(page, service)
    page.goto(f"{service}/patients/{patient.id}/care")
    page.locator("summary", has_text="Discharge").click()
    page.get_by_label("Goals met").check()
    page.get_by_role("button", name="Discharge", exact=True).click()
    expect(page.get_by_text("PHQ-9 18 → 3")).to_be_visible()
    expect(page.get_by_role("button", name="Take the discharge back")).to_be_visible()
    look(page)


def plan_written(page: Page, service: str) -> None:
    """In the registry of plans they stand without one, until it is written with them."""
    page.goto(f"{service}/caseload")
    page.locator("summary", has_text="More").click()
    page.get_by_role("link", name="Relapse plans").click()
    row = page.get_by_role("row", name="Walter Nowak")
    expect(row.get_by_text("no plan written")).to_be_visible()
    look(page)
    row.get_by_role("link", name="Write").click()
    page.get_by_label("Signs that it is coming back").fill("He stays in bed, and does not answer the phone.")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{service}/caseload/relapse-plans")
    expect(row.get_by_text("Rosa Delgado").first).to_be_visible()
    expect(row.get_by_text("no plan written")).to_have_count(0)
