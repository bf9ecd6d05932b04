"""What was typed is never lost, to a faster colleague or an ended session; and nobody agrees with themselves."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine

from config import db
from messaging.models import Clinic
from messaging.versions import publishing
from tests.web.settings.test_cadence import form as cadence
from tests.web.settings.test_cadence import step
from tests.web.settings.test_clinic import FORM as CLINIC

SCHEDULE = {"asks[0].name": "yearly", "asks[0].instruments": "phq9", "asks[0].who": "everyone"}
NOW = datetime(2027, 3, 1, 16, tzinfo=UTC)
# By page and kind: a good form, and what stands in it with one change: the field, what is typed, how it is named.
PAGES = [
    ("/settings/clinic", "clinic", CLINIC, "name", "Oak Clinic", "Name"),
    ("/settings/schedule", "schedule", SCHEDULE, "asks[0].every", "3 months", "“yearly”"),
    (
        "/settings/cadence",
        "cadence",
        cadence(step("far", 2)),
        "steps[0].before",
        "3",
        "Step “far”: before the visit",
    ),
]


@pytest.fixture
def lead(house: Any) -> Any:
    return house.staff("Dana Wu", role="clinic_admin", number="+12025550151")


@pytest.mark.parametrize(("page", "kind", "form", "field", "typed", "named"), PAGES)
def test_a_page_open_for_an_hour_loses_nothing_to_the_door_nor_to_a_colleague(
    house: Any, lead: Any, page: str, kind: str, form: dict[str, str], field: str, typed: str, named: str
) -> None:
    mine = form | {field: typed, "edit": "0"}
    colleagues = {"asks[0].every": "12 months"} | form | {"edit": "0"}
    with time_machine.travel(NOW, tick=False) as clock:
        dana = house.signed_in(lead)
        dana.get(page)
        clock.shift(timedelta(hours=1))
        assert house.signed_in(house.staff("Lee Ash", role="clinic_admin")).post(page, **colleagues).status_code == 303
        out = dana.post(page, **mine)
        assert out.status_code == 401
        assert f'name="{field}" value="{typed}"' in out.text
        assert 'target="_blank"' in out.text
        clash = house.signed_in(lead).post(page, **mine)
    assert clash.status_code == 409
    assert "Lee Ash" in clash.text
    assert f'<th scope="row">{named}' in clash.text
    assert f'value="{typed}"' in clash.text
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        draft = publishing.draft(session, house.clinic.id, kind)
        assert draft is not None
        assert draft.edit == 1


def test_whoever_is_signed_out_over_another_page_is_led_to_the_door(house: Any, lead: Any) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        dana = house.signed_in(lead)
        clock.shift(timedelta(hours=1))
        assert dana.post("/signout").status_code in (302, 303)
        assert "/signin" in dana.get("/settings/clinic").location


def test_a_form_of_a_stranger_does_not_come_back_with_our_token(house: Any) -> None:
    answer = house.app.test_client().post("/settings/clinic", data={"name": "Not ours", "edit": "0"})
    assert answer.status_code == 400
    assert "Not ours" not in answer.text


def test_who_has_asked_does_not_agree_nor_who_takes_the_question_over(house: Any, lead: Any) -> None:
    other = house.staff("Lee Ash", role="clinic_admin")
    with db.unit_of_work(house.clinic.id) as session:
        for colleague in (lead, other):
            session.merge(colleague).password_hash = "x"
    dana = house.signed_in(lead)
    dana.post("/settings/clinic", edit="0", **(CLINIC | {"zone": "America/Chicago"}))
    for act in ("publish", "ask", "publish", "ask", "publish"):
        answer = dana.post(f"/settings/draft/clinic/{act}", edit="1")
    assert "A second person must agree" in unescape(dana.get(answer.location).text)
    assert house.read(Clinic, house.clinic.id).zone == "America/Denver"
    # Lee changes what Dana asked for: then it is Lee's, and Dana's question is taken back.
    lee = house.signed_in(other)
    lee.post("/settings/clinic", edit="1", **(CLINIC | {"zone": "America/New_York"}))
    lee.post("/settings/draft/clinic/publish", edit="2", why="as agreed")
    assert house.read(Clinic, house.clinic.id).zone == "America/Denver"


def test_what_stands_in_the_way_is_said_in_the_words_of_the_page(house: Any, lead: Any) -> None:
    dana = house.signed_in(lead)
    dana.post("/settings/cadence", **cadence(step("far", 2, text="no_such_text")))
    page = unescape(dana.get("/settings/cadence").text)
    assert "Step “far”: text: there is no text no_such_text" in page
    assert "steps[0].text: " not in page
    wrong = dana.post("/settings/clinic", edit="0", **(CLINIC | {"sites[0].zone": "Mars"}))
    assert "Site “Elm House”: time zone: unknown time zone" in unescape(wrong.text)
    assert 'href="#sites[0].zone"' in wrong.text


def test_what_was_before_is_compared_in_the_words_of_the_page(house: Any, lead: Any) -> None:
    dana = house.signed_in(lead)
    for count in (5, 3):
        dana.post("/settings/cadence", **cadence(step("far", count)))
        dana.post("/settings/draft/cadence/publish", edit="1", why="as agreed")
    page = unescape(dana.get("/settings/history/cadence?number=1").text)
    (row,) = re.findall(r'<th scope="row">Step “far”: before the visit</th>(.*?)</tr>', page, re.DOTALL)
    assert re.findall(r"<(del|ins)>(.*?)</", row) == [("del", "5 days"), ("ins", "3 days")]


def test_a_form_that_came_back_from_the_door_holds_each_of_several_choices(house: Any, lead: Any) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        dana = house.signed_in(lead)
        clock.shift(timedelta(hours=1))
        both = dana.post("/settings/clinic", edit="0", **(CLINIC | {"languages": ["en", "es"]})).text
    assert 'name="languages" value="en"' in both
    assert 'name="languages" value="es"' in both
    assert both.count('name="csrf_token"') == 1
