"""How long the coming week of 5,000 visits takes to simulate under two cadences, and to plan anew after publishing.

BENCH_VISITS=50000 for the larger clinic.
"""

import os
import resource
import time
from datetime import timedelta

from bench import stage
from config import clock, db
from messaging.models import Clinic
from messaging.people import directory
from reminders import appointments, planner, replanning
from reminders.cadence import cadence_definition
from reminders.cadence_decision import plan_again
from reminders.trials import coming_week

VISITS, GOAL_SECONDS, AGAIN_GOAL_SECONDS = 5_000, 5.0, 60.0
DRAFT = {
    "steps": [
        {"name": "96h", "before": "96 hours", "text": "reminder_far"},
        {"name": "30h", "before": "30 hours", "text": "reminder_day"},
        {"name": "2h", "before": "2 hours", "text": "reminder_hours"},
    ]
}


def measure() -> str:
    """Return the seconds of a simulation and what memory it added, and those of planning every visit again."""
    visits = int(os.environ.get("BENCH_VISITS", str(VISITS)))
    with stage.folder() as folder:
        stage.begin(folder)
        clinic = stage.clinic()
        _book(clinic, visits)
        return "\n".join([_simulate(clinic, visits), _again(clinic)])


def _book(clinic: Clinic, visits: int) -> None:
    """Visits spread over the working hours of the coming week, each of a patient of their own who may be texted."""
    now = clock.now()
    for start in range(0, visits, 500):
        with db.unit_of_work(clinic.id) as session:
            there = session.merge(clinic)
            booked = []
            for number in range(start, min(start + 500, visits)):
                phone = f"+1{201 + number // 100}555{100 + number % 100:04}"
                record = directory.PatientRecord(f"B{number}", "Teresa", "Quill", phone, None)
                patient, _ = directory.save_patient(session, there, record)
                visit = appointments.VisitRecord(
                    external_id=f"V{number}", record="", starts_at=now + timedelta(minutes=2 * (number % VISITS) + 1),
                    zone=clinic.zone, booked_at=now - timedelta(days=20),
                )  # fmt: skip
                booked.append((patient, visit))
            appointments.save_many(session, there, booked)


def _simulate(clinic: Clinic, visits: int) -> str:
    draft = cadence_definition.from_mapping(DRAFT)
    before, began = _peak(), time.perf_counter()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        there, live = session.merge(clinic), planner.cadence_of(session, clinic.id)
        week = coming_week.of_week(session, there, live, draft, clock.now())
    took = time.perf_counter() - began
    return (
        f"simulation: {week.visits:,} of {visits:,} visits under two cadences in {took:.2f} s"
        f" (goal {GOAL_SECONDS:.0f} s),"
        f" peak memory +{_peak() - before:.0f} MB; sends {week.draft.sent:,}, holds {week.draft.held:,},"
        f" skips {week.draft.skipped.total():,}"
    )


def _again(clinic: Clinic) -> str:
    before, began = _peak(), time.perf_counter()
    done = plan_again(clinic.id)
    took = time.perf_counter() - began
    return (
        f"simulation: {done:,} visits planned again in batches of {replanning.BATCH} in {took:.1f} s,"
        f" {done / took:,.0f} a second (goal: 50,000 in {AGAIN_GOAL_SECONDS:.0f} s),"
        f" peak memory +{_peak() - before:.0f} MB"
    )


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
