"""How soon a colleague's phone has the text after somebody asked for a handoff, beside a hundred texts a second.

The embedded default: SQLite and Valkey, the web server, the workers, the ticker and a carrier, each a process of its
own. Asking is what the page does, in a transaction of this process. What is timed lies between the request and the
moment at which the carrier had taken the colleague's text; and how late offers that nobody answered were moved on.
"""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bench import imports, inbound, stage
from config import clock, db, settings
from messaging import outbox
from messaging.consent import ledger
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from reminders import handoffs
from reminders.handoff.terms import Terms
from reminders.models import Handoff, HandoffOffer
from service import child_settings
from service.embedded import ports
from service.embedded.valkey import ValkeyServer

ALONE = int(os.environ.get("BENCH_HANDOFFS", "100"))
# Longer than an urgent offer waits, so that some run out while the texts go.
SECONDS = int(os.environ.get("BENCH_SECONDS", "90"))
A_SECOND, TEXTS_A_SECOND, AT_A_TIME = 10, 100, 10
PATIENTS, COLLEAGUES = 1000, 40
PATIENCE = 300
# Of a hundred numbers of an area the last ten are those that the carrier does not deliver to, or slowly.
DELIVERED = 90
URGENT = handoffs.Wishes(urgent=True)


def measure() -> str:
    """Return how long the colleague's text took, alone and beside texts, and how late offers were moved on."""
    network = ports.free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        loaded = stage.begin(folder, network=network, redis=valkey.url)
        clinic = stage.clinic()
        patients = _people(clinic)
        _serve(stack, loaded, network, valkey.url)
        _paced(clinic, patients, 8, each=0.25)  # so that everything is warm
        alone = _paced(clinic, patients, ALONE, each=0.25)
        with _texting(clinic, patients) as queued:
            beside = _paced(clinic, patients, SECONDS * A_SECOND, each=1 / A_SECOND)
        texts, late = queued[0] / SECONDS, _late()
    return "\n".join(
        [
            f"handoff: from request to the colleague's text at the carrier: {_told(alone)}",
            f"handoff: the same, {A_SECOND} a second beside {texts:.0f} texts a second: {_told(beside)}",
            f"handoff: {len(late)} offers that nobody answered were moved on late by {_told(late)}",
        ]
    )


def _people(clinic: Clinic) -> list[UUID]:
    with db.unit_of_work(clinic.id) as session:
        for number in range(COLLEAGUES):
            address, phone = f"c{number}@clinic.example", f"+1202555{100 + number:04}"
            directory.add_staff(session, clinic, name=f"Colleague {number}", email=address, number=phone)
        patients = []
        for number in range(PATIENTS):
            phone = imports.number(number // DELIVERED * 100 + number % DELIVERED)
            record = directory.PatientRecord(f"B{number}", "Rosa", "Bench", phone, date(1980, 2, 29))
            patients.append(directory.save_patient(session, clinic, record)[0].id)
            ledger.record(session, clinic, phone, "granted", source="import", actor="operator")
    return patients


def _serve(stack: ExitStack, loaded: settings.Settings, network: int, redis: str) -> None:
    env = child_settings.environment(loaded, redis)
    carrier = env | {"SIMULATOR_PORT": str(network), "SIMULATOR_SMS_URL": loaded.public_url + inbound.PATH}
    stack.enter_context(stage.serving(["-m", "simulator"], carrier, f"http://127.0.0.1:{network}/healthz"))
    ready = f"http://127.0.0.1:{loaded.port}/healthz"
    stack.enter_context(stage.serving(["-m", "bench.server", "service.wsgi:app"], env, ready))
    for process in (["worker", "urgent"], ["worker", "default"], ["worker", "bulk"], ["ticker"]):
        stack.enter_context(stage.serving(["-m", "service.cli", *process], env, ready))


@contextmanager
def _texting(clinic: Clinic, patients: list[UUID]) -> Iterator[list[int]]:
    """Queue texts to patients all the while; yields how many were."""
    queued, over = [0], threading.Event()

    def text() -> None:
        began = time.perf_counter()
        while not over.is_set():
            with suppress(OperationalError), db.unit_of_work(clinic.id) as session:  # locked for long: the next round
                for number in range(queued[0], queued[0] + AT_A_TIME):
                    patient = session.get_one(Patient, patients[number % len(patients)])
                    words = {"body": "Your visit is on Tuesday at 2:30 PM.", "dedupe": f"bench:{number}"}
                    kinds = {"kind": "reminder", "programme": "reminders"}
                    outbox.text_patient(session, clinic, patient, **words, **kinds)  # type: ignore[arg-type]
                queued[0] += AT_A_TIME
            over.wait(max(0, began + queued[0] / TEXTS_A_SECOND - time.perf_counter()))

    thread = threading.Thread(target=text)
    thread.start()
    try:
        yield queued
    finally:
        over.set()
        thread.join()


def _paced(clinic: Clinic, patients: list[UUID], count: int, *, each: float) -> list[float]:
    """Ask `count` times, one every `each` seconds; return milliseconds until the carrier had each text."""
    began, start_at = clock.now(), time.perf_counter()
    for number in range(count):
        time.sleep(max(0, start_at + number * each - time.perf_counter()))
        _ask(clinic, patients[number % len(patients)])
    return _taken(began)


def _ask(clinic: Clinic, patient_id: UUID) -> None:
    """Ask, once more where the database was locked for longer than a writer waits: a person would press again."""
    for last in (False, False, True):
        try:
            with db.unit_of_work(clinic.id) as session:
                patient = session.get_one(Patient, patient_id)
                mine = session.get_one(Clinic, clinic.id)
                handoffs.request(session, mine, patient, requested_by="operator", wishes=URGENT)
                return
        except OperationalError:
            if last:
                raise


def _taken(since: datetime) -> list[float]:
    """Milliseconds from each request until its first offer's text was taken, once all of them were."""
    end = time.monotonic() + PATIENCE
    asked = select(Handoff.item_id, Handoff.requested_at).where(Handoff.requested_at >= since)
    first = select(Message.dedupe, Message.sent_at).where(
        Message.created_at >= since, Message.dedupe.like("alert:%:offer0:%")
    )
    while time.monotonic() < end:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            sent = {dedupe.split(":")[1]: at for dedupe, at in session.execute(first)}
            waits = [(at, sent.get(str(item_id))) for item_id, at in session.execute(asked)]
        if waits and all(taken for _, taken in waits):
            return [1000 * (taken - at).total_seconds() for at, taken in waits if taken]
        time.sleep(0.5)
    raise RuntimeError("a colleague's text was not taken")


def _late() -> list[float]:
    """Milliseconds after its time at which each offer that nobody answered was moved on."""
    patience = timedelta(minutes=Terms().urgent)
    silent = select(HandoffOffer.offered_at, HandoffOffer.answered_at).where(HandoffOffer.answer == "silent")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return [1000 * (at - offered - patience).total_seconds() for offered, at in session.execute(silent) if at]


def _told(waits: list[float]) -> str:
    if len(waits) < 2:
        return "not measured"
    parts = statistics.quantiles(waits, n=100)
    return f"p50 {parts[49]:.0f}, p99 {parts[98]:.0f}, max {max(waits):.0f} ms"
