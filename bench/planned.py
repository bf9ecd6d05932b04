"""From an EHR's event to the planned reminder: signed messages of new visits, one after the other, and their plans.

The embedded default: SQLite and Valkey, the web, two workers and the ticker, each a process of its own. What is timed
lies between the moment at which a message is sent and the one at which its visit's reminders can be read.
BENCH_EVENTS is how many (200), sent BENCH_PAUSE seconds apart (0.2).
"""

import http.client
import os
import statistics
import time
from contextlib import ExitStack

from sqlalchemy import select

from bench import planning, siu, stage
from config import db
from reminders.models import Appointment, Reminder
from service import child_settings
from service.embedded.valkey import ValkeyServer

EVENTS, PAUSE = int(os.environ.get("BENCH_EVENTS", "200")), float(os.environ.get("BENCH_PAUSE", "0.2"))
GOAL, PATIENCE, WARM = 2.0, 60.0, 5
STEPS = [{"name": "soon", "before": "2 hours", "text": "reminder_hours"}]


def measure() -> str:
    """Return how long it was from an event to the planned reminder."""
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        loaded = stage.begin(folder, redis=valkey.url)
        clinic = stage.clinic()
        siu.feed_of(clinic)
        with db.unit_of_work(clinic.id) as session:
            planning.publish(session, session.merge(clinic), STEPS)
        env, ready = child_settings.environment(loaded, valkey.url), f"http://127.0.0.1:{loaded.port}/healthz"
        stack.enter_context(stage.serving(["-m", "bench.server", "service.wsgi:app"], env, ready))
        for process in (["worker", "default"], ["worker", "bulk"], ["ticker"]):
            stack.enter_context(stage.serving(["-m", "service.cli", *process], env, ready))
        took = [_took(loaded.port, place) for place in range(WARM + EVENTS)][WARM:]
    p95 = statistics.quantiles(took, n=20)[-1]
    return (
        f"planned: {EVENTS} events, one each {PAUSE} s, to their planned reminder: p50 {statistics.median(took):.2f} s,"
        f" p95 {p95:.2f} s, max {max(took):.2f} s (goal: p95 {GOAL:.0f} s; SQLite)"
    )


def _took(port: int, place: int) -> float:
    time.sleep(PAUSE)
    body, headers = siu.signed(place)
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("POST", siu.PATH, body, headers)
    answer = connection.getresponse()
    if answer.status != 200 or b"MSA|AA" not in answer.read():
        raise RuntimeError(f"a message was answered {answer.status}")
    connection.close()
    planned = select(Reminder.id).join(Appointment, Appointment.id == Reminder.appointment_id)
    mine = planned.where(Appointment.external_id.like(f"%|V{place}^%"), Reminder.state == "planned")
    while time.monotonic() - began < PATIENCE:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            if session.scalar(mine.limit(1)):
                return time.monotonic() - began
        time.sleep(0.01)
    raise RuntimeError("a visit was not planned")
