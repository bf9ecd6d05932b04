"""How long the 90-day review takes: over many texts and visits, whose days have been counted and kept.

`BENCH_TEXTS` is how many texts of half a year there are (a fifth as many visits); the goal is said for a million. What
is timed is the whole request, beside the smallest page of the same application; and how long counting the days takes,
which nobody waits for.
"""

import os
import statistics
import time
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from bench import postgresql, stage
from caseload.figures import keeping
from config import clock, db
from messaging import conversations
from messaging.models import Clinic
from messaging.people import directory
from reminders import care_model
from service import app as application
from service.embedded.valkey import ValkeyServer
from web import sessions

PATIENTS, DAYS, TEXTS_PER_VISIT, REQUESTS, GOAL_MS = 500, 180, 5, 20, 2_000
BORN = date(1980, 3, 9)
# An id that grows with time, as the service makes them.
ID = (
    "(lpad(to_hex((extract(epoch from {at}) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)"
    " || 'a' || substr(md5(random()::text), 1, 15))::uuid"
)
FILL = """
CREATE TEMPORARY TABLE who AS
  SELECT row_number() OVER () - 1 AS n, p.id AS patient_id, p.key_id, c.id AS conversation_id
  FROM patient p JOIN conversation c ON c.patient_id = p.id;
CREATE TEMPORARY TABLE visit AS
  SELECT i, CAST(:now AS timestamptz) - make_interval(secs => :days * 86400.0 * (i + 0.5) / :visits) AS at
  FROM generate_series(0, :visits - 1) AS i;
INSERT INTO appointment (id, clinic_id, patient_id, source, external_id, starts_at, zone, booked_at, state, revision,
                         confirmed_at, created_at, updated_at)
  SELECT {of_visit}, :clinic, who.patient_id, 'bench', i::text, at, 'America/Denver', at - interval '9 days',
         CASE WHEN i % 8 = 0 THEN 'no_show' WHEN i % 11 = 0 THEN 'cancelled' ELSE 'arrived' END, 1,
         CASE WHEN i % 3 > 0 THEN at - interval '1 day' END, at - interval '9 days', at
  FROM visit JOIN who ON who.n = visit.i % :patients;
CREATE TEMPORARY TABLE letter AS
  SELECT i, CAST(:now AS timestamptz) - make_interval(secs => :days * 86400.0 * (i + 0.5) / :texts) AS at
  FROM generate_series(0, :texts - 1) AS i;
INSERT INTO message (id, clinic_id, key_id, conversation_id, patient_id, direction, kind, lane, state, body_ct, media,
                     dedupe, created_at, delivered_at, try_after, attempts, fence)
  SELECT {of_letter}, :clinic, who.key_id, who.conversation_id, who.patient_id,
         CASE WHEN i % 4 = 0 THEN 'in' ELSE 'out' END, 'reminder', 'bulk',
         CASE WHEN i % 4 = 0 THEN 'received' WHEN i % 9 = 0 THEN 'failed' ELSE 'delivered' END, '\\x00', '[]',
         'bench' || i, at, at, at, 0, 0
  FROM letter JOIN who ON who.n = (letter.i / 7) % :patients;
INSERT INTO reminder (id, clinic_id, appointment_id, step, revision, state, why, message_id, try_after, attempts, fence)
  SELECT gen_random_uuid(), :clinic, appointment.id, 's', 1, 'queued', '[]', message.id, appointment.starts_at, 0, 0
  FROM appointment JOIN message ON message.dedupe = 'bench' || (appointment.external_id::bigint * :per_visit + 1)
"""


def measure() -> str:
    """Return p95 of the page, what it costs where nothing is kept yet, and how long a day takes to be counted."""
    texts = int(os.environ.get("BENCH_TEXTS", "100000"))
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        url = postgresql.database(stack.enter_context(postgresql.server()), "review")
        stage.begin(folder, database=url, redis=valkey.url)
        postgresql.hasten(url, loading=True)
        clinic, browser = _furnish()
        _fill(clinic, texts)
        postgresql.hasten(url, loading=False)
        postgresql.settle(db.engine())
        counted, took = _count()
        floor, page = _timed(browser, "/preferences", "Preferences"), _timed(browser, "/review", "90 of 90 days")
        db.engine().dispose()
    return (
        f"review: {texts:,} texts and {texts // TEXTS_PER_VISIT:,} visits of {DAYS} days: p95 {page:.0f} ms"
        f" (goal {GOAL_MS} ms for 1,000,000 texts); the smallest page {floor:.0f} ms;"
        f" {counted} days counted beforehand in {took:.1f} s, {1000 * took / counted:.0f} ms a day"
    )


def _furnish() -> tuple[Clinic, FlaskClient]:
    """Make a clinic with a registry and its patients, each with a conversation; return it and a lead's browser."""
    clinic = stage.clinic()
    with db.unit_of_work(db.EVERY) as session:
        kept = session.get_one(Clinic, clinic.id)
        kept.rules = {**kept.rules, care_model.NAME: care_model.Terms(model="collaborative").model_dump(mode="json")}
        lead = directory.add_staff(session, kept, name="Ines", email="ines@bench.example", role="clinic_admin")
    for first in range(0, PATIENTS, 100):
        with db.unit_of_work(clinic.id) as session:
            for number in range(first, first + 100):
                phone = f"+1720555{number:04}"
                record = directory.PatientRecord(f"R{number}", "Teresa", f"Quill{number}", phone, BORN)
                directory.save_patient(session, session.get_one(Clinic, clinic.id), record)
                conversations.of_number(session, clinic, phone)
    app = application.create_app()
    with db.unit_of_work(db.EVERY) as session:
        token = sessions.start(session, lead)
    browser = app.test_client()
    browser.set_cookie(sessions.cookie_name(), token)
    return clinic, browser


def _fill(clinic: Clinic, texts: int) -> None:
    facts: dict[str, Any] = {
        "clinic": clinic.id, "now": clock.now() - timedelta(hours=1), "days": DAYS, "texts": texts,
        "visits": texts // TEXTS_PER_VISIT, "patients": PATIENTS, "per_visit": TEXTS_PER_VISIT,
    }  # fmt: skip
    sql = FILL.format(of_visit=ID.format(at="at - interval '9 days'"), of_letter=ID.format(at="at"))
    with db.engine().begin() as connection:
        # Whose each row is was never in doubt here: no key is looked up for it, and indexes are built when all is in.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SELECT set_config('app.clinic', '*', true)"))
        indexes = postgresql.drop_indexes(connection, ("appointment", "message", "reminder"))
        for statement in [*sql.split(";\n"), *indexes]:
            connection.execute(text(statement), facts)


def _count() -> tuple[int, float]:
    began, counted = time.perf_counter(), 0
    while handled := keeping.drain():
        counted += handled
    return counted, time.perf_counter() - began


def _timed(browser: FlaskClient, address: str, words: str) -> float:
    took = []
    for _ in range(3 + REQUESTS):
        began = time.perf_counter()
        page = browser.get(address)
        took.append(1000 * (time.perf_counter() - began))
        if page.status_code != 200 or words not in page.text:
            raise RuntimeError(f"{address} answered {page.status_code}")
    return statistics.quantiles(took[3:], n=20)[-1]
