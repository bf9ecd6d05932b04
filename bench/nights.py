"""How long the nightly rules take over every open episode of a large clinic, and in how much memory.

The floor reads the columns of the same episodes in the same pages and looks at nothing. Each episode has totals, a
call and a review; in one of `ONE_IN` a contact has come to be due. `BENCH_EPISODES` is how many there are.
"""

import json
import os
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from bench import caseload, postgresql, stage
from caseload import due_items, listing
from caseload.models import OPEN, CareEntry, CaseReview, DueNotice, DueRound, Episode
from config import aside, clock, db, runtime
from messaging.models import Clinic, Patient, Staff
from messaging.people import bulk_save, directory
from reminders import care_model

ONE_IN, A_PART, GOAL_SECONDS, OF = 30, 1000, 60, 100_000


def measure() -> str:
    """Return how long a night takes, and the next, with how much memory, beside reading the columns alone."""
    there_are = int(os.environ.get("BENCH_EPISODES", "10000"))
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        url = postgresql.database(stack.enter_context(postgresql.server()), "nights")
        stage.begin(folder, database=url)
        aside.STEPS = 0  # what is urgent is the work of another process, which there is none of here
        clinic = _furnish(there_are)
        # Once with a rule that nothing comes of: totals are kept from then on.
        first, _ = _round(clinic, "worse")
        before, floor = _megabytes(), _took(lambda: _read(clinic))
        some, made = _round(clinic, *care_model.RULES)
        none, _ = _round(clinic, *care_model.RULES)
        grown = _megabytes() - before
        db.engine().dispose()
    goal = GOAL_SECONDS * there_are / OF
    return (
        f"nights: {there_are:,} open episodes: {some} for {made:,} items, {none} for none, {first} where totals were"
        f" not kept; goal {goal:.1f} s: {'ok' if some.seconds <= goal else 'TOO SLOW'}; the columns alone {floor}"
        f" (ratio of computing {some.computed / floor.computed:.0f} and {none.computed / floor.computed:.0f});"
        f" memory {before:.0f} MB, and {grown:.0f} MB more after two nights"
    )


@dataclass(frozen=True)
class Took:
    """How long work took, and how much of that this process computed."""

    seconds: float
    computed: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s ({self.computed:.1f} s computing)"


def _furnish(there_are: int) -> Clinic:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, stage.clinic().id)
        people = [
            directory.add_staff(session, clinic, name=name, email=f"{name[:4].lower()}@bench.example", role=role)
            for name, role in (("Rosa Delgado", "care_manager"), ("Dr. Ames", "clinician"))
        ]
    for first in range(0, there_are, A_PART):
        with db.unit_of_work(clinic.id) as session:
            here, numbers = session.get_one(Clinic, clinic.id), range(first, min(there_are, first + A_PART))
            records = [
                directory.PatientRecord(f"R{number}", "Teresa", f"Quill{number}", None, None) for number in numbers
            ]
            saved = bulk_save.save_patients(session, here, records)
            _enrol(session, people, [patient for patient, _ in saved], first)
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    return clinic


def _enrol(session: Any, people: list[Staff], patients: list[Patient], first: int) -> None:
    now = clock.now()
    totals = json.dumps(
        [[(now - timedelta(days=days)).date().toordinal(), total] for days, total in ((55, 16), (3, 8))]
    )
    rows, calls, said = [], [], []
    for number, patient in enumerate(patients, first):
        facts = caseload._facts(patient.clinic_id, patient.id, *people)
        row = Episode(id=db.new_id(), key_id=patient.key_id, **facts)
        sealed = Episode.imported.closed(row, totals.encode())
        rows.append({"id": row.id, "key_id": row.key_id, "imported_ct": sealed, **facts})
        whose = {"clinic_id": patient.clinic_id, "episode_id": row.id}
        at = now - timedelta(days=20 if number % ONE_IN == 0 else 2)
        calls.append(
            {"id": db.new_id(), **whose, "staff_id": people[0].id, "kind": "call", "live": True, "starts_at": at,
             "ends_at": at + timedelta(minutes=12), "made_at": at}
        )  # fmt: skip
        said.append(
            {"id": db.new_id(), **whose, "key_id": patient.key_id, "by_id": people[1].id, "written_by": people[1].id,
             "at": now - timedelta(days=5), "decision": "continue"}
        )  # fmt: skip
    for model, values in ((Episode, rows), (CareEntry, calls), (CaseReview, said)):
        session.execute(insert(model), values)


def _round(clinic: Clinic, *rules: str) -> tuple[Took, int]:
    """Let a night go by in which these rules make items; return its seconds and how many items have been made."""
    with db.unit_of_work(clinic.id) as session:
        here = session.get_one(Clinic, clinic.id)
        terms = care_model.Terms.model_validate({"model": "collaborative", "items": rules})
        here.rules = {**here.rules, care_model.NAME: terms.model_dump(mode="json")}
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(DueRound).values(try_after=clock.now()))
    for kept in ("caseload.standings", "db.keys"):  # a day has gone by
        runtime.forget(kept)
    took = _took(_night)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return took, session.scalar(select(func.count()).select_from(DueNotice)) or 0


def _night() -> None:
    while due_items.drain():
        pass


def _read(clinic: Clinic) -> None:
    """Read what stands in the episodes themselves, page by page."""
    after = None
    while True:
        with db.unit_of_work(clinic.id, read_only=True) as session:
            page = listing.selected(clinic).where(Episode.clinic_id == clinic.id, OPEN).order_by(Episode.id)
            rows = db.tuples(session, (page.where(Episode.id > after) if after else page).limit(due_items.PAGE))
        if not rows:
            return
        after = rows[-1].id


def _took(work: Callable[[], None]) -> Took:
    began, at_work = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - began, time.process_time() - at_work)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
