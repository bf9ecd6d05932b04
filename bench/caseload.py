"""How long the registry takes: a thousand open episodes on one page, in a clinic of a thousand and of many more.

The floor is the smallest page of the same application in the same run. What is timed is the whole request: session,
database, totals, rules, template; beside it the seconds that the server's process computed, which other work on the
machine lengthens less. `BENCH_EPISODES` is how many episodes the large clinic has.
"""

import json
import os
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update

from bench import postgresql, stage
from caseload import due_items
from caseload.models import CareEntry, CaseReview, DueNotice, DueRound, Episode
from config import clock, db, runtime
from intake_links.models import Screen
from messaging.inbox.models import Timer
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from reminders import care_model
from service import app as application
from service import start
from service.embedded.valkey import ValkeyServer
from web import sessions

MANAGERS = ("Rosa Delgado", *(f"Ben Ito {number}" for number in range(2, 11)))
OPEN, WEEKS, REQUESTS, GOAL_MS, GOAL = 1_000, 8, 20, 100, 1.3


def measure() -> str:
    """Return p95 of the page with a thousand rows, in a small clinic and in a large one, beside the smallest page."""
    there_are = int(os.environ.get("BENCH_EPISODES", "100000"))
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        url = postgresql.database(stack.enter_context(postgresql.server()), "caseload")
        stage.begin(folder, database=url, redis=valkey.url)
        clinic, manager = _furnish()
        postgresql.settle(db.engine())
        browser = _signed_in(manager)
        floor, first = _timed(browser, "/preferences", "Preferences"), _once(browser, "/caseload?manager=all")
        anew = _anew(browser, "/caseload?manager=all")
        mine = _timed(browser, "/caseload", "this month")
        small = _timed(browser, "/caseload?manager=all", "this month")
        _past(clinic, manager, there_are - OPEN)
        large = _timed(browser, "/caseload?manager=all", "this month")
        night = _night(clinic)
        db.engine().dispose()
    return "\n".join(
        [
            f"caseload: the registry of {OPEN:,} open episodes, each with {WEEKS} scores: p95 {small} in a clinic of"
            f" {OPEN:,} episodes, {large} in one of {there_are:,} (ratio {large.took / small.took:.2f}, goal {GOAL};"
            f" goal {GOAL_MS} ms)",
            f"caseload: one manager's {OPEN // 10} of them: p95 {mine}; the smallest page {floor};"
            f" everybody for the first time {first:.0f} ms, with nothing remembered {anew}",
            f"caseload: a night's round by all rules over {OPEN:,} open episodes in a clinic of {there_are:,}: {night}",
        ]
    )


def _furnish() -> tuple[Clinic, Staff]:
    """Make a clinic with a registry: a tenth of the open episodes are the manager's who looks."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = stage.clinic()
        clinic = session.get_one(Clinic, clinic.id)
        terms = care_model.Terms(model="collaborative").model_dump(mode="json")
        clinic.rules = {**clinic.rules, care_model.NAME: terms}
        people = [
            directory.add_staff(session, clinic, name=name, email=f"staff{number}@bench.example", role=role)
            for number, (name, role) in enumerate(
                [*((name, "care_manager") for name in MANAGERS), ("Dr. Ames", "clinician")]
            )
        ]
    for first in range(0, OPEN, 100):
        with db.unit_of_work(clinic.id) as session:
            for number in range(first, first + 100):
                manager = people[number % len(MANAGERS)]
                record = directory.PatientRecord(f"R{number}", "Teresa", f"Quill{number}", None, None)
                patient, _ = directory.save_patient(session, session.get_one(Clinic, clinic.id), record)
                episode = _episode(patient, manager, people[-1])
                session.add(episode)
                session.add_all(_screens(patient, number))
                session.flush()
                session.add_all(_work(episode, manager, people[-1], number // len(MANAGERS)))
    return clinic, people[0]


def _episode(patient: Patient, manager: Staff, treating: Staff) -> Episode:
    return Episode(id=db.new_id(), key_id=patient.key_id, **_facts(patient.clinic_id, patient.id, manager, treating))


def _facts(clinic_id: Any, patient_id: Any, manager: Staff, treating: Staff) -> dict[str, Any]:
    began = clock.now() - timedelta(weeks=WEEKS)
    return {
        "clinic_id": clinic_id, "patient_id": patient_id, "phase": "active", "phase_at": began,
        "enrolled_on": began.date(), "enrolled_by": manager.id, "consent": "verbal", "consent_at": began,
        "consent_by": manager.id, "consent_language": "en", "practitioner_id": treating.id,
        "manager_id": manager.id, "payer": "medicare", "scale": "phq9", "created_at": began,
    }  # fmt: skip


def _screens(patient: Patient, number: int) -> list[Screen]:
    scores = [(20 - week - number % 5, clock.now() - timedelta(weeks=WEEKS - week)) for week in range(WEEKS)]
    return [
        Screen(
            clinic_id=patient.clinic_id, key_id=patient.key_id, patient_id=patient.id, instrument="phq9",
            instrument_version="1", language="en", source="bench", event=f"{patient.id}:{total}", state="submitted",
            answers="[]", result=json.dumps({"total": total, "alerts": []}), started_at=at, submitted_at=at,
            scored_at=at, detail={},
        )
        for total, at in scores
    ]  # fmt: skip


def _work(episode: Episode, manager: Staff, consultant: Staff, place: int) -> list[CareEntry | CaseReview]:
    """A call in each week, one after another as `place` has it among the manager's, and a review in every fourth."""
    last = clock.now() - timedelta(minutes=20 + 13 * place)
    days = [last - timedelta(weeks=week) for week in range(WEEKS)]
    calls = [
        CareEntry(
            clinic_id=episode.clinic_id, episode_id=episode.id, staff_id=manager.id, kind="call", live=True,
            starts_at=at, ends_at=at + timedelta(minutes=12), made_at=at,
        )
        for at in days
    ]  # fmt: skip
    said = [
        CaseReview(
            clinic_id=episode.clinic_id, key_id=episode.key_id, episode_id=episode.id, by_id=consultant.id,
            written_by=consultant.id, at=at, decision="continue",
        )
        for at in days[::4]
    ]  # fmt: skip
    return [*calls, *said]


def _night(clinic: Clinic) -> str:
    """How long the round of a night takes that makes every item, and the next, which makes none."""
    terms = care_model.Terms(model="collaborative", items=care_model.RULES).model_dump(mode="json")
    with db.unit_of_work(clinic.id) as session:
        here = session.get_one(Clinic, clinic.id)
        here.rules = {**here.rules, care_model.NAME: terms}
    took = []
    for _ in range(2):
        with db.unit_of_work(db.EVERY) as session:
            session.execute(update(DueRound).values(try_after=clock.now()))
        began = time.perf_counter()
        while due_items.drain():
            pass
        took.append(time.perf_counter() - began)
        with db.unit_of_work(db.EVERY) as session:  # nobody works here: what is urgent must not wait, nor be waited for
            session.execute(update(Timer).values(state="cancelled"))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        made = session.scalar(select(func.count()).select_from(DueNotice))
    return f"{took[0]:.1f} s for {made:,} items, {took[1]:.1f} s for none"


def _past(clinic: Clinic, manager: Staff, many: int) -> None:
    """Add episodes that are over, of the same patients."""
    with db.unit_of_work(db.EVERY) as session:
        patients = session.query(Patient.id, Patient.key_id).filter(Patient.clinic_id == clinic.id).all()
        treating = session.query(Staff).filter(Staff.role == "clinician").first() or manager
        for first in range(0, many, 1000):
            rows = [
                _facts(clinic.id, patient_id, manager, treating)
                | {"id": db.new_id(), "key_id": key_id, "phase": "discharged", "ended_on": clock.now().date(),
                   "end_reason": "goals_met"}
                for patient_id, key_id in (patients * (1 + 1000 // len(patients)))[: min(1000, many - first)]
            ]  # fmt: skip
            session.execute(insert(Episode), rows)
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE care_episode")


def _signed_in(staff: Staff) -> FlaskClient:
    app = application.create_app()
    with db.unit_of_work(db.EVERY) as session:
        token = sessions.start(session, staff)
    browser = app.test_client()
    browser.set_cookie(sessions.cookie_name(), token)
    start.settled()  # as the web server does once its application is made
    return browser


@dataclass(frozen=True)
class Timed:
    """p95 of a page in milliseconds: how long it took, and how long the server's process computed."""

    took: float
    computed: float

    def __str__(self) -> str:
        return f"{self.took:.0f} ms ({self.computed:.0f} ms computing)"


def _timed(browser: FlaskClient, address: str, words: str) -> Timed:
    took, computed = [], []
    for _ in range(3 + REQUESTS):
        began, at_work = time.perf_counter(), time.process_time()
        page = browser.get(address)
        took.append(1000 * (time.perf_counter() - began))
        computed.append(1000 * (time.process_time() - at_work))
        if page.status_code != 200 or words not in page.text:
            raise RuntimeError(f"{address} answered {page.status_code}")
    return Timed(*(statistics.quantiles(each[3:], n=20)[-1] for each in (took, computed)))


def _anew(browser: FlaskClient, address: str) -> Timed:
    """A page for which no key is open and no row remembered, as after five minutes in which nobody looked."""
    both = []
    for _ in range(5):
        for kept in ("db.keys", "caseload.standings", "web.registry_rows"):
            runtime.forget(kept)
        began, at_work = time.perf_counter(), time.process_time()
        browser.get(address)
        both.append((1000 * (time.perf_counter() - began), 1000 * (time.process_time() - at_work)))
    return Timed(*(max(each) for each in zip(*both, strict=True)))


def _once(browser: FlaskClient, address: str) -> float:
    began = time.perf_counter()
    browser.get(address)
    return 1000 * (time.perf_counter() - began)
