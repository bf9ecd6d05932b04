"""Words that would act if a page wrote them raw, in at every door: no page runs them, no sheet, file or table acts."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.browser import kit
from tests.browser.hostile import WORDS, Forms, Way, endpoint_of, walk
from tests.browser.hostile_doors import NUMBER, Doors
from tests.browser.place import Served, at
from tests.web import test_access_matrix as matrix
from tests.web.caseload import seeding

pytestmark = pytest.mark.xdist_group("browser")
# What a page would have run or made of the words, and what its own policy kept it from.
LISTENS = """document.addEventListener("securitypolicyviolation",
event => { window.broken = `${event.violatedDirective} ${event.sourceFile || event.blockedURI}` })"""
FINDS = """() => [window.pwned && "ran", window.broken,
document.querySelector("x-pwned") && "an element",
document.querySelector("[onerror],[href^='javascript:'],[src^='javascript:']") && "an attribute",
].filter(Boolean)"""
SHOWS = "() => document.documentElement.outerHTML.includes('x-pwned')"
LEADS = "() => [...document.querySelectorAll('a[href]')].map(link => link.getAttribute('href'))"
ACTS = re.compile(rb"/(?:JavaScript|JS|Launch|AA|SubmitForm|URI|EmbeddedFile)\b|/OpenAction\s*[^\s\[]")
FORMULA = re.compile(r"\s*[=+@\t＝＋－＠]|-[^\d]")


@dataclass(frozen=True)
class Planted:
    """A clinic into which the words were brought; `broken` is what failed on our side meanwhile."""

    house: Any
    service: str
    ids: dict[str, Any]
    taken: set[str]
    broken: list[str]
    own: tuple[str, dict[str, str]]


@pytest.fixture(scope="module")
def planted(served: Served) -> Planted:
    house, service = served
    patient, staff = house.patient, house.staff
    patient(number=NUMBER, record="4711")
    house.patient = lambda **facts: patient(**{"first_name": WORDS, "last_name": WORDS} | facts)
    house.staff = lambda name="Rosa", **facts: staff(f"{name} {WORDS}", **facts)
    scene, doors = seeding.with_registry(house), Doors(house)
    ids = matrix.filled(scene)
    browsers = [house.signed_in(house.staff(role=role)) for role in ("care_manager", "clinic_admin", "front_desk")]
    broken = doors.machines() + doors.phones() + doors.programs() + doors.files(browsers)
    own = doors.patients_own(scene)
    taken, failed = walk(house, browsers, ids)
    return Planted(house, service, ids, taken, broken + failed, own)


def test_no_door_fails_and_most_that_take_free_words_took_these(planted: Planted) -> None:
    assert planted.broken == []
    assert len(planted.taken) > 24, sorted(planted.taken)


def test_no_page_runs_the_words(browser: Browser, served: Served, planted: Planted) -> None:
    """Each page in a browser as the first role that may open it; as every role, below."""
    acting, shown, opened = {}, 0, set[str]()
    for role in ("care_manager", "clinic_admin", *matrix.ROLES):
        way = Way(planted.house, planted.ids)
        with at(browser, served, planted.house.staff(role=role), LISTENS) as page:
            for path in way:
                if endpoint_of(planted.house, path) in opened or not is_page(page, planted, path):
                    continue
                found = page.evaluate(FINDS)
                acting |= {f"{role} {path}": found} if found else {}
                shown += page.evaluate(SHOWS)
                way.add(page.evaluate(LEADS))
        opened |= {endpoint_of(planted.house, path) for path in way}
    assert acting == {}
    assert shown > 80, f"the words were on {shown} pages: too few to say anything"


def is_page(page: Page, planted: Planted, path: str) -> bool:
    """Open a path; whether it is a page that may be seen, and no file to save."""
    try:
        answer = page.goto(planted.service + path)
    except Error as problem:
        if "Download is starting" not in str(problem):
            raise
        return False
    assert answer is not None
    assert answer.status < 500, path
    return answer.ok


@pytest.mark.parametrize("role", matrix.ROLES)
def test_no_role_is_given_them_raw_nor_as_a_formula_nor_in_a_sheet_that_acts(planted: Planted, role: str) -> None:
    client = planted.house.signed_in(planted.house.staff(role=role)).client
    way, kinds = Way(planted.house, planted.ids), Counter[str]()
    for path in way:
        answer = client.get(path)
        kinds[answer.mimetype] += 1
        if answer.mimetype == "text/csv":
            cells = [cell for row in csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))) for cell in row]
            assert [cell for cell in cells if FORMULA.match(cell)] == [], path
        elif answer.mimetype == "application/pdf":
            assert ACTS.findall(answer.data) == [], path
        elif answer.mimetype == "text/html":
            page = Forms(path, answer.text)
            assert page.acting == [], path
            way.add(page.links)
    assert kinds["text/html"] > 25
    assert kinds["text/csv"] + kinds["application/pdf"] > 0


def test_the_patients_own_pages_run_nothing_either(browser: Browser, planted: Planted) -> None:
    path, born = planted.own
    phone = kit.context(browser, kit.PHONE)
    phone.add_init_script(LISTENS)
    page = phone.new_page()
    page.goto(planted.service + path)
    for label, value in born.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Continue").click()
    page.locator("textarea[name=words]").fill(WORDS)
    assert page.evaluate(FINDS) == []
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_load_state()
    assert page.evaluate(FINDS) == []
    phone.close()
