"""The link to a plan that a patient may read: texted by a person, in words that give nothing away."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from intake_links.models import IntakeLink
from messaging.consent import ledger
from messaging.models import Message, Patient
from messaging.wording import text_templates

PLAN = {"coping": "Music, loud", "shared": "on"}


@pytest.fixture(params=["safety-plan", "relapse-plan"])
def plan(request: pytest.FixtureRequest, house: Any) -> Any:
    """A patient whose plan of this kind is shared, its page, and who writes with them."""

    class Scene:
        browser = house.signed_in(house.staff())

        def of(self, **facts: Any) -> str:
            words = PLAN if request.param == "safety-plan" else {"what_helps": "Music, loud", "shared": "on"}
            page = f"/patients/{house.patient(**facts).id}/{request.param}"
            assert self.browser.post(page, **words).status_code == 303
            return page

    return Scene()


def rows(house: Any, model: Any) -> list[Any]:
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        return list(session.scalars(select(model).order_by(model.id)))


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("privacy", ["generic", "place", "details"])
def test_the_text_has_the_link_and_nothing_of_the_plan(house: Any, plan: Any, language: str, privacy: str) -> None:
    page = plan.of(language=language, privacy=privacy)
    assert "Text the link" in plan.browser.get(page).text
    assert (plan.browser.post(f"{page}/text").status_code, plan.browser.get(page).status_code) == (303, 200)
    [text], [link] = rows(house, Message), rows(house, IntakeLink)
    assert "/i/" in text.body
    assert text_templates.lint(text.body) == []
    assert all(word not in text.body.casefold() for word in ("plan", "safety", "crisis", "music"))
    assert (text.programme, link.place, link.instruments) == ("care_team", "own", [])
    assert "own_page.sent" in [row.act for row in rows(house, audit.AuditEntry)]


def test_pressed_twice_it_is_texted_once_and_later_again(house: Any, plan: Any) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        page = plan.of()
        plan.browser.post(f"{page}/text")
        again = plan.browser.post(f"{page}/text")
        assert again.status_code == 422
        assert "texted a few minutes ago" in again.text
        time.shift(timedelta(minutes=11))
        assert plan.browser.post(f"{page}/text").status_code == 303
    assert [link.state for link in rows(house, IntakeLink)] == ["withdrawn", "open"]
    assert len(rows(house, Message)) == 2


@pytest.mark.parametrize("why", ["not shared", "stopped", "no birth date", "no number"])
def test_a_link_that_cannot_be_texted_says_why_and_leaves_nothing(house: Any, plan: Any, why: str) -> None:
    page = plan.of(**{"no number": {"number": None}}.get(why, {}))
    with db.unit_of_work(house.clinic.id) as session:
        patient = session.scalars(select(Patient)).one()
        db.load_keys(session, [patient.key_id])
        if why == "no birth date":
            patient.birth_date = None
        if why == "stopped":
            number = patient.numbers[0].number
            ledger.record(session, house.clinic, number, "revoked", source="text", actor="x")
    if why == "not shared":
        seen = plan.browser.get(page).text.split('name="seen" value="')[1].split('"')[0]
        assert plan.browser.post(page, seen=seen, coping="Music", what_helps="Music").status_code == 303
    words = {
        "not shared": "nothing that they may read yet",
        "stopped": "opted out of texts",
        "no birth date": "no birth date",
        "no number": "no number on file",
    }[why]
    answer = plan.browser.post(f"{page}/text")
    assert answer.status_code == 422
    assert words in answer.text
    assert "<button>Text the link" not in answer.text
    assert (rows(house, Message), rows(house, IntakeLink)) == ([], [])
