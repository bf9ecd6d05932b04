"""The half-year behind the made-up clinic: written so that its 90-day review has figures, and nothing is sent."""

from collections.abc import Callable
from datetime import date, timedelta

from caseload.figures import adding_up, improving, keeping
from caseload.figures.days import ending
from config import clock, db
from messaging.models import Clinic, Patient, Staff
from service.cli.walk import morning, quarter_seed


def test_the_review_of_the_demonstration_has_figures_and_a_change(
    house: object, clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]
) -> None:
    new_staff("Ines", role="clinic_admin")
    for number in range(4):
        new_patient(f"P{number}")
    story = morning.story()["quarter"]
    written = quarter_seed.seed(clinic.id, clock.now(), story)
    assert written > 20
    with db.unit_of_work(clinic.id) as session:
        kept = session.get_one(Clinic, clinic.id)
        yesterday = keeping.today_of(kept) - timedelta(days=1)
        assert keeping.waiting(session, clinic.id, yesterday - timedelta(days=8), yesterday) == 9
        counts = {day: keeping.count(session, kept, day, yesterday) for day in days_until(yesterday)}
        (change,) = improving.of_clinic(session, kept)
    results = {each.measure.key: each for each in adding_up.review(counts, ending(yesterday), registry=False)}
    for key in ("no_shows", "reach", "confirmation"):
        main = results[key].main
        assert main is not None
        assert main.now.of
    assert change.measure == "no_shows"


def days_until(last: date) -> list[date]:
    """Forty days: each patient comes every four weeks."""
    return [last - number * timedelta(days=1) for number in range(40)]
