"""Takes the screenshots in docs/screenshots: `python -m tests.browser.shots [folder]`, from the repository's root."""

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from service.cli.walk import day, morning, steps
from tests.browser import kit
from tests.browser.conftest import FLAGS, executable
from tests.walks.kit import running

DESK, TABLET, PHONE, SMALL = (1440, 900), (768, 1024), (360, 740), (320, 640)
# Few are kept in the repository; a folder of your own gets them all.
KEPT = {
    "inbox", "inbox-dark", "inbox-768", "inbox-360", "inbox-360-dark", "list-360", "patient", "reach", "board",
    "ladder", "refused", "search", "cadence", "words", "setup", "own", "question", "question-dark", "help", "help-320",
    "check", "handoffs", "phone", "signin", "morning", "phones",
}  # fmt: skip
LADDER = f"""fallback = ["{day.TEAM[1].email}"]
[[call]]
name = "Dr Amara Wu, consulting psychiatrist"
phone = "+12015550177"
when = "any hour"
[[call]]
name = "Alder Street crisis team"
phone = "+12015550178"
when = "nights and weekends"
"""
# Every page of the staff that needs no more than an address: looked at in three widths, by day and at night.
PAGES = {
    "/today": "today", "/visits": "visits", "/visits?span=week": "visits-week", "/menu": "menu",
    "/help/today": "help-page",
    "/inbox": "list", "/inbox?view=everyone": "everyone", "/inbox?view=snoozed": "empty", "/handoffs": "handoffs",
    "/reach": "reach", "/board": "board", "/ladder": "ladder", "/away": "away", "/clocks": "clocks",
    "/workload": "workload",
    "/saved-replies": "saved-replies", "/preferences": "preferences", "/patients": "patients",
    "/tasks": "tasks", "/tasks/templates": "task-templates", "/notes": "notes", "/announcements": "announcements",
    "/account": "account", "/emergency-access": "emergency-access-reviewed", "/second-reading": "second-reading-found",
}  # fmt: skip
# What the clinic decides and keeps, as its administrator sees it.
SETTINGS = {
    "/settings": "setup",
    "/settings/clinic": "clinic",
    "/settings/people": "people",
    "/settings/cadence": "cadence",
    "/settings/cadence/week": "week",
    "/settings/words": "words",
    "/settings/words/reminder_day": "wording",
    "/settings/schedule": "schedule",
    "/settings/file": "file",
    "/settings/import": "import",
    "/settings/rota": "rota",
    "/settings/replay": "replay",
    "/settings/history/rules": "history",
    "/consents/drift": "drift",
    "/ladder": "ladder-admin",
    "/clocks": "clocks-admin",
    "/settings/sign-on": "sign-on",
    "/settings/keys": "keys",
    "/settings/webhooks": "webhooks",
    "/settings/feeds": "feeds",
    "/settings/care": "care-model",
    "/settings/handoffs": "handoff-terms",
    "/settings/protocol": "protocol",
    "/settings/second-reading": "second-reading",
    "/settings/brakes": "brakes",
    "/settings/social-needs": "social-needs",
    "/settings/satisfaction": "satisfaction",
    "/settings/destroyed": "destroyed",
    "/audit": "audit",
    "/emergency-access": "emergency-access",
}
# What there is only once the morning is seeded: the registry and its people, the review, what patients wrote.
SEEDED = {
    "/caseload": "caseload", "/caseload/month": "caseload-month", "/caseload/reviews": "caseload-reviews",
    "/caseload/relapse-plans": "relapse-plans",
    "/review": "review", "/review/changes": "review-changes", "/review/words": "satisfaction-words",
}  # fmt: skip
SHOWN = Path(__file__).parents[2] / "docs/screenshots"


def main(folder: Path) -> None:
    """Start a service, let a day happen in it, and look at its pages."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data)) as service,
        sync_playwright() as playwright,
    ):
        walk = steps.Walk(service.scene)
        chromium = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        for step in (steps.import_a_day, steps.sign_everyone_in, steps.texts_arrive):
            step(walk)
        policy = Path(data, "ladder.toml")
        policy.write_text(LADDER, "utf-8")
        apply = [sys.executable, "-m", "service.cli", "ladder", "apply", str(policy)]
        subprocess.run(apply, env=walk.scene.env, check=True, timeout=60)
        take(chromium, walk, folder)
        morning.seed(walk.scene)
        on_the_front_page(chromium, walk.scene.service, walk.scene.network, folder)
        seeded_pages(chromium, walk.scene.service, folder)
        chromium.close()


def on_the_front_page(chromium: Browser, service: str, network: str, folder: Path) -> None:
    """The seeded morning, as the README shows it: an inbox with a trend, and the patients' phones."""
    inside = kit.context(chromium, DESK)
    page = inside.new_page()
    page.goto(f"{service}/demo")
    save(page, folder, "roles")
    page.get_by_role("button", name=day.TEAM[0].name).click()
    page.wait_for_url("**/today*")
    page.goto(f"{service}/inbox?view=everyone")
    page.locator(".row", has_text="Tyrell").first.click()
    page.wait_for_url("**/inbox/*")
    save(page, folder, "morning", whole=False)
    page.goto(f"{network}/")
    save(page, folder, "phones", whole=False)
    inside.close()


def seeded_pages(chromium: Browser, service: str, folder: Path) -> None:
    """The registry, one person's episode, the review, and an EHR that is heard, asked and written to."""
    if folder == SHOWN:
        return  # none of them is kept
    for colleague, home, link in ((day.TEAM[0], "/caseload", "care"), (day.TEAM[2], "/settings/feeds", "")):
        inside = kit.context(chromium, DESK)
        page = inside.new_page()
        page.goto(f"{service}/demo")
        page.get_by_role("button", name=colleague.name).click()
        page.wait_for_url("**/today*")
        page.goto(service + home)
        first = page.locator("main table tbody th a").first
        address = service + (first.get_attribute("href") or "").partition("?")[0]
        parts = {"": "care"} if link else {"": "feed", "/asking": "feed-asking", "/writing": "feed-writing"}
        pages = {address + part: name for part, name in parts.items()}
        pages |= {service + path: name for path, name in SEEDED.items()} if link else {}
        look(chromium, inside, pages, folder)
        inside.close()


def take(chromium: Browser, walk: steps.Walk, folder: Path) -> None:
    """Walk the day's steps and save every page worth showing in `folder`."""
    steps.answer_yes(walk)
    steps.answer_change(walk)
    steps.answer_in_spanish(walk)
    steps.answer_stop(walk)
    walk.scene.type(day.SPANISH.number, "¿Puede venir mi hermana conmigo? Ella me ayuda con el inglés")
    patient_pages(chromium, walk, folder)
    staff_pages(chromium, walk, folder)
    phones(chromium, walk, folder)


def patient_pages(chromium: Browser, walk: steps.Walk, folder: Path) -> None:
    """Teresa's way through the questions, by day; then what she saw, at night and on a smaller screen."""
    inside = kit.context(chromium, PHONE)
    page = inside.new_page()
    page.goto(kit.form_link(walk, day.FORM))
    save(page, folder, "birth-date")
    kit.say_birth_date(page, day.FORM)
    for number, value in enumerate((2, 2, 3, 1, 1, 1, 1, 0, 1), start=1):
        page.get_by_text(f"Question {number} of ").wait_for()
        if value == 3:
            page.locator(f"input[name=answer][value='{value}']").check()
            save(page, folder, "question")
            again(page, folder, "question")
        page.locator(f"input[name=answer][value='{value}']").check()
        page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Call 988", exact=True).wait_for()
    save(page, folder, "help")
    again(page, folder, "help")
    page.get_by_role("link", name="Continue").click()
    while "/check" not in page.url:
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Continue").click()
    save(page, folder, "check")
    again(page, folder, "check")
    page.get_by_role("button", name="Send my answers").click()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("heading", name="Thank you.").wait_for()
    own_page(chromium, inside, walk, folder)
    inside.close()


def own_page(chromium: Browser, inside: BrowserContext, walk: steps.Walk, folder: Path) -> None:
    """Teresa's own page, by day and at night, and on a small phone in Spanish."""
    for size, dark, name in ((PHONE, False, "own"), (PHONE, True, "own-dark"), (SMALL, False, "own-es-320")):
        seen = kit.context(chromium, size, dark=dark)
        seen.add_cookies(inside.cookies())  # type: ignore[arg-type]
        page = seen.new_page()
        page.goto(f"{walk.scene.service}/i/me")
        if size == SMALL:
            page.goto(f"{walk.scene.service}/i/me/language")
            page.locator("input[value=es]").check()
            page.locator("button.main").click()
        save(page, folder, name)
        seen.close()


def again(page: Page, folder: Path, name: str) -> None:
    """The page at the same address as `page`, at night, and at 320 pixels, which is 1280 at 400 %."""
    for size, dark, suffix in ((PHONE, True, "-dark"), (SMALL, False, "-320")):
        browser = page.context.browser
        assert browser is not None
        inside = kit.context(browser, size, dark=dark)
        inside.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        twin = inside.new_page()
        twin.goto(page.url)
        save(twin, folder, name + suffix)
        inside.close()


def staff_pages(chromium: Browser, walk: steps.Walk, folder: Path) -> None:
    """Rosa's list and the safety case in it, at three widths, by day and at night."""
    steps.answer_crisis(walk)
    sam = walk.browsers["Sam"]
    page = sam.get("/handoffs")
    sam.submit(page, page.form(action="/handoffs", having="record"), record=day.HERE.record, place="Room 4")
    walk.scene.page_with(walk.browsers["Rosa"], "/handoffs", "Walter", "Offered to you")
    inside = kit.context(chromium, DESK)
    door = inside.new_page()
    door.set_viewport_size({"width": 560, "height": 560})
    door.goto(f"{walk.scene.service}/signin")
    save(door, folder, "signin")
    door.close()
    first = kit.sign_in(inside, walk, day.TEAM[0])
    first.locator(".row", has_text="Teresa").click()
    case = first.url
    first.get_by_role("link", name="Patient profile").click()
    patient = first.url.partition("?")[0]
    first.goto(case)
    pages = {case: "inbox"} | {walk.scene.service + path: name for path, name in PAGES.items()}
    pages |= {f"{patient}/{part}": part for part in ("consent", "record")}
    look(chromium, inside, pages, folder)
    other_pages(first, walk, folder)
    inside.close()
    settings_pages(chromium, walk, folder)


def settings_pages(chromium: Browser, walk: steps.Walk, folder: Path) -> None:
    """What an administrator decides for the clinic, at three widths, by day and at night."""
    inside = kit.context(chromium, DESK)
    kit.sign_in(inside, walk, day.TEAM[2]).close()
    look(chromium, inside, {walk.scene.service + path: name for path, name in SETTINGS.items()}, folder)
    inside.close()


def look(chromium: Browser, inside: BrowserContext, pages: dict[str, str], folder: Path) -> None:
    """Save the pages by address as who signed in with `inside` sees them, at each width and by each light."""
    for size, name in ((DESK, ""), (TABLET, "-768"), (PHONE, "-360")):
        for dark in (False, True):
            seen = kit.context(chromium, size, dark=dark)
            seen.add_cookies(inside.cookies())  # type: ignore[arg-type]
            own = seen.new_page()
            for address, words in pages.items():
                saved = words + name + ("-dark" if dark else "")
                if folder != SHOWN or saved in KEPT:
                    own.goto(address)
                    save(own, folder, saved, whole=size != DESK and words != "list")
            seen.close()


def other_pages(page: Page, walk: steps.Walk, folder: Path) -> None:
    """What else Rosa's day leads to: a patient, a search, who was not reached, the board, the policy, a refusal."""
    page.get_by_role("link", name="Patient profile").click()
    save(page, folder, "patient", whole=False)
    page.goto(f"{walk.scene.service}/patients")
    page.locator("#looked").press_sequentially(day.SPANISH.last[:4])  # Enter would open her: nobody else is called so
    page.locator("main [data-suggested] a", has_text=day.SPANISH.last).wait_for()
    save(page, folder, "search", whole=False)
    page.goto(f"{walk.scene.service}/inbox?view=everyone")
    page.locator(".row", has_text=day.CHANGE.first).click()
    page.locator("#body").fill("Your depression score was 14. Shall we talk on Friday?")
    page.locator("[name=then]").first.click()
    page.locator(".write .problem").wait_for()
    save(page, folder, "refused", whole=False)


def phones(chromium: Browser, walk: steps.Walk, folder: Path) -> None:
    """One of the simulator's phones."""
    inside = kit.context(chromium, (760, 900))
    page = inside.new_page()
    page.goto(f"{walk.scene.network}/phone/{day.SPANISH.number}")
    save(page, folder, "phone")
    inside.close()


def save(page: Page, folder: Path, name: str, *, whole: bool = True) -> None:
    """Save what the page shows as a PNG, in the repository's own folder only if it is kept there."""
    if folder == SHOWN and name not in KEPT:
        return
    page.screenshot(path=folder / f"{name}.png", full_page=whole, animations="disabled", caret="hide")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SHOWN)
