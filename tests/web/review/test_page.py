"""The 90-day review: who opens it, what it says, and what leaves the clinic of it."""

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest

from caseload.figures import keeping
from caseload.figures.models import FigureDay
from config import clock, db
from messaging.models import Clinic
from tests.web.caseload.seeding import with_registry

DAY = timedelta(days=1)


def keep(house: Any, *, days: int = 180, **counts: int) -> date:
    """Keep the same counts of each of the last days; return yesterday."""
    names = {name.replace("__", "."): number for name, number in counts.items()}
    with db.unit_of_work(house.clinic.id) as session:
        today = keeping.today_of(session.get_one(Clinic, house.clinic.id))
        for back in range(1, days + 1):
            session.add(
                FigureDay(
                    clinic_id=house.clinic.id, day=today - back * DAY, counts=names, counted_at=clock.now(),
                    settled=True, try_after=clock.now(),
                )
            )  # fmt: skip
    return today - DAY


@pytest.mark.parametrize(
    ("role", "status"),
    [("clinic_admin", 200), ("care_manager", 200), ("auditor", 200), ("clinician", 403), ("front_desk", 403)],
)
def test_the_review_is_for_whoever_leads(house: Any, role: str, status: int) -> None:
    browser = house.signed_in(house.staff(role=role))
    for path in ("/review", "/review.csv", "/review.pdf", "/review/changes"):
        assert browser.get(path).status_code == status


def test_a_figure_stands_beside_the_days_before_with_what_was_left_out(house: Any) -> None:
    keep(house, visit__missed__reminded=1, visit__came__reminded=3, visit__cancelled=2)
    page = house.signed_in(house.staff(role="clinic_admin")).get("/review").text
    assert "25 %" in page
    assert "90 of 360" in page
    assert "Left out: 180 cancelled." in page
    assert "not what reminders cause" in page
    assert page.count('<svg class="run"') == 1  # a share of each week, and no picture of measures without any
    assert "What this page cannot know" in page
    assert "emergency departments" in page


def test_a_clinic_without_a_registry_sees_what_needs_none(house: Any) -> None:
    keep(house, weeks12__of=1)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    page = lead.get("/review").text
    assert "No-shows" in page
    assert "Twelve weeks" not in page
    with_registry(house)
    assert "Twelve weeks" in lead.get("/review").text


def test_emergency_visits_are_of_months_with_a_connected_hospital_and_without_one_it_says_what_to_do(
    house: Any,
) -> None:
    with_registry(house)
    keep(house, emergency__unconnected=10)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    assert "No feed brings these. Ask the hospital" in lead.get("/review").text
    assert "0 in 0 months" not in lead.get("/review").text
    with db.unit_of_work(house.clinic.id) as session:
        for row in session.query(FigureDay):
            row.counts = {"emergency.days": 40, "emergency.visits": 2, "emergency.unconnected": 10}
    page = lead.get("/review").text
    assert "150.0" in page
    assert "180 in 120 months" in page
    assert "120 of 150" in page
    assert "regression to the mean" in page
    rows = list(csv.reader(io.StringIO(lead.get("/review.csv").text)))
    row = next(row for row in rows if row[1] == "In care, in 100 months")
    assert row[2:5] == ["180", "120", "150.0"]
    assert lead.get("/review.pdf").status_code == 200


def test_before_anything_is_counted_the_page_says_so(house: Any) -> None:
    page = house.signed_in(house.staff(role="clinic_admin")).get("/review").text
    assert "No day of these has been counted yet" in page


@pytest.mark.parametrize("until", ["nonsense", "2026-13-01"])
def test_a_day_that_is_none_is_not_there(house: Any, until: str) -> None:
    assert house.signed_in(house.staff(role="clinic_admin")).get(f"/review?until={until}").status_code == 404


def test_small_numbers_stand_on_the_page_and_nowhere_else(house: Any) -> None:
    yesterday = keep(house, days=1, form__answered=20, form__unanswered=4)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    assert "20 of 24" in lead.get("/review").text
    rows = list(csv.reader(io.StringIO(lead.get("/review.csv").text)))
    assert rows[0][:3] == ["Measure", "Row", "n"]
    assert ["Form completion", "All", "hidden", "24", ""] in [row[:5] for row in rows]
    answer = lead.get(f"/review.pdf?until={yesterday}")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF")
    assert f'filename="review-{yesterday}.pdf"' in answer.headers["Content-Disposition"]


def test_the_days_are_counted_anew_when_somebody_asks(house: Any) -> None:
    keep(house, days=3, form__answered=20)
    lead = house.signed_in(house.staff(role="clinic_admin"))
    answer = lead.post("/review/count")
    assert answer.status_code == 303
    assert "3 days are still to be counted" in lead.get("/review").text
    while keeping.drain():
        pass
    assert "still to be counted" not in lead.get("/review").text
    assert "20 of 20" not in lead.get("/review").text
    assert house.signed_in(house.staff(role="auditor")).post("/review/count").status_code == 403
