"""A clinic decides how its handoffs go, as a draft that is published."""

import re
from typing import Any

from werkzeug.datastructures import MultiDict

from config import db
from messaging.models import Clinic
from reminders.handoff import decision
from tests.web.settings.test_clinic import admin
from web.settings.handoffs import given

SENT = {
    "edit": "0", "order[0]": "language", "order[1]": "load", "at_once": "2", "answer": "4", "urgent": "1",
    "arrive": "8", "leaving": "10", "stay": "60", "outcome": "60", "call_after": "5", "contact": "3", "names": "1",
    "video": "https://video.example.org/{room}",
}  # fmt: skip


def terms(house: Any) -> Any:
    with db.unit_of_work(db.EVERY) as session:
        return decision.of_clinic(session, session.get_one(Clinic, house.clinic.id))


def test_what_is_saved_is_a_draft_until_it_is_published(house: Any) -> None:
    browser = admin(house)
    rosa = house.staff()
    sent = {**SENT, "people[0].email": rosa.email, "people[0].reasons": "grief", "people[0].places": "North; South"}
    assert browser.post("/settings/handoffs", **sent).status_code == 303
    assert terms(house).answer == 3
    page = browser.get("/settings/handoffs").text
    assert "Draft" in page
    assert 'value="North; South"' in page
    assert browser.post("/settings/draft/handoffs/publish", edit="1", why="We are more").status_code == 303
    live = terms(house)
    assert (live.order, live.at_once, live.answer, live.names) == (("language", "load"), 2, 4, True)
    assert live.person(rosa.email).places == ("North", "South")


def test_each_mistake_stands_at_its_field_and_nothing_typed_is_lost(house: Any) -> None:
    refused = admin(house).post("/settings/handoffs", **{**SENT, "answer": "soon", "video": "http://x"})
    assert refused.status_code == 422
    assert 'aria-describedby="answer-problem"' in refused.text
    assert 'aria-describedby="video-problem"' in refused.text
    assert 'value="soon"' in refused.text


def test_who_may_only_look_sees_no_button(house: Any) -> None:
    browser = house.signed_in(house.staff())
    page = browser.get("/settings/handoffs")
    assert page.status_code == 200
    assert "Save draft" not in page.text
    assert browser.post("/settings/handoffs", **SENT).status_code == 403


def test_what_is_said_of_whoever_is_not_asked_by_role_is_kept(house: Any) -> None:
    browser = admin(house)
    rosa, away = house.staff(), house.staff("Dr Reyes", role="psychiatric_consultant")
    sent = {**SENT, "people[0].email": rosa.email, "people[0].reasons": "grief"}
    sent |= {"people[1].email": away.email, "people[1].reasons": "safety", "people[1].room": "reyes"}
    assert browser.post("/settings/handoffs", **sent).status_code == 303
    page = browser.get("/settings/handoffs").text
    rows = re.findall(r'name="(people\[\d+\])\.email" value="([^"]+)"', page)
    assert {rosa.email, away.email} <= {email for _, email in rows}
    assert 'value="reyes"' in page


def test_a_clinic_of_more_than_a_hundred_loses_nobody() -> None:
    form = MultiDict({"order[0]": "load"})
    for row in range(120):
        form[f"people[{row}].email"], form[f"people[{row}].room"] = f"c{row}@clinic.example", "room"
    assert len(given(form)["people"]) == 120


def test_the_bounds_of_the_form_are_those_of_the_terms(house: Any) -> None:
    page = admin(house).get("/settings/handoffs").text
    for name, (least, most) in {"answer": (1, 15), "stay": (15, 480), "contact": (1, 30), "at_once": (1, 5)}.items():
        assert re.search(rf'id="{name}" name="{name}" type="number" min="{least}" max="{most}"', page), name
