"""How long patients' texts wait while a clinic's visits are planned again after a new cadence, against a quiet service.

PostgreSQL behind the row policies, Valkey, the web server, the three workers and a carrier, each a process of its own.
Half of the texts speak of suicide (queue urgent), half confirm a visit (queue default). What is timed lies between the
receipt, which is written before the carrier gets its answer, and the end of the transaction that handled it; and what
the carrier itself waits.
"""

import http.client
import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial

from sqlalchemy import create_engine, func, select

from bench import imports, inbound, planning, postgresql, stage
from config import clock, db, settings
from messaging.models import Clinic
from reminders import replanning
from service import child_settings
from service.embedded import ports
from service.embedded.valkey import ValkeyServer
from webhooks.models import Receipt

WORDS = ("I want to kill myself", "Y see you then")
QUIET, PAUSE, PATIENCE = 120, float(os.environ.get("BENCH_PAUSE", "1")), 600
LANES = ("urgent", "default")


def measure() -> str:
    """Return the waits of both lanes, quiet and during it, and how long planning again took beside them."""
    network = ports.free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        url = postgresql.database(stack.enter_context(postgresql.server()), "urgent")
        stage.begin(folder, network=network, database=url, redis=valkey.url)
        clinic = planning.fill(url, number=imports.number)
        db.forget_connections()
        loaded = stage.begin(folder, network=network, database=postgresql.as_application(url), redis=valkey.url)
        planning.plan(clinic.id)
        engine = create_engine(url)
        postgresql.settle(engine)
        engine.dispose()
        _serve(stack, loaded, network, valkey.url)
        texts = _Texts(loaded)
        texts.send_until(lambda: texts.sent >= 8)
        quiet = texts.send_until(lambda: texts.sent >= QUIET)
        began = time.perf_counter()
        with db.unit_of_work(clinic.id) as session:
            planning.publish(session, clinic, planning.LATER)
        during = texts.send_until(partial(_is_planned, clinic))
        took = time.perf_counter() - began
    return "\n".join(
        [
            f"urgent: {planning.VISITS:,} visits planned again in {took:.0f} s by the bulk worker, beside"
            f" a text each {PAUSE} s (PostgreSQL)",
            *(f"urgent: {name}: {_compared(quiet[name], during[name])}" for name in quiet),
        ]
    )


def _serve(stack: ExitStack, loaded: settings.Settings, network: int, redis: str) -> None:
    env = child_settings.environment(loaded, redis)
    carrier = env | {
        "SIMULATOR_PORT": str(network),
        "SIMULATOR_SMS_URL": loaded.public_url + inbound.PATH,
    }
    stack.enter_context(stage.serving(["-m", "simulator"], carrier, f"http://127.0.0.1:{network}/healthz"))
    ready = f"http://127.0.0.1:{loaded.port}/healthz"
    stack.enter_context(stage.serving(["-m", "bench.server", "service.wsgi:app"], env, ready))
    for queue in ("urgent", "default", "bulk"):
        # A worker answers nobody; the web server, which is up by then, does.
        stack.enter_context(stage.serving(["-m", "service.cli", "worker", queue], env, ready))


def _is_planned(clinic: Clinic) -> bool:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        row = replanning.latest(session, clinic.id)
        return row is not None and row.state == "done"


class _Texts:
    """Patients who write, one after the other."""

    def __init__(self, loaded: settings.Settings) -> None:
        self.loaded, self.sent = loaded, 0

    def send_until(self, enough: Callable[[], bool]) -> dict[str, list[float]]:
        """Send texts until it is enough and each was handled; return milliseconds by what is measured."""
        began, took, self.sent = clock.now(), [], 0
        while not enough():
            at = time.perf_counter()
            self._send(WORDS[self.sent % len(WORDS)])
            took.append(1000 * (time.perf_counter() - at))
            self.sent += 1
            time.sleep(max(0, at + PAUSE - time.perf_counter()))
        return {"the carrier's wait": took} | {
            f"from receipt to handled, {lane}": self._waits(began, lane) for lane in LANES
        }

    def _send(self, words: str) -> None:
        body, headers = inbound.signed(self.loaded, words, imports.number(self.sent % planning.PATIENTS))
        door = http.client.HTTPConnection("127.0.0.1", self.loaded.port, timeout=30)
        door.request("POST", inbound.PATH, body, headers)
        answer = door.getresponse()
        answer.read()
        door.close()
        if answer.status != 200:
            raise RuntimeError(f"a text was answered with {answer.status}")

    @staticmethod
    def _waits(since: datetime, lane: str) -> list[float]:
        ours = (Receipt.source == "twilio.sms", Receipt.lane == lane, Receipt.received_at >= since)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with db.unit_of_work(db.EVERY, read_only=True) as session:
                if not session.scalar(select(func.count()).where(*ours, Receipt.state == "received")):
                    moments = session.execute(select(Receipt.received_at, Receipt.processed_at).where(*ours))
                    return [1000 * (done - received).total_seconds() for received, done in moments if done]
            time.sleep(0.2)
        raise RuntimeError(f"texts of the lane {lane} were not handled")


def _compared(quiet: list[float], during: list[float]) -> str:
    ratio = _p95(during) / _p95(quiet)
    return f"{_told(during)} of {len(during)}; quiet {_told(quiet)} of {len(quiet)}; ratio p95 {ratio:.2f}"


def _told(waits: list[float]) -> str:
    return f"p50 {statistics.median(waits):.0f}, p95 {_p95(waits):.0f}, max {max(waits):.0f} ms"


def _p95(waits: list[float]) -> float:
    return statistics.quantiles(waits, n=20)[-1]
