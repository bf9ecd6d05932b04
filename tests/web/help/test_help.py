"""Help about the page one comes from, and hints that a person closes for good."""

import html
import re
from typing import Any

import pytest

from messaging.models import Staff
from web import settings_menu, words
from web.help import texts


@pytest.mark.parametrize("name", texts.NAMES)
def test_every_page_of_help_is_there_in_plain_words(house: Any, name: str) -> None:
    page = house.signed_in(house.staff(role="front_desk")).get(f"/help/{name}")
    assert page.status_code == 200
    assert f"<h1>{html.escape(texts.every()[name].title)}</h1>" in page.text
    article = page.text[page.text.index("<article") : page.text.index("</article>")]
    assert "<p>" in article
    assert "**" not in article
    assert "| " not in article


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/today", "today"),
        ("/visits", "visits"),
        ("/inbox?view=unassigned", "inbox"),
        ("/handoffs", "handoffs"),
        ("/patients", "patients"),
        ("/reach", "reach"),
        ("/board", "board"),
        ("/away", "away"),
        ("/clocks", "clocks"),
        ("/preferences", "preferences"),
        ("/menu", "start"),
    ],
)
def test_help_opens_about_the_page_one_is_on(house: Any, path: str, name: str) -> None:
    page = house.signed_in(house.staff()).get(path).text
    assert f'class="helps" href="/help/{name}"' in page


def test_every_page_of_the_settings_has_its_help() -> None:
    for _, pages in settings_menu.GROUPS:
        for mark, _, _ in pages:
            assert texts.about(mark) != "start", mark


def test_help_says_nothing_that_is_html_of_its_own() -> None:
    for text in texts.every().values():
        assert not re.search(r"<(script|style|iframe|img|form)|javascript:|\son\w+=", text.html)


def test_help_that_is_not_there_is_not_there(house: Any) -> None:
    browser = house.signed_in(house.staff())
    assert browser.get("/help/nowhere").status_code == 404
    assert browser.get("/help").location == "/help/start"
    assert house.browser().get("/help/today").status_code == 303


def test_a_hint_is_closed_for_good_by_each_person_and_can_come_back(house: Any) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    hint, hers = words.table_of("hints")["today"][:40], house.signed_in(rosa)
    assert hint in hers.get("/today").text
    assert hers.post("/help/hints/today/close", back="/today").location == "/today"
    for browser in (hers, house.signed_in(rosa)):  # on another computer too
        assert hint not in browser.get("/today").text
    assert hint in house.signed_in(ben).get("/today").text
    assert house.read(Staff, rosa.id).hints_closed == ["today"]
    hers.post("/help/hints/again")
    assert hint in hers.get("/today").text


def test_only_a_hint_that_is_there_can_be_closed_and_nobody_is_led_elsewhere(house: Any) -> None:
    browser = house.signed_in(house.staff())
    assert browser.post("/help/hints/nowhere/close").status_code == 404
    assert browser.post("/help/hints/today/close", back="//elsewhere.example").location == "/"
