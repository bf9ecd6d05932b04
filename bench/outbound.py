"""Texts a second at 100 ms carrier latency: our outbox against the bare SDK in a thread pool of the same size."""

import json
import statistics
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import func, select

from bench import stage
from config import clock, db
from messaging import outbox
from messaging.delivery import deliver
from messaging.gateways.base import Outgoing
from messaging.gateways.twilio import gateway
from messaging.models import Clinic, Message
from messaging.people import directory
from service import child_settings
from service.embedded import ports

TEXTS, LATENCY_MS, ROUNDS, GOAL = 960, 100, 3, 0.8


def measure() -> str:
    """Return the ratio of the medians of three rounds each, floor and ours in turn."""
    network = ports.free_port()
    with stage.folder() as folder, ExitStack() as stack:
        loaded = stage.begin(folder, network=network)
        env = child_settings.environment(loaded, "") | {
            "SIMULATOR_PORT": str(network),
            "SIMULATOR_SMS_URL": loaded.public_url + "/webhooks/twilio/sms",
        }
        stack.enter_context(stage.serving(["-m", "simulator"], env, f"http://127.0.0.1:{network}/healthz"))
        _slow_down(network)
        clinic = stage.clinic()
        _bare(64)
        floor, ours = [], []
        for number in range(ROUNDS):
            floor.append(_bare(TEXTS))
            ours.append(_outbox(clinic, number, folder))
    ratio = statistics.median(ours) / statistics.median(floor)
    return (
        f"outbound: {statistics.median(ours):.0f} texts/s, bare SDK {statistics.median(floor):.0f}/s, "
        f"ratio {ratio:.2f} (goal {GOAL}; {TEXTS} texts, {deliver.SENDERS} at once, {LATENCY_MS} ms, SQLite)"
    )


def _slow_down(network: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{network}/sim/faults",
        data=json.dumps({"latency_ms": LATENCY_MS, "rules": []}).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=5).close()


def _bare(count: int) -> float:
    text = Outgoing(stage.PATIENT, stage.CLINIC, None, "Your visit is tomorrow.", "http://127.0.0.1:9/nobody", 600)
    with ThreadPoolExecutor(deliver.SENDERS) as pool:
        began = time.perf_counter()
        for _ in pool.map(lambda _number: gateway().send(text), range(count)):
            pass
        return count / (time.perf_counter() - began)


def _outbox(clinic: Clinic, round_number: int, _folder: Path) -> float:
    with db.unit_of_work(db.EVERY) as session:
        record = directory.PatientRecord("1", "A", "B", stage.PATIENT, None)
        patient, _ = directory.save_patient(session, session.get_one(Clinic, clinic.id), record)
        for number in range(TEXTS):
            outbox.text_patient(
                session, clinic, patient, kind="reply", programme="care_team", body=f"Text {number}",
                dedupe=f"bench:{round_number}:{number}", lane="bulk",
            )  # fmt: skip
    began = clock.monotonic()
    deliver.deliver("bulk", seconds=120)
    took = clock.monotonic() - began
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        left = session.scalar(select(func.count()).where(Message.state.in_(("queued", "sending", "unknown"))))
    if left:
        raise RuntimeError(f"{left} texts did not leave")
    return TEXTS / took
