"""The patient's own page in a browser: a small phone, a desk at 400 %, both languages, day and night, keys alone."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from config import db, keys, runtime, settings
from intake_links import links
from messaging.models import Clinic
from messaging.people import directory
from reminders import appointments
from service import app as application
from service.embedded import ports
from tests import midday
from tests.browser import kit

pytestmark = pytest.mark.xdist_group("browser")
BORN = date(1981, 3, 27)
# A small phone, and a desk at 400 % where 1280 x 1024 is left with a quarter of each.
LOOKS = [
    ((320, 640), "en", False),
    ((320, 640), "es", True),
    ((320, 256), "es", False),
    ((320, 640), "en", True),
]


@dataclass
class Site:
    """The service in a thread of this process, and what stands in its database."""

    clinic_id: UUID
    address: str
    count: int = 0

    def link(self, language: str = "en") -> str:
        """A link to the page of somebody new, who has a visit today, one in some days, and one that is cancelled."""
        self.count += 1
        now = datetime.now(UTC)
        with db.unit_of_work(db.EVERY) as session:
            clinic = session.get_one(Clinic, self.clinic_id)
            record = directory.PatientRecord(
                f"r{self.count}",
                "Jo",
                "Lane",
                f"+1201555{100 + self.count:04}",
                BORN,
                language,
                privacy="details",
            )
            patient = directory.save_patient(session, clinic, record)[0]
            for ahead, state in ((1, "booked"), (72, "booked"), (120, "cancelled")):
                visit = appointments.VisitRecord(
                    external_id=f"V{self.count}-{ahead}",
                    record="",
                    starts_at=now + timedelta(hours=ahead),
                    zone=clinic.zone,
                    booked_at=now - timedelta(days=9),
                    place="Blue entrance, second floor",
                    state=state,
                )
                appointments.save(session, clinic, patient, visit)
            return links.issue(session, clinic, patient, [])[1]


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
        zone = midday.zone(datetime.now(UTC))  # where it is the middle of the day, so that today has hours left
        clinic = directory.add_clinic(session, name="Alder Street Clinic", zone=zone, number="+12015550100")
        clinic_id = clinic.id
    server = make_server("127.0.0.1", port, served, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Site(clinic_id, address)
    server.shutdown()
    server.server_close()
    thread.join()
    db.engine().dispose()
    shutil.rmtree(data, ignore_errors=True)


def _enter(page: Page, link: str) -> None:
    page.goto(link)
    for name, value in (("day", "27"), ("month", "3"), ("year", "1981")):
        page.locator(f"#{name}").fill(value)
    _press(page, "button.main")


def _press(page: Page, button: str) -> None:
    """Press a button and wait for the page that it leads to."""
    with page.expect_navigation():
        page.locator(button).first.click()


@pytest.mark.parametrize(("size", "language", "dark"), LOOKS)
def test_no_page_breaks_a_rule_or_is_wider_than_the_screen(
    browser: Browser, site: Site, size: tuple[int, int], language: str, dark: bool
) -> None:
    inside = kit.context(browser, size, dark=dark)
    page = inside.new_page()
    page.goto(link := site.link(language))
    kit.check(page)
    _enter(page, link)
    _seen(page, language)
    _press(page, 'button[value="late"]')
    expect(page.get_by_role("status")).to_be_visible()
    _seen(page, language)
    for name in ("language", "hours", "privacy", "texts"):
        page.goto(f"{site.address}/i/me/{name}")
        _seen(page, language)
    _press(page, 'button[value="revoked:reminders"]')
    _seen(page, language)
    page.goto(f"{site.address}/i/me/hours")
    page.locator("#until").select_option(index=1)
    _press(page, "button.main")
    expect(page.get_by_role("alert")).to_be_visible()
    _seen(page, language)
    page.goto(f"{site.address}/i/me")
    _press(page, "form[action$=leave] button")
    _seen(page, language)
    inside.close()


def _seen(page: Page, language: str) -> None:
    kit.check(page)
    assert page.locator("html").get_attribute("lang") == language
    assert page.locator('footer a[href="tel:988"]').count() == 1
    for control in page.locator("main button, main .way, main select, main .change a, main .file a").all():
        box = control.bounding_box()
        assert box is None or box["height"] >= 40, control.inner_text()


def test_a_visit_is_confirmed_and_the_texts_shortened_by_keys_alone_and_without_script(
    browser: Browser, site: Site
) -> None:
    inside = kit.context(browser, (320, 640), script=False)
    page = inside.new_page()
    _enter(page, site.link())
    _tab_to(page, 'button[value="confirm"]')
    page.keyboard.press("Enter")
    expect(page.get_by_text("You said yes. See you then.")).to_be_visible()
    _tab_to(page, 'a[href="/i/me/hours"]')
    page.keyboard.press("Enter")
    _tab_to(page, "#until")
    page.keyboard.press("ArrowUp")
    _tab_to(page, "button.main")
    page.keyboard.press("Enter")
    expect(page.get_by_text("8:00 AM to 7:00 PM")).to_be_visible()
    _tab_to(page, "form[action$=leave] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="This page is closed")).to_be_visible()
    inside.close()


def _tab_to(page: Page, wanted: str) -> None:
    for _ in range(60):
        if page.locator(wanted).first.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {wanted}")


def test_the_calendar_file_is_downloaded_under_a_neutral_name(browser: Browser, site: Site) -> None:
    inside = kit.context(browser, (320, 640))
    page = inside.new_page()
    _enter(page, site.link("es"))
    with page.expect_download() as started:
        page.locator(".file a").first.click()
    assert started.value.suggested_filename == "appointment.ics"
    assert "SUMMARY:Cita\r\n" in started.value.path().read_bytes().decode()
    inside.close()
