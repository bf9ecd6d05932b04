"""The patient's way into a video visit: a page with one button; only what is posted there counts."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from config import db
from messaging.consent import ledger
from messaging.models import Message, Patient
from reminders import handoffs
from reminders.models import Handoff
from tests.web.handoff.test_handoffs import only
from tests.web.settings.test_clinic import admin
from tests.web.settings.test_handoffs import SENT


@pytest.fixture
def link(house: Any) -> str:
    """The path of the link in the text of a patient whom Rosa waits for."""
    browser = admin(house)
    assert browser.post("/settings/handoffs", **SENT).status_code == 303
    assert browser.post("/settings/draft/handoffs/publish", edit="1", why="Video").status_code == 303
    saved = house.patient(record="A-1")
    with db.unit_of_work(house.clinic.id) as session:
        number = session.get_one(Patient, saved.id).numbers[0].number or ""
        ledger.record(session, house.clinic, number, "granted", source="staff", actor="operator", patient_id=saved.id)
    rosa = house.signed_in(house.staff(number="+12025550150"))
    doctor = house.signed_in(house.staff("Dr Okafor", role="clinician"))
    assert doctor.post("/handoffs", record="A-1", modality="video").status_code == 303
    assert rosa.post(f"/handoffs/{only(house).id}/accept").status_code == 303
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        [text] = session.scalars(select(Message).where(Message.kind == "handoff"))
        found = re.search(r"http://localhost:8000(/i/v/[\w-]+)", text.body or "")
    assert found
    return found[1]


def test_a_preview_joins_nothing_and_learns_nothing(house: Any, link: str) -> None:
    page = house.browser().get(link)
    assert page.status_code == 200
    assert "video.example.org" not in page.text
    assert only(house).state == "told"
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_the_button_says_that_they_are_there_and_shows_the_way(house: Any, link: str) -> None:
    browser = house.browser()
    for _ in range(2):
        page = browser.post(link, token_from=link)
        assert page.status_code == 200
        assert re.search(r'href="https://video\.example\.org/[\w-]{22}"', page.text)
    assert only(house).state == "arrived"


def test_a_link_that_is_nobodys_or_over_leads_nowhere(house: Any, link: str) -> None:
    assert house.browser().get("/i/v/nothing").status_code == 404
    with db.unit_of_work(house.clinic.id) as session:
        handoffs.end(session, session.scalars(select(Handoff)).one(), "operator", "left")
    assert house.browser().get(link).status_code == 404
    assert house.browser().post(link, token_from="/i/v/nothing").status_code in (400, 404)


def test_the_room_is_kept_sealed(house: Any, link: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        handoff = session.scalars(select(Handoff)).one()
        assert (handoff.door or "").startswith("https://video.example.org/")
        assert b"video.example" not in bytes(handoff.door_ct or b"")
