"""Visits planned a second into PostgreSQL, against a bare COPY of the rows that planning wrote; and planning again."""

import os
import resource
import time
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, create_engine, text

from bench import postgresql, stage
from config import clock, db
from messaging.models import Clinic
from messaging.people import directory
from messaging.versions import publishing
from reminders import planned_rows, planner
from reminders.cadence import cadence_definition
from reminders.cadence_decision import CADENCE, plan_again
from reminders.models import Appointment

VISITS = int(os.environ.get("BENCH_VISITS", "100000"))
AGAIN = min(VISITS, 50_000)
PATIENTS, BATCH, GOAL, GOAL_AGAIN = 500, 500, 0.25, 60
STEPS = [
    {"name": "week", "weekday": "fri", "at": "10:00", "text": "reminder_far"},
    {"name": "far", "before": "72 hours", "text": "reminder_far"},
    {"name": "day", "before": "24 hours", "text": "reminder_day"},
    {"name": "soon", "before": "2 hours", "text": "reminder_hours"},
]
LATER = [{**STEPS[0], "at": "11:00"}, {**STEPS[1], "before": "70 hours"}, *STEPS[2:]]
VISITS_OF_THE_CLINIC = """
    INSERT INTO appointment (id, clinic_id, patient_id, source, external_id, starts_at, zone, booked_at, place,
                             state, revision, created_at, updated_at)
    SELECT gen_random_uuid(), :clinic, (:patients)[1 + n % array_length(:patients, 1)], 'bench', n::text,
           CAST(:from AS timestamptz) + (n % 90) * interval '1 day' + (n % 18) * interval '30 minutes',
           'America/Denver', CAST(:now AS timestamptz) - interval '14 days', 'Room 4', 'booked', 1, :now, :now
    FROM generate_series(1, :count) AS n
"""


def measure() -> str:
    """Return both speeds, what planning needed of memory, and how long planning again took."""
    with postgresql.server() as owner, stage.folder() as folder:
        url = postgresql.database(owner, "planning")
        stage.begin(folder, database=url)
        clinic = fill(url)
        db.forget_connections()
        stage.begin(folder, database=postgresql.as_application(url))
        before, start = _memory(), time.perf_counter()
        plan(clinic.id)
        ours, grown = time.perf_counter() - start, _memory() - before
        rows, floor = _copied(url)
        again = _again(url, clinic)
        db.forget_connections()
    return (
        f"planning: {VISITS} visits, {rows} reminders: {rows / ours:.0f} rows/s, bare COPY {rows / floor:.0f} rows/s, "
        f"ratio {floor / ours:.2f} (goal {GOAL}), memory grew by {grown} MB; "
        f"planning {AGAIN} again: {again:.0f} s (goal {GOAL_AGAIN}; PostgreSQL)"
    )


def fill(url: str, number: Callable[[int], str | None] = lambda _: None) -> Clinic:
    """Add a clinic with its cadence, patients with their numbers and visits, none of them planned."""
    clinic = stage.clinic()
    with db.unit_of_work(db.EVERY) as session:
        patients = [
            directory.save_patient(
                session,
                session.get_one(Clinic, clinic.id),
                directory.PatientRecord(
                    record=f"P{n}", first_name="Rosa", last_name="Vance", number=number(n), birth_date=None
                ),
            )[0].id
            for n in range(PATIENTS)
        ]
        publish(session, clinic, STEPS)
    engine = create_engine(url)
    with engine.begin() as connection:
        values = {"clinic": clinic.id, "patients": patients, "count": VISITS, "now": clock.now()}
        connection.execute(text(VISITS_OF_THE_CLINIC), values | {"from": clock.now() + timedelta(days=5)})
    postgresql.settle(engine)
    engine.dispose()
    return clinic


def publish(session: Any, clinic: Clinic, steps: list[dict[str, Any]]) -> None:
    """Let the clinic follow these steps from now on."""
    definition = cadence_definition.from_mapping({"name": "bench", "steps": steps}).model_dump(mode="json")
    draft = publishing.save(session, clinic, CADENCE, definition, edit=0, actor="bench")
    publishing.publish(session, clinic, CADENCE, edit=draft.edit, actor="bench")


def plan(clinic_id: UUID) -> None:
    """Plan every visit of the clinic, a batch to a transaction, from where the one before ended."""
    left = [Appointment.clinic_id == clinic_id]
    while True:
        with db.unit_of_work(clinic_id) as session:
            visits = planned_rows.visits(session, *left, most=BATCH)
            planner.plan_many(session, visits)
        if len(visits) < BATCH:
            return
        left = [Appointment.clinic_id == clinic_id, Appointment.id > visits[-1].id]


def _copied(url: str) -> tuple[int, float]:
    """Empty the table and copy the same rows into it again, by the owner, in one transaction; rows and seconds."""
    engine = create_engine(url)
    with engine.begin() as connection:
        held = BytesIO()
        with _cursor(connection).copy("COPY reminder TO STDOUT") as out:
            for block in out:
                held.write(block)
        rows = connection.execute(text("SELECT count(*) FROM reminder")).scalar_one()
        connection.execute(text("TRUNCATE reminder"))
    start = time.perf_counter()
    with engine.begin() as connection, _cursor(connection).copy("COPY reminder FROM STDIN") as copy:
        view = held.getbuffer()
        for at in range(0, len(view), 1 << 20):
            copy.write(view[at : at + (1 << 20)])
    seconds = time.perf_counter() - start
    engine.dispose()
    return rows, seconds


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()


def _again(url: str, clinic: Clinic) -> float:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE appointment SET starts_at = now() - interval '1 day' WHERE external_id::int > :kept"),
            {"kept": AGAIN},
        )
    engine.dispose()
    with db.unit_of_work(clinic.id) as session:
        publish(session, clinic, LATER)
    start = time.perf_counter()
    plan_again(clinic.id)
    return time.perf_counter() - start


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
