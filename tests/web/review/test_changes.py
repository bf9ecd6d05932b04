"""What the clinic changes: noted with a day and a measure, seen before and after, and ended with what came of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from caseload.figures.models import Improvement
from config import db
from tests.web.review.test_page import DAY, keep


def noted(house: Any, lead: Any, since: object, words: str = "Call within three days") -> Any:
    """Note a change through the page and return its row."""
    form = {"words": words, "measure": "follow_through", "started_on": str(since)}
    assert lead.post("/review/changes", **form).status_code == 303
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalars(select(Improvement).order_by(Improvement.id.desc())).first()


def test_a_change_is_seen_before_and_after_over_as_many_days(house: Any) -> None:
    yesterday = keep(house, positive__28__in=1, positive__28__of=2)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    row = noted(house, lead, yesterday - 9 * DAY)
    page = lead.get("/review/changes").text
    assert "Call within three days" in page
    assert "10 days after" in page
    assert "10 of 20" in page
    assert b"Call within" not in row.words_ct


def test_a_change_that_has_not_begun_has_no_figures(house: Any) -> None:
    yesterday = keep(house, days=3, positive__28__in=1, positive__28__of=2)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    noted(house, lead, yesterday + 5 * DAY)
    assert "It has not begun" in lead.get("/review/changes").text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"words": " "}, "Say what is done differently."),
        ({"measure": "luck"}, "Choose the measure"),
        ({"started_on": "soon"}, "Choose a day"),
        ({"started_on": "1999-01-01"}, "Choose a day"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    house: Any, changed: dict[str, str], said: str
) -> None:
    lead = house.signed_in(house.staff(role="clinic_admin"))
    today = keep(house, days=1) + timedelta(days=1)
    form = {"words": "Fewer forms", "measure": "forms", "started_on": str(today)} | changed
    answer = lead.post("/review/changes", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert form["words"] in answer.text


def test_what_came_of_it_is_written_down_once(house: Any) -> None:
    yesterday = keep(house, positive__28__in=1, positive__28__of=2)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    row = noted(house, lead, yesterday - 30 * DAY)
    assert lead.post(f"/review/changes/{row.id}", outcome="better").status_code == 422
    answer = lead.post(f"/review/changes/{row.id}", outcome="adopted", learned="Mornings work best")
    assert answer.status_code == 303
    page = lead.get("/review/changes").text
    assert "Adopted: we keep it" in page
    assert "Mornings work best" in page
    again = lead.post(f"/review/changes/{row.id}", outcome="abandoned")
    assert again.status_code == 422
    assert lead.post(f"/review/changes/{house.clinic.id}", outcome="adopted").status_code == 404


def test_an_auditor_reads_and_notes_nothing(house: Any) -> None:
    auditor = house.signed_in(house.staff(role="auditor"))
    assert "Note a change" not in auditor.get("/review/changes").text
    assert auditor.post("/review/changes", words="x").status_code == 403
