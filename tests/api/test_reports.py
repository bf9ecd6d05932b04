"""The 90-day review for programs: the clinic's own figures, small numbers hidden, for whoever has the scope."""

from datetime import timedelta
from typing import Any

import pytest

from caseload.figures import keeping
from caseload.figures.models import FigureDay
from config import clock, db
from messaging.models import Clinic
from reminders import care_model, satisfaction


def keep(side: Any, **counts: int) -> str:
    """Keep these counts of yesterday; return the day."""
    names = {name.replace("__", "."): number for name, number in counts.items()}
    with db.unit_of_work(side.clinic.id) as session:
        day = keeping.today_of(session.get_one(Clinic, side.clinic.id)) - timedelta(days=1)
        now = clock.now()
        kept = FigureDay(clinic_id=side.clinic.id, day=day, counts=names, counted_at=now, settled=True, try_after=now)
        session.add(kept)
    return day.isoformat()


def row(answer: dict[str, Any], measure: str, key: str) -> dict[str, Any]:
    (found,) = [each for each in answer["measures"] if each["key"] == measure]
    return next(each["now"] for each in found["rows"] if each["key"] == key)


def test_a_program_reads_its_own_clinic_s_figures_without_small_numbers(ours: Any, theirs: Any) -> None:
    yesterday = keep(ours, reach__reminded=30, reach__not=20, form__answered=40, form__unanswered=3)
    keep(theirs, reach__reminded=1000)
    answer = ours.program("reports.read").get("/reports/90-day").json
    assert (answer["last"], answer["days_counted"]) == (yesterday, 1)
    assert row(answer, "reach", "all") == {
        "n": 30, "of": 50, "percent": 60.0, "mean": None, "hidden": False,
    }  # fmt: skip
    assert row(answer, "forms", "all") == {
        "n": None, "of": 43, "percent": None, "mean": None, "hidden": True,
    }  # fmt: skip


def test_how_we_did_is_a_mean_with_the_words_of_the_question_and_its_number(ours: Any) -> None:
    question = satisfaction.Terms().questions[0]
    with db.unit_of_work(ours.clinic.id) as session:
        clinic = session.get_one(Clinic, ours.clinic.id)
        clinic.rules = {**clinic.rules, "care": care_model.Terms(model="collaborative").model_dump()}
    counts = {f"views.question.{question.id}.sum": 130, f"views.question.{question.id}.count": 30}
    keep(ours, views__answered=30, views__unanswered=20, **counts)
    answer = ours.program("reports.read").get("/reports/90-day").json
    means = next(each for each in answer["measures"] if each["key"] == "satisfaction_means")
    [shown] = means["rows"]
    assert (shown["key"], shown["title"]) == (question.id, question.en)
    assert shown["now"] == {"n": 30, "of": None, "percent": None, "mean": 4.33, "hidden": False}
    assert row(answer, "satisfaction", "answered")["percent"] == 60.0


def test_without_the_scope_nothing_is_read(ours: Any) -> None:
    assert ours.program("events.read").get("/reports/90-day").status_code == 403


@pytest.mark.parametrize("until", ["2099-01-01", "1999-12-31", "2026-02-30", "today"])
def test_a_day_that_is_none_or_is_not_over_is_refused(ours: Any, until: str) -> None:
    answer = ours.program("reports.read").get("/reports/90-day", until=until)
    assert answer.status_code == 422
    assert answer.json["errors"]
