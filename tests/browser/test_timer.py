"""The timer of work in a browser: it runs on every page, pauses when nobody is there, and goes on by itself."""

import pytest
from playwright.sync_api import Browser, Page, expect

from caseload.models import CareEntry
from config import clock, db
from tests.browser import kit
from tests.browser.place import Served, at
from tests.web.caseload.seeding import with_registry

pytestmark = pytest.mark.xdist_group("browser")
# How the page takes itself to be out of sight, or in sight again.
SEEN = """hidden => { Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
document.dispatchEvent(new Event("visibilitychange")) }"""


def look(page: Page) -> None:
    for width in (320, 390, 768, 1440):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            kit.check(page)


def test_it_runs_pauses_goes_on_survives_a_reload_and_is_confirmed(browser: Browser, served: Served) -> None:
    scene = with_registry(served[0])
    patient = scene.house.patient(first_name="Teresa", last_name="Quill")
    assert scene.browser.post(f"/patients/{patient.id}/care", **scene.form()).status_code == 303
    with at(browser, served, scene.rosa) as page:
        page.clock.install(time=clock.now())
        page.goto(f"{served[1]}/patients/{patient.id}/care")
        offered_after_a_minute(page)
        page.get_by_role("button", name="Time this work").click()
        running = page.get_by_text("Timing your work for")
        expect(running).to_be_visible()
        pauses_and_goes_on(page)
        page.goto(f"{served[1]}/caseload")
        expect(running).to_be_visible()
        look(page)
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.get_by_text("Paused, your work for")).to_be_visible()
        page.mouse.move(200, 200)
        page.reload()
        expect(page.get_by_text("Paused, your work for")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Go on").press("Enter")
        expect(running).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).press("Enter")
        expect(page.get_by_text("What you timed waits on this page")).to_be_visible()
        page.get_by_text("From when to when").click()
        look(page)
        page.get_by_role("button", name="Save").first.click()
        expect(page.get_by_text("Written down.")).to_be_visible()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.query(CareEntry).count() > 0


def offered_after_a_minute(page: Page) -> None:
    """Whoever works on the page is offered to time it from when they opened it."""
    said = page.locator("[data-proposed]")
    expect(said).to_be_hidden()
    for place in range(8):
        page.mouse.move(100 + place, 300)
        page.clock.run_for(9_000)
    expect(said).to_be_visible()


def pauses_and_goes_on(page: Page) -> None:
    """Nobody there for five minutes, or another program in front: nothing counts until somebody does something."""
    paused = page.get_by_text("Paused, your work for")
    page.clock.run_for(301_000)
    expect(paused).to_be_visible()
    expect(page.get_by_text("nothing was done here for five minutes")).to_be_visible()
    page.mouse.move(300, 300)
    expect(page.get_by_text("Timing your work for")).to_be_visible()
    page.evaluate(SEEN, True)
    page.clock.run_for(7_000)
    expect(paused).to_be_visible()
    page.evaluate(SEEN, False)
    expect(page.get_by_text("Timing your work for")).to_be_visible()


def test_nothing_of_it_needs_a_script(browser: Browser, served: Served) -> None:
    scene = with_registry(served[0])
    patient = scene.house.patient(first_name="Ana", last_name="Moss")
    assert scene.browser.post(f"/patients/{patient.id}/care", **scene.form()).status_code == 303
    with at(browser, served, scene.rosa, script=False) as page:
        page.goto(f"{served[1]}/patients/{patient.id}")
        page.get_by_role("button", name="Time this work").click()
        expect(page.get_by_text("Timing your work for")).to_be_visible()
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.get_by_text("Paused, your work for")).to_be_visible()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("Paused, your work for")).to_have_count(0)
