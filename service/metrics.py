"""The figures of the service in Prometheus' format: ages and counts of our own making, never ids or words.

What waits is read from the database as it is asked for, so that every process says the same. What was done is counted
by each process (config.tallies) and added up in Redis.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import clock, db, logging, queue, runtime, tallies
from messaging.delivery import redacting
from messaging.delivery.brakes import braking
from messaging.delivery.breaker import circuits
from messaging.mail import sending
from messaging.second_reading import faults
from service import health
from service.self_check import standing
from service.serving import bulkheads
from webhooks import receipts

door = Blueprint("metrics", __name__)
# The counters that processes hand on: the name in /metrics, what it counts, its labels.
COUNTERS = {
    "requests": ("warmthread_requests", "Requests answered", ("door", "status")),
    "lane_rows": ("warmthread_lane_rows", "Rows worked off", ("lane",)),
    "lane_failures": ("warmthread_lane_failures", "Drains of a lane that failed", ("lane",)),
    "security": ("warmthread_security_events", "Refusals that an attack would leave", ("kind",)),
    "carrier": ("warmthread_carrier_outcomes", "What became of texts handed to the carrier", ("outcome",)),
}
HISTOGRAMS = {
    "request_seconds": ("warmthread_request_seconds", "Seconds until a request was answered", "door"),
    "lane_seconds": ("warmthread_lane_seconds", "Seconds that a drain of a lane took", "lane"),
}
PUSH_SECONDS = 5.0


@door.get("/metrics")
def metrics() -> Response:
    """Return all figures in Prometheus' text format."""
    queue.push_tallies()
    registry = CollectorRegistry()
    registry.register(_Figures())
    return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")


def register(app: Flask) -> None:
    """Add the address, and count every request: by whom it serves, how it was answered and how long that took."""
    app.register_blueprint(door)
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.began = time.perf_counter()


def _count(response: Response) -> Response:
    whose = bulkheads.name_of(request.path)
    tallies.add("requests", whose, f"{response.status_code // 100}xx")
    tallies.observe("request_seconds", whose, seconds=time.perf_counter() - g.get("began", time.perf_counter()))
    _hand_on_now_and_then()
    return response


def _hand_on_now_and_then() -> None:
    """Hand on what was counted, at most every few seconds and from another thread: no request waits for Redis."""
    due = runtime.once("metrics.due", lambda: {"at": 0.0})
    if time.monotonic() >= due["at"]:
        due["at"] = time.monotonic() + PUSH_SECONDS
        threading.Thread(target=_hand_on, name="tallies", daemon=True).start()


def _hand_on() -> None:
    try:
        queue.push_tallies()
    except Exception as error:  # noqa: BLE001 - a figure that is missing must not end anything
        logging.logger().warning("tallies were not handed on", error_type=type(error).__name__)


class _Figures:
    def collect(self) -> Iterator[Metric]:
        now = clock.now()
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            yield from _waiting(session, now)
            yield from _alerts(session, now)
            yield from _service(session, now)
            yield from _brakes(session)
            yield from _reports(now)
        yield from _counted(queue.tallied())


def _waiting(session: Session, now: datetime) -> Iterator[Metric]:
    ages = GaugeMetricFamily("warmthread_lane_oldest_seconds", "Age of the oldest waiting row", labels=["lane"])
    failing = GaugeMetricFamily("warmthread_lane_failing", "1 while a lane could not be swept", labels=["lane"])
    unswept = health.failing(session, now)
    for lane in queue.lanes().values():
        ages.add_metric([lane.name], _age(lane.oldest(session, now), now))
        failing.add_metric([lane.name], int(lane.name in unswept))
    yield ages
    yield failing


def _alerts(session: Session, now: datetime) -> Iterator[Metric]:
    unanswered = health.unanswered(session, now)
    yield GaugeMetricFamily(
        "warmthread_alert_unanswered_seconds",
        "Age of the oldest safety item that nobody has acknowledged",
        value=unanswered.seconds,
    )
    yield GaugeMetricFamily(
        "warmthread_alerts_overdue", "Safety items whose time has passed unanswered", value=unanswered.overdue
    )
    yield GaugeMetricFamily(
        "warmthread_alert_unsent_seconds",
        "Age of the oldest text about safety that the carrier has not taken",
        value=_age(health.oldest_unsent_alert(session), now),
    )
    # Without a value where none is set up: no check is not a check that came through.
    seen = standing.age(session, now)
    checked = GaugeMetricFamily("warmthread_self_check_age_seconds", "Since when no self-check has come through")
    if seen is not None:
        checked.add_metric([], seen)
    yield checked


def _service(session: Session, now: datetime) -> Iterator[Metric]:
    tick = db.last_tick(session)
    age = (now - tick).total_seconds() if tick else float("inf")
    figures = {
        "warmthread_tick_age_seconds": ("Seconds since a ticker last ticked", age),
        "warmthread_sender_waiting_seconds": (
            "Seconds since which the carrier has let a sender wait",
            _age(circuits.since(session), now),
        ),
        "warmthread_second_reading_off": ("1 while the second reading is off", int(faults.key(session) is not None)),
        "warmthread_texts_to_nobody": (
            "Texts of the last 30 days for no clinic here",
            receipts.to_nobody(session, now - health.NOBODY_LATELY),
        ),
        "warmthread_carrier_words_overdue": (
            "Texts whose words should have been emptied at the carrier an hour ago",
            redacting.overdue(session, now).texts,
        ),
        "warmthread_mail_waiting": ("E-mails to colleagues that wait to be sent", sending.waiting(session)),
    }
    for name, (explained, value) in figures.items():
        yield GaugeMetricFamily(name, explained, value=value)


def _reports(now: datetime) -> Iterator[Metric]:
    behind = GaugeMetricFamily(
        "warmthread_reports_behind_seconds", "How far the database that reports are read in is behind"
    )
    try:
        lag = db.behind(now)
    except DBAPIError:
        lag = float("inf")
    if lag is not None:
        behind.add_metric([], lag)
    yield behind


def _brakes(session: Session) -> Iterator[Metric]:
    pulled = GaugeMetricFamily("warmthread_brakes_pulled", "Clinics that hold back texts of a kind", labels=["kind"])
    for kind, count in braking.everywhere(session).items():
        pulled.add_metric([kind], count)
    yield pulled


def _counted(kept: Mapping[str, float]) -> Iterator[Metric]:
    for short, (name, explained, labels) in COUNTERS.items():
        counter = CounterMetricFamily(name, explained, labels=labels)
        for key, value in _of(kept, short):
            if len(key) == len(labels):
                counter.add_metric(key, value)
        yield counter
    for short, (name, explained, label) in HISTOGRAMS.items():
        histogram = HistogramMetricFamily(name, explained, labels=[label])
        sums = {key[0]: value for key, value in _of(kept, f"{short}_sum")}
        buckets = {tuple(key): value for key, value in _of(kept, f"{short}_bucket")}
        for whose, seconds in sums.items():
            histogram.add_metric([whose], _rising(whose, buckets), seconds)
        yield histogram


def _of(kept: Mapping[str, float], name: str) -> Iterator[tuple[list[str], float]]:
    for field, value in kept.items():
        first, *labels = field.split("|")
        if first == name:
            yield labels, value


def _rising(whose: str, buckets: Mapping[tuple[str, ...], float]) -> list[tuple[str, float]]:
    """Return how many took at most as long as each edge: Prometheus' buckets hold those below them."""
    total, rising = 0.0, []
    for edge in (*(f"{edge:g}" for edge in tallies.BUCKETS), "inf"):
        total += buckets.get((whose, edge), 0.0)
        rising.append(("+Inf" if edge == "inf" else edge, total))
    return rising


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since) / timedelta(seconds=1), 0.0) if since else 0.0
