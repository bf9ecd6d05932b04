"""The page of a patient as eyes and keys meet it: each part at each size, type-ahead, and forms typed in by digits."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config import audit, clock, db
from messaging.inbox.protocol import PROTOCOL
from messaging.models import Clinic, Patient
from messaging.people import contact_details
from messaging.versions import publishing
from tests.browser import kit
from tests.browser.place import Served, a_reply, at
from tests.web.boards.test_unreached import visit
from tests.web.presenters.test_screen_view import START, hand_in

pytestmark = pytest.mark.xdist_group("browser")
SIZES = ((1440, "light"), (1440, "dark"), (768, "light"), (390, "light"), (320, "light"))
PARTS = ("", "/scores", "/messages", "/visits", "/phones", "/details", "/safety-plan", "/merge", "/summary",
         "/answers", "/answers/phq9", "/record")  # fmt: skip


@dataclass
class Known:
    """A patient of whom everything is known, and the page of a colleague."""

    served: Served
    page: Page
    patient: Patient
    item: str

    def go(self, part: str) -> None:
        answer = self.page.goto(f"{self.served[1]}/patients/{self.patient.id}{part}")
        assert answer is not None
        assert answer.ok, part


@pytest.fixture(scope="module")
def known(browser: Browser, served: Served) -> Iterator[Known]:
    house, _ = served
    rosa = house.staff()
    patient, item = a_reply(house, "Teresa", "I can't go on", kind="safety", owner_id=rosa.id)
    house.item("safety", patient_id=patient.id, summary="earlier words")
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        details = contact_details.ContactDetails("12 Elm St, Denver", "Luis Quintana", "brother", "+12015550144")
        contact_details.write(session, session.get_one(Patient, patient.id), details, audit.OPERATOR, from_files=False)
        lines = {"lines": ["Call the patient.", "Ask about a plan and means."]}
        edit = publishing.save(session, clinic, PROTOCOL, lines, edit=0, actor=audit.OPERATOR).edit
        publishing.publish(session, clinic, PROTOCOL, edit=edit, actor=audit.OPERATOR)
    for days in (70, 42, 14):
        hand_in(house, patient, days, START if days == 70 else [1] * 9)
    visit(house, patient, days=6, hour=9)
    signed = house.signed_in(rosa)
    plan = {"warning_signs": "I stop answering\nmy sister", "means": "Luis keeps the pills"}
    assert signed.post(f"/patients/{patient.id}/safety-plan", **plan).status_code == 303
    with at(browser, served, rosa) as page:
        yield Known(served, page, patient, str(item.id))


def look(page: Page, name: str) -> None:
    for width, scheme in SIZES:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        kit.check(page)
        if folder := os.environ.get("PATIENT_SHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})


@pytest.mark.parametrize("part", PARTS)
def test_each_part_breaks_no_rule_and_is_nowhere_too_wide(known: Known, part: str) -> None:
    known.go(part)
    look(known.page, part.strip("/").replace("/", "-") or "overview")


def test_the_case_shows_the_kit_and_its_protocol(known: Known) -> None:
    known.page.goto(f"{known.served[1]}/inbox/{known.item}?view=everyone")
    look(known.page, "case")
    known.page.get_by_role("button", name="Mark as done: Call the patient.").click()
    expect(known.page.get_by_role("button", name="Done, take back: Call the patient.")).to_be_visible()
    expect(known.page.locator("#outcome > summary")).to_be_visible()


def test_on_paper_stands_what_the_page_is_about_and_no_menu(known: Known) -> None:
    page, case = known.page, f"{known.served[1]}/inbox/{known.item}?view=everyone"
    for where in (*(f"{known.served[1]}/patients/{known.patient.id}{part}" for part in ("", "/scores")), case):
        page.goto(where)
        page.emulate_media(media="print")
        for frame in (".bar", ".views", ".said-above", ".bottom-bar", ".list", ".write"):
            for shown in page.locator(frame).all():
                expect(shown).to_be_hidden()
        expect(page.get_by_role("heading", name="Teresa Quintana", level=1)).to_be_visible()
        page.emulate_media(media="screen")
    page.emulate_media(media="print")
    top, need = (page.locator(part).bounding_box() for part in (".case > .top", ".need"))
    assert top is not None
    assert need is not None
    assert need["y"] >= top["y"] + top["height"]  # nothing lies over who it is
    page.emulate_media(media="screen")


def test_the_parts_are_reached_by_keys_and_are_addresses(known: Known) -> None:
    known.go("")
    parts = known.page.get_by_role("navigation", name="About Teresa")
    parts.get_by_role("link", name="Scores").focus()
    kit.Keys(known.page).press("Enter")
    known.page.wait_for_url("**/scores")
    expect(parts.get_by_role("link", name="Scores")).to_have_attribute("aria-current", "page")


def test_a_patient_is_offered_while_the_name_is_typed_and_nothing_of_it_stands_in_an_address(known: Known) -> None:
    page = known.page
    page.goto(f"{known.served[1]}/patients")
    look(page, "patients")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#looked").press_sequentially("Teres")
    offered = page.get_by_role("main").locator("[data-suggested]").get_by_role("link", name="Teresa Quintana")
    expect(offered.first).to_be_visible()
    kit.Keys(page).press("ArrowDown")
    kit.Keys(page).press("Enter")
    page.wait_for_url(f"**/patients/{known.patient.id}")
    assert not any("teres" in url.lower() for url in asked)


def test_a_paper_form_is_typed_in_by_digits_and_its_total_grows(known: Known) -> None:
    page, keys = known.page, kit.Keys(known.page)
    known.go("/answers/phq9")
    page.get_by_label("From a paper form").check()
    day = (clock.now() - timedelta(days=30)).date().isoformat()
    page.get_by_label("Day it was answered").fill(day)
    page.locator("[data-matrix] input").first.focus()
    for digit in "21100100-":
        keys.press(digit)
    expect(page.locator("[data-total]")).to_contain_text("5 so far, 1 without an answer")
    page.get_by_role("button", name="Save the answers").click()
    expect(page.get_by_text("Does it still tell how they are?")).to_be_visible()
    look(page, "old-paper")
    page.get_by_label("No, or not known").check()
    page.get_by_role("button", name="Save the answers").click()
    page.wait_for_url("**/scores")


def test_a_visit_is_moved_and_put_back(known: Known) -> None:
    page = known.page
    known.go("/visits")
    page.get_by_role("link", name="Move").first.click()
    look(page, "move")
    later = (clock.now() + timedelta(days=8)).strftime("%Y-%m-%dT10:00")
    page.get_by_label("New day and time").fill(later)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("What they will be told")).to_be_visible()
    look(page, "move-check")
    page.get_by_role("button", name="Move it").click()
    expect(page.get_by_text("Moved to")).to_be_visible()
    look(page, "moved")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Everything is as it was")).to_be_visible()


def test_an_act_that_leads_to_another_page_opens_it_at_its_beginning(browser: Browser, served: Served) -> None:
    house, service = served
    patient = house.patient(first_name="Hanna", last_name="Osei")
    with at(browser, served, house.staff("Sam Fields", role="front_desk"), size=(390, 844)) as page:
        page.goto(f"{service}/patients/{patient.id}/emergency")
        page.get_by_label("Somebody may be in danger now").check()
        page.get_by_label("Why you need it").fill("The pharmacist is on the line about a dose; nobody answers.")
        page.get_by_role("button", name="Open the record").click()
        page.wait_for_url(f"**/patients/{patient.id}")
        expect(page.get_by_role("heading", name="Hanna Osei")).to_be_focused()
        assert page.evaluate("document.documentElement.scrollTop") == 0
        kit.check(page)
        page.goto(f"{service}/emergency-access")
        page.get_by_role("button", name="End it now").click()
        expect(page.get_by_text("Open to you now")).to_have_count(0)
