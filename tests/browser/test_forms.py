"""Every page a patient can see in a browser: small phones, large letters, no script, keys alone, two languages."""

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from config import db, keys, runtime, settings
from intake_links import links, tablet_codes
from messaging.models import Clinic, Patient
from messaging.people import directory
from service import app as application
from service.embedded import ports
from tests.browser import kit

pytestmark = pytest.mark.xdist_group("browser")
BORN = date(1981, 3, 27)
# (width, height): two small phones, and a desk at 400 % where 1280 x 1024 is left with a quarter of each.
SIZES = [(320, 640), (360, 740), (320, 256)]


@dataclass
class Site:
    """The service in a thread of this process, and what stands in its database."""

    clinic_id: UUID
    address: str
    count: int = 0

    def patient(self, session, language: str) -> tuple[Clinic, Patient]:  # type: ignore[no-untyped-def]
        self.count += 1
        clinic = session.get_one(Clinic, self.clinic_id)
        record = directory.PatientRecord(
            f"r{self.count}", "Jo", "Lane", f"+1201555{100 + self.count:04}", BORN, language=language
        )
        return clinic, directory.save_patient(session, clinic, record)[0]

    def link(self, *instruments: str, language: str = "en") -> str:
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = self.patient(session, language)
            return links.issue(session, clinic, patient, list(instruments))[1]

    def code(self, *instruments: str) -> str:
        with db.unit_of_work(db.EVERY) as session:
            clinic, patient = self.patient(session, "en")
            return tablet_codes.start(session, clinic, patient, list(instruments), actor="staff:test")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data: Path = tmp_path_factory.mktemp("site")
    port = ports.free_port()
    address = f"http://127.0.0.1:{port}"
    facts = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "a token of no account"}
    facts |= {"WARMTHREAD_PUBLIC_URL": address, "WARMTHREAD_DATA_DIR": str(data)}
    runtime.configure(settings.load(facts))
    keys.ring()
    served = application.create_app()
    db.Base.metadata.create_all(db.engine())
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(session, name="Alder Street Clinic", zone="America/Denver", number="+12015550100")
        clinic_id = clinic.id
    server = make_server("127.0.0.1", port, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(clinic_id, address)
    server.shutdown()
    thread.join()
    db.engine().dispose()
    shutil.rmtree(data, ignore_errors=True)


def _born(page: Page) -> None:
    for name, value in (("day", "27"), ("month", "3"), ("year", "1981")):
        page.locator(f"#{name}").fill(value)
    page.locator("button.main").click()


def _choose(page: Page, value: int) -> None:
    page.locator(f'input[name="answer"][value="{value}"]').check()
    page.locator("button.main").click()


def tour(page: Page, site: Site, language: str, seen: Callable[[str], None]) -> None:
    """Go through every page there is, as a patient would, and call `seen` with its name at each."""
    page.goto(site.link("phq2", "audit_c", language=language))
    seen("start")
    page.locator("button.main").click()
    seen("start, nothing filled in")
    _born(page)
    seen("question 1")
    page.locator("button.main").click()
    seen("question 1, nothing chosen")
    for value in (2, 2):
        _choose(page, value)
    seen("question 3 of the form that grew")
    for _ in range(5):
        _choose(page, 1)
    seen("the longest question")
    page.locator("button[name=skip]").click()
    seen("item nine")
    _choose(page, 1)
    seen("help")
    page.locator("a.button").click()
    seen("check")
    page.locator("button.main").click()
    page.locator("a.button").click()
    seen("another part")
    _choose(page, 0)
    page.locator("button.main").click()
    page.locator("a.button").click()
    seen("thanks")
    _tour_of_dead_ends(page, site, language, seen)


def _tour_of_dead_ends(page: Page, site: Site, language: str, seen: Callable[[str], None]) -> None:
    page.goto(f"{site.address}/i/{'A' * 22}?lang={language}")
    seen("closed")
    page.locator("button.main").click()
    seen("asked")
    page.goto(f"{site.address}/k?lang={language}")
    seen("code")
    page.locator("#code").fill("12")
    page.locator("button.main").click()
    seen("code, wrong")
    page.goto(f"{site.address}/k/still?lang={language}")
    seen("still")
    page.goto(f"{site.address}/k/ended?lang={language}")
    seen("ended")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en", "es"])
def test_no_page_breaks_a_rule_or_is_wider_than_the_screen(
    browser: Browser, site: Site, size: tuple[int, int], language: str
) -> None:
    inside = kit.context(browser, size, dark=size == SIZES[1])
    page = inside.new_page()

    def seen(name: str) -> None:
        kit.check(page)
        assert page.locator('footer a[href="tel:988"]').count() == 1, name
        assert page.locator("html").get_attribute("lang") == language, name

    tour(page, site, language, seen)
    inside.close()


def test_what_can_be_pressed_is_large_enough_for_a_thumb(browser: Browser, site: Site) -> None:
    inside = kit.context(browser, SIZES[0])
    page = inside.new_page()
    small: list[str] = []

    def seen(name: str) -> None:
        for control in page.locator("main button, main .button, main label:has(input[type=radio]), main .way").all():
            box = control.bounding_box()
            if box and box["height"] < 40:
                small.append(f"{name}: {control.inner_text()} {box['height']}")

    tour(page, site, "en", seen)
    inside.close()
    assert small == []


def test_a_form_is_finished_by_keys_alone_and_without_script(browser: Browser, site: Site) -> None:
    inside = kit.context(browser, SIZES[1], script=False)
    page = inside.new_page()
    page.goto(site.link("gad2"))
    page.locator("#month").focus()
    for value in ("3", "27", "1981"):
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for number in (1, 2):
        expect(page.get_by_text(re.compile(f"^Question {number}$"))).to_be_visible()
        while not page.locator('input[name="answer"]').first.evaluate("e => e === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    while not page.locator("button.main").evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Thank you"))).to_be_visible()
    inside.close()


def test_every_page_with_its_stylesheet_weighs_less_than_thirty_kilobytes(browser: Browser, site: Site) -> None:
    inside = kit.context(browser, SIZES[0])
    page = inside.new_page()
    style = len(page.goto(f"{site.address}/i/static/form.css").body())  # type: ignore[union-attr]
    heaviest: dict[str, int] = {}
    tour(page, site, "es", lambda name: heaviest.update({name: style + len(page.content().encode())}))
    inside.close()
    assert max(heaviest.values()) < 30_000, heaviest


def test_the_tablet_opens_by_its_code_and_forgets_after_sending(browser: Browser, site: Site) -> None:
    runtime.forget("throttle.memory")  # the wrong codes of the tours before came from this address too
    inside = kit.context(browser, (768, 1024), script=False)
    page = inside.new_page()
    page.goto(f"{site.address}/k")
    page.locator("#code").fill(site.code("gad2"))
    page.locator("button.main").click()
    _choose(page, 1)
    _choose(page, 0)
    page.locator("button.main").click()
    expect(page.get_by_text("Please give the tablet back to the care team.")).to_be_visible()
    for _ in range(4):
        page.go_back()
        expect(page.get_by_text("Several days")).to_have_count(0)
    page.goto(f"{site.address}/i/q/1/1")
    expect(page.get_by_text("Several days")).to_have_count(0)
    inside.close()
