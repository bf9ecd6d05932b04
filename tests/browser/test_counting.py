"""What the browser says a text costs is what the server counts, for whatever is typed."""

import base64
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from messaging.wording import proofreading, text_templates

pytestmark = pytest.mark.xdist_group("browser")
SCRIPT = Path(__file__).parents[2] / "web/static/compose.js"
COUNT = """([script, texts]) => import(script).then(({ tidy, segments, plainer }) => texts.map((text) => {
  const body = tidy(text), counted = segments(body);
  return [body, counted.parts, counted.units, counted.costly, plainer(body)];
}))"""
TYPED = st.one_of(
    st.text(alphabet="aé €{}\\ñ\r\n\t", max_size=400),
    st.text(alphabet="aáíÁ😀 ’—…", max_size=250),
    st.text(st.characters(codec="utf-8", categories=("L", "P", "Zs", "Sm", "Cf")), max_size=120),
)


def test_the_browser_counts_as_the_server_does(browser: Browser) -> None:
    page = browser.new_page()
    script = "data:text/javascript;base64," + base64.b64encode(SCRIPT.read_bytes()).decode()

    @settings(max_examples=25, deadline=None)
    @given(st.lists(TYPED, min_size=1, max_size=12))
    def same(texts: list[str]) -> None:
        for text, counted in zip(texts, page.evaluate(COUNT, [script, texts]), strict=True):
            body = proofreading.tidy(text)
            cost = text_templates.segments(body)
            assert counted == [body, cost.segments, cost.units, list(cost.costly), proofreading.plainer(body)]

    same()
    page.close()
