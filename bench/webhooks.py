"""Webhook fan-out of 1,000 events to a receiver that is quick, beside one that is slow and one that never answers.

The embedded default: SQLite and Valkey, two workers, the ticker and the receivers, each a process of its own. What is
timed lies between the commit of all events at once and the answer to each of them, as the tries were written down; the
floor is the same with the quick receiver alone.
"""

import json
import os
import statistics
import time
import urllib.request
from contextlib import ExitStack
from datetime import datetime

from sqlalchemy import func, select

from bench import stage
from config import audit, clock, db, runtime
from messaging.event_webhooks import endpoints
from messaging.event_webhooks.models import WebhookDelivery, WebhookEndpoint
from messaging.models import Clinic
from service import child_settings
from service.embedded import ports
from service.embedded.valkey import ValkeyServer

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000"))
PATIENCE = 600
# Milliseconds until they answer: one slowly, one later than anybody waits.
SLOW = {"slow": 1_000, "hanging": 120_000}


def measure() -> str:
    """Return how long the quick receiver's events took, alone and beside the others, and how far the slow one came."""
    network = ports.free_port()
    with ExitStack() as stack:
        folder = stack.enter_context(stage.folder())
        valkey = stack.enter_context(ValkeyServer(folder / "valkey"))
        loaded = stage.begin(folder, network=network, redis=valkey.url)
        loaded = loaded.model_copy(update={"webhooks_to_loopback": True})
        runtime.configure(loaded)
        env, ready = child_settings.environment(loaded, valkey.url), f"http://127.0.0.1:{network}/healthz"
        simulator = env | {"SIMULATOR_PORT": str(network), "SIMULATOR_SMS_URL": "http://127.0.0.1:9/"}
        stack.enter_context(stage.serving(["-m", "simulator", "--quiet"], simulator, ready))
        for process in (["worker", "default"], ["worker", "bulk"], ["ticker"]):
            stack.enter_context(stage.serving(["-m", "service.cli", *process], env, ready))
        clinic = stage.clinic()
        quick = _endpoint(clinic, network, "quick")
        _happen(clinic, 20)  # so that everything is warm
        _taken(quick, 20)
        alone = _took(clinic, quick, 20 + EVENTS)
        slow = [_endpoint(clinic, network, name, delay) for name, delay in SLOW.items()]
        beside = _took(clinic, quick, 20 + 2 * EVENTS)
        counts = [_delivered(endpoint) for endpoint in slow]
    return "\n".join(
        [
            f"webhooks: {EVENTS} events to a quick receiver alone: {_told(alone)}",
            f"webhooks: the same beside a slow and a hanging receiver: {_told(beside)}, "
            f"ratio of the whole {max(beside) / max(alone):.2f}",
            f"webhooks: meanwhile the slow receiver (1 s each) had {counts[0]}, the hanging one {counts[1]}",
        ]
    )


def _endpoint(clinic: Clinic, network: int, name: str, delay_ms: int = 0) -> WebhookEndpoint:
    address = f"http://127.0.0.1:{network}/sim/receivers/{name}"
    told, headers = json.dumps({"delay_ms": delay_ms}).encode(), {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(address, told, headers, method="PUT"), timeout=30):
        pass
    wanted = endpoints.Wanted(name, f"http://127.0.0.1:{network}/receiver/{name}")
    with db.unit_of_work(clinic.id) as session:
        return endpoints.make(session, clinic, wanted, actor=audit.OPERATOR)


def _happen(clinic: Clinic, count: int) -> datetime:
    """Let so much happen to different patients, in one commit."""
    acts: list[audit.Act] = [("patient.changed", f"patient:{db.new_id()}", {}) for _ in range(count)]
    with db.unit_of_work(clinic.id) as session:
        audit.record_many(session, clinic.id, audit.OPERATOR, acts)
    return clock.now()


def _took(clinic: Clinic, endpoint: WebhookEndpoint, whole: int) -> list[float]:
    """Seconds from the commit until each event was delivered."""
    since = _happen(clinic, EVENTS)
    _taken(endpoint, whole)
    ended = select(WebhookDelivery.ended_at).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.ended_at >= since
    )
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return [(at - since).total_seconds() for at in session.scalars(ended) if at]


def _taken(endpoint: WebhookEndpoint, whole: int) -> None:
    end = time.monotonic() + PATIENCE
    while _delivered(endpoint) < whole:
        if time.monotonic() > end:
            raise RuntimeError("the events were not delivered")
        time.sleep(0.2)


def _delivered(endpoint: WebhookEndpoint) -> int:
    done = select(func.count()).where(WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "delivered")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.scalar(done) or 0


def _told(waits: list[float]) -> str:
    parts = statistics.quantiles(waits, n=100)
    return f"p50 {parts[49]:.1f}, p99 {parts[98]:.1f}, all {max(waits):.1f} s ({len(waits) / max(waits):.0f} a second)"
