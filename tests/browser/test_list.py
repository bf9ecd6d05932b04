"""The list in a browser: single keys, several at once, the filter, and a way through it without script."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from config import db, keys, runtime, settings
from messaging.inbox import items
from messaging.people import directory
from service import app as application
from tests.browser import kit
from web.account import signin

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a clinic's inbox with one safety item and one reply; `door` with /signin lets Ben in."""
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_made", {})
    environ = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "a token of no account"}
    environ |= {"WARMTHREAD_PUBLIC_URL": "http://localhost:8000", "WARMTHREAD_DATA_DIR": str(tmp_path)}
    runtime.configure(settings.load(environ))
    keys.ring()
    app = application.create_app()
    db.Base.metadata.create_all(db.engine())
    with db.unit_of_work(db.EVERY) as session:
        clinic = directory.add_clinic(
            session, name="Alder Street", zone="America/Denver", number="+12025550100", phone="+12025550199"
        )
    with db.unit_of_work(clinic.id) as session:
        ben = directory.add_staff(session, clinic, name="Ben Okafor", email="ben@clinic.example")
        for kind, first, summary in (("safety", "Teresa", "needs a person"), ("reply", "Joy", "my daughter")):
            record = directory.PatientRecord(first, first, "Quintana", None, None)
            patient, _ = directory.save_patient(session, clinic, record)
            items.open_item(
                session, clinic, kind=kind, about=f"patient:{patient.id}", dedupe=kind, summary=summary,
                patient_id=patient.id, owner_id=ben.id,
            )  # fmt: skip
        link = signin.make_link(session, ben, "once", timedelta(hours=1))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield link.replace(":8000", f":{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    db.engine().dispose()


def enter(inside: BrowserContext, door: str) -> Page:
    """Ben's page after he has come in."""
    page = inside.new_page()
    page.goto(f"{door}?next=/inbox")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/inbox*")
    return page


@pytest.fixture
def page(browser: Browser, door: str) -> Iterator[Page]:
    """Ben's page with the whole clinic's list."""
    inside = kit.context(browser, kit.DESK)
    signed = enter(inside, door)
    kit.Keys(signed).press("6")
    expect(signed.get_by_role("heading", name="All open")).to_be_visible()
    yield signed
    inside.close()


def go_to(page: Page, words: str) -> None:
    """From the first row press j until the row with these words is in focus."""
    row = page.locator(".row", has_text=words).first
    page.locator(".row").first.focus()
    kit.Keys(page).press("k")
    if row.evaluate("row => row === document.activeElement"):
        return
    for _ in range(page.locator(".row").count()):
        kit.Keys(page).press("j")
        if row.evaluate("row => row === document.activeElement"):
            return
    raise AssertionError(f"no key leads to {words}")


def test_several_are_chosen_by_key_but_never_a_safety_item(page: Page) -> None:
    go_to(page, "Patient safety")
    kit.Keys(page).press("x")
    expect(page.locator("#bulk")).to_be_hidden()
    go_to(page, "daughter")
    kit.Keys(page).press("x")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    kit.check(page)
    kit.Keys(page).press("x")
    expect(page.locator("#bulk")).to_be_hidden()


def test_a_key_acts_on_the_row_in_focus_and_never_on_another_case_that_is_open(page: Page) -> None:
    go_to(page, "Patient safety")
    kit.Keys(page).press("o")
    page.locator("main[data-item]").wait_for()
    open_case = page.url
    go_to(page, "daughter")
    kit.Keys(page).press("e")
    page.wait_for_url(lambda url: url.split("#")[0] != open_case)
    expect(page.locator(".row[aria-current]")).to_contain_text("daughter")
    expect(page.locator("[data-key=e]")).to_be_focused()
    expect(page.get_by_text("Resolved by")).to_have_count(0)
    kit.Keys(page).press("u")
    expect(page.locator("main[data-item]")).to_have_count(0)
    expect(page.locator(".row", has_text="daughter").first).to_be_focused()
    page.get_by_label("Find a patient").press_sequentially("u6")
    expect(page.get_by_label("Find a patient")).to_have_value("u6")


def test_the_filter_opens_narrows_and_closes_by_keys(page: Page) -> None:
    kit.Keys(page).press("f")
    expect(page.locator("select[name=kind]")).to_be_focused()
    kit.Keys(page).press("Escape")
    expect(page.locator("details.filter > summary")).to_be_focused()
    kit.Keys(page).press("f")
    kit.Keys(page).type("Patient")
    kit.Keys(page).press("Enter")
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    page.wait_for_url(re.compile("kind=safety"))
    expect(page.locator(".row", has_text="daughter")).to_have_count(0)
    kit.check(page)


def test_keys_that_are_switched_off_do_nothing(browser: Browser, door: str) -> None:
    inside = kit.context(browser, kit.DESK)
    page = enter(inside, door)
    page.get_by_text("Ben Okafor").first.click()
    page.get_by_role("link", name="Preferences").click()
    page.get_by_role("switch", name="Single keys").uncheck()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    kit.check(page)
    page.get_by_role("link", name="My items").click()
    for key in "6j?f":
        kit.Keys(page).press(key)
    expect(page.get_by_role("heading", name="My items")).to_be_visible()
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("details.filter > form")).to_be_hidden()
    inside.close()


def test_the_list_is_filtered_and_a_filter_kept_without_script_on_a_small_screen(browser: Browser, door: str) -> None:
    scripted = kit.context(browser, (320, 640))
    twin = enter(scripted, door)
    inside = kit.context(browser, (320, 640), script=False)
    inside.add_cookies(scripted.cookies())  # type: ignore[arg-type]
    page = inside.new_page()
    page.goto(re.sub("/signin.*", "/inbox?view=everyone", door))
    page.locator("details.filter > summary").click()
    page.locator("select[name=kind]").select_option(label="Reply")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".row", has_text="daughter")).to_be_visible()
    expect(page.locator(".row", has_text="Patient safety")).to_have_count(0)
    page.locator(".pick input").first.check()
    expect(page.locator("#bulk")).to_be_visible()
    page.get_by_text("Keep this filter").click()
    page.get_by_label("Name of the filter").fill("Replies")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator(".views").get_by_text("Replies")).to_be_visible()
    kit.check_as(page, twin)
    scripted.close()
    inside.close()
