"""A warm handoff from the request to the word about how it ended: three browsers and the patient's phone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from service.cli.walk import day
from service.cli.walk.steps import Walk
from tests.browser import kit

pytestmark = pytest.mark.xdist_group("browser")
ROSA, BEN, _, SAM = day.TEAM


@contextmanager
def at(browser: Browser, walk: Walk, colleague: day.Colleague, size: tuple[int, int] = kit.DESK) -> Iterator[Page]:
    """A colleague's page with the handoffs, signed in; it closes with the block."""
    inside = kit.context(browser, size)
    link = walk.scene.command("staff", "invite", "--name", colleague.name, "--email", colleague.email, "--once")[0][
        "link"
    ]
    page = inside.new_page()
    page.goto(f"{link}?next=/handoffs")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/handoffs*")
    yield page
    inside.close()


def test_the_loop_closes_on_the_requesters_page_without_a_reload(browser: Browser, walk: Walk) -> None:
    patient = day.HERE
    name = f"{patient.first} {patient.last}"
    with at(browser, walk, SAM, kit.PHONE) as sam, at(browser, walk, ROSA) as rosa, at(browser, walk, BEN) as ben:
        # Asked for on a phone, by name, with two reasons and a note.
        sam.get_by_label("Find whom it is about").fill(patient.last)
        sam.get_by_role("button", name="Find", exact=True).click()
        kit.check(sam)
        sam.get_by_role("link", name=re.compile(name)).last.click()
        sam.get_by_label("Grief or loss").check()
        sam.get_by_label("Sleep").check()
        sam.get_by_text("How they meet, where they wait").click()
        sam.get_by_label("Where they wait").fill("Room 4")
        sam.get_by_label("Note for the colleague").fill("Lost his wife in June")
        kit.check(sam)
        sam.get_by_role("button", name="Ask for a handoff").click()
        mine = sam.locator("li.handoff", has_text=name).first
        expect(mine).to_contain_text("You asked Rosa Delgado")
        kit.check(sam)

        # Rosa has it on her page by itself, and cannot come; Ben is asked, and comes.
        offered = rosa.locator("li.handoff", has_text=name).first
        expect(offered).to_contain_text("Offered to you")
        expect(offered).to_contain_text("Grief or loss · Sleep")
        expect(offered).to_contain_text("Lost his wife in June")
        kit.check(rosa)
        offered.get_by_text("I cannot").first.click()
        kit.check(rosa)
        offered.get_by_role("button", name="With a patient").click()
        expect(mine).to_contain_text("You asked Ben Carter")
        expect(mine).to_contain_text("Rosa Delgado: cannot")
        at_ben = ben.locator("li.handoff", has_text=name).first
        expect(at_ben).to_contain_text("Offered to you")
        assert not any("expecting you" in text["body"] for text in walk.scene.texts(patient.number))
        at_ben.get_by_role("button", name="I'm coming").click()
        expect(mine).to_contain_text("Ben Carter is coming")

        # The patient reads where to go and not why, and says HERE.
        text = walk.scene.received(patient.number, "expecting you")
        assert "Room 4" in text
        assert not re.search("grief|sleep|wife|Ben", text, re.IGNORECASE)
        walk.scene.type(patient.number, "HERE")
        walk.scene.received(patient.number, "that you are here")
        expect(at_ben).to_contain_text("They are there; you are meeting them")
        expect(mine).to_contain_text("They are there")
        kit.check(ben)
        at_ben.get_by_role("button", name="We met").click()
        expect(ben.get_by_text("Noted: they have met")).to_be_visible()

        # Sam has touched nothing, and reads how it ended.
        expect(sam.get_by_role("heading", name="What became of those you asked for")).to_be_visible()
        ended = sam.locator("li.handoff", has_text=name).first
        expect(ended).to_contain_text("Met")
        expect(ended).to_contain_text("Ben Carter")
        kit.check(sam)
        sam.get_by_role("link", name="How handoffs went").click()
        expect(sam.get_by_role("table", name="Warm handoffs by requester")).to_contain_text("Sam Fields")
        kit.check(sam)
