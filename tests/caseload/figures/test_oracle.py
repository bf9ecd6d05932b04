"""Whatever a half-year holds, the kept counts add up to what its rows say."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from caseload.figures import adding_up, keeping
from caseload.figures.days import Span, ending
from caseload.figures.models import FigureDay
from config import clock, db
from messaging.models import Clinic, Patient, Staff
from tests.caseload.figures import half_year
from tests.caseload.figures.half_year import NOW
from tests.caseload.figures.oracle import Figures, Oracle

YESTERDAY = date(2026, 6, 9)


@pytest.fixture(autouse=True)
def _june() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def counted(clinic: Clinic) -> dict[date, dict[str, int]]:
    """Count what is due until nothing is; return every day that is kept."""
    while keeping.drain():
        pass
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return keeping.kept(session, clinic.id, date.min, date.max)


def as_figures(results: list[adding_up.Result], *, before: bool = False) -> Figures:
    """What the review says, by measure and row; rows of which there is nothing are left out."""
    return {
        (result.measure.key, row.key): (share.n or 0, share.of)
        for result in results
        for row in result.rows
        if (share := row.before if before else row.now)
    }


@pytest.mark.parametrize(("house", "seed"), [("sqlite", 1), ("sqlite", 2), ("postgresql", 3)], indirect=["house"])
def test_every_figure_is_what_the_rows_say(
    house: object,
    clinic: Clinic,
    new_staff: Callable[..., Staff],
    new_patient: Callable[..., Patient],
    seed: int,
) -> None:
    past = half_year.live(clinic, new_staff, new_patient, seed)
    days = counted(clinic)
    span = ending(YESTERDAY)
    results = adding_up.review(days, span, registry=True)
    for shown, of in ((as_figures(results), span), (as_figures(results, before=True), span.before)):
        wanted = Oracle(past, of).all()
        assert {key: value for key, value in shown.items() if value[0] or value[1]} == {
            key: value for key, value in wanted.items() if value[0] or value[1]
        }
    # Any other span of days adds up as well, also one with the night in which the clocks go forward at its edge.
    for some in (Span(date(2026, 3, 8), date(2026, 3, 8)), Span(date(2026, 2, 27), date(2026, 3, 31))):
        wanted = Oracle(past, some).all()
        shown = as_figures(adding_up.review(days, some, registry=True))
        assert {key: shown[key] for key in wanted if key in shown} == {
            key: wanted[key] for key in wanted if key in shown
        }
    again_changes_nothing(clinic, days)


def again_changes_nothing(clinic: Clinic, days: dict[date, dict[str, int]]) -> None:
    """A day that is counted anew says the same."""
    with db.unit_of_work(clinic.id) as session:
        keeping.count_anew(session, session.get_one(Clinic, clinic.id), "staff:1")
    assert counted(clinic) == days


def test_a_day_is_counted_after_its_end_each_day_for_five_weeks_then_weekly_and_then_rests(
    house: object, clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    half_year.live(clinic, new_staff, new_patient, 4)
    counted(clinic)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        rows = {row.day: row for row in session.scalars(select(FigureDay))}
    now = clock.now()
    tonight = now.replace(hour=7)  # an hour after midnight in Denver
    assert rows[date(2026, 6, 10)].counted_at is None
    assert rows[date(2026, 6, 10)].try_after == tonight + timedelta(days=1)
    assert rows[YESTERDAY].try_after == tonight + timedelta(days=1)
    assert rows[date(2026, 5, 6)].try_after == tonight + timedelta(days=1)
    assert rows[date(2026, 5, 5)].try_after == now + timedelta(days=7)
    with time_machine.travel(now + timedelta(days=60), tick=False):
        days = counted(clinic)
        with db.unit_of_work(clinic.id, read_only=True) as session:
            newest = session.scalars(select(FigureDay.day).order_by(FigureDay.day.desc())).first()
    assert newest == date(2026, 8, 9)
    assert max(days) == date(2026, 8, 8)


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_clinic_of_which_nothing_is_kept_waits_once(house: object, clinic: Clinic) -> None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert keeping.oldest(session, clock.now()) == clock.now()
    assert keeping.drain() == 1
    assert keeping.drain() == 0
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert keeping.oldest(session, clock.now()) is None
        assert [row.day for row in session.scalars(select(FigureDay))] == [date(2026, 6, 10)]
