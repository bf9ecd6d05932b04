"""A real browser reports what the policy of a page forbade, and the report is counted."""

import pytest
from playwright.sync_api import Browser

from config import tallies
from tests.browser.place import Served
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("browser")
FOREIGN = """() => { const code = document.createElement("script");
  code.src = "http://127.0.0.1:9/foreign.js"; document.body.append(code); }"""


def test_a_script_from_elsewhere_does_not_run_and_is_reported(browser: Browser, served: Served) -> None:
    _, service = served
    page = browser.new_page()
    page.goto(f"{service}/signin")
    tallies.take()
    page.evaluate(FOREIGN)
    seen: list[float] = []

    def reported() -> bool:
        seen.append(tallies.take().get("security|content_policy", 0))
        return sum(seen) > 0

    until(reported, "the browser's report")
    page.close()
