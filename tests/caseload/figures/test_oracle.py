"""Whatever a half-year holds, the kept counts add up to what its rows say."""

import statistics
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from caseload.figures import adding_up, keeping
from caseload.figures.days import Span, ending
from caseload.figures.models import FigureDay
from config import clock, db
from messaging.models import Clinic, Patient, Staff
from reminders.models import Appointment
from tests.caseload.figures import half_year
from tests.caseload.figures.half_year import DAY, NOW
from tests.caseload.figures.oracle import Figures
from tests.caseload.figures.oracle_care import Oracle

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


@pytest.mark.parametrize(("house", "seed"), [("sqlite", 1), ("postgresql", 2)], indirect=["house"])
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
        means = {
            row.key: (row.before if of is not span else row.now).mean
            for result in results if result.measure.key == "satisfaction_means" for row in result.rows
        }  # fmt: skip
        marks = Oracle(past, of).marks()
        assert {key: mean for key, mean in means.items() if mean is not None} == pytest.approx(
            {question: statistics.fmean(given) for question, given in marks.items()}
        )
        assert marks
    # Any other span of days adds up as well, also one with the night in which the clocks go forward at its edge.
    for some in (Span(date(2026, 3, 8), date(2026, 3, 8)), Span(date(2026, 2, 27), date(2026, 3, 31))):
        wanted = Oracle(past, some).all()
        shown = as_figures(adding_up.review(days, some, registry=True))
        assert {key: shown[key] for key in wanted if key in shown} == {
            key: wanted[key] for key in wanted if key in shown
        }
    again_changes_nothing(clinic, days)


def again_changes_nothing(clinic: Clinic, days: dict[date, dict[str, int]]) -> None:
    """A day that is counted anew says the same, and counting all anew is due at once."""
    with db.unit_of_work(clinic.id) as session:
        kept = session.get_one(Clinic, clinic.id)
        for day in (YESTERDAY, date(2026, 3, 8), date(2026, 5, 31)):
            assert dict(keeping.count(session, kept, day, date(2026, 6, 10))) == days[day]
        keeping.count_anew(session, kept, "staff:1")
        assert keeping.waiting(session, clinic.id, date(2026, 1, 1), YESTERDAY) == 160


def test_a_day_is_counted_after_its_end_each_day_for_five_weeks_then_weekly_and_then_rests(
    house: object, clinic: Clinic, new_patient: Callable[..., Patient]
) -> None:
    patient, now = new_patient(), clock.now()
    tomorrow = now.replace(hour=7) + timedelta(days=1)  # an hour after midnight in Denver
    with db.unit_of_work(clinic.id) as session:
        for days in (37, 192):
            session.add(FigureDay(clinic_id=clinic.id, day=(now - days * DAY).date(), counts={}, try_after=now))
        session.add(visit_of(patient, now - 2 * DAY))
    counted(clinic)
    rows = kept_rows(clinic)
    assert rows[date(2026, 6, 10)].counted_at is None
    assert {rows[day].try_after for day in (date(2026, 6, 8), YESTERDAY)} == {tomorrow}
    assert rows[date(2026, 6, 10)].try_after == tomorrow
    assert rows[date(2026, 5, 4)].try_after == now + timedelta(days=7)
    assert rows[date(2025, 11, 30)].settled
    with time_machine.travel(now + 3 * DAY, tick=False):
        counted(clinic)
    assert kept_rows(clinic)[date(2026, 6, 12)].counted_at is not None
    assert kept_rows(clinic)[date(2026, 6, 13)].counted_at is None


def visit_of(patient: Patient, at: datetime) -> Appointment:
    """A visit that was kept."""
    return Appointment(
        clinic_id=patient.clinic_id, patient_id=patient.id, source="t", external_id="1", starts_at=at,
        zone="America/Denver", booked_at=at, state="arrived", created_at=at, updated_at=at,
    )  # fmt: skip


def kept_rows(clinic: Clinic) -> dict[date, FigureDay]:
    """Every row that is kept, by its day."""
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return {row.day: row for row in session.scalars(select(FigureDay))}


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_clinic_of_which_nothing_is_kept_waits_once(house: object, clinic: Clinic) -> None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert keeping.oldest(session, clock.now()) == clock.now()
    assert keeping.drain() == 1
    assert keeping.drain() == 0
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert keeping.oldest(session, clock.now()) is None
        assert [row.day for row in session.scalars(select(FigureDay))] == [date(2026, 6, 10)]
