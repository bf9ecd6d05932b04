"""What an operator asks: is the process alive, is the service ready, and the figures behind it."""

import shutil
import socket
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from redis.exceptions import RedisError
from rq import Worker
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config import clock, db, queue, runtime
from messaging.delivery.breaker import circuits
from messaging.delivery.restored import holding
from messaging.mail import sending
from messaging.second_reading import faults
from service import migrations
from webhooks import receipts

OLDEST_TICK = timedelta(seconds=15)
NOBODY_LATELY = timedelta(days=30)
OLDEST_ROW = timedelta(seconds=60)
TOLD_FOR = timedelta(minutes=2)
LEAST_FREE = 100 * 2**20
door = Blueprint("health", __name__)


@door.get("/healthz")
def alive() -> Response:
    """Say that this process answers; nothing else is asked."""
    return jsonify(status="ok")


@door.get("/readyz")
def ready() -> tuple[Response, int]:
    """Say whether the service can do its work, and what is wrong if not. "degraded": it can, and less well."""
    problems, degraded = check(), second_reading()
    status = "not ready" if problems else "degraded" if degraded else "ready"
    return jsonify(status=status, problems=problems + degraded), 503 if problems else 200


def second_reading() -> list[str]:
    """Return a sentence where the second reader cannot be relied on. The service does its work without it: the rules
    go on, and where a clinic relies on it, every text that no rule understood is read within minutes."""
    try:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            fault = faults.key(session)
    except SQLAlchemyError:
        return []  # said before
    return [f"the second reading is off: {fault}"] if fault else []


def check() -> list[str]:
    """Return a sentence for everything that is wrong, none if the service is ready.

    Redis being gone is reported although the ticker does the work meanwhile: an operator must know. A balancer should
    ask /healthz, so that webhooks are still taken then.
    """
    try:
        problems = [] if migrations.at_head() else ["the database is not at the newest migration: run db upgrade"]
        if not problems:
            problems = _rows()
            _write()
    except SQLAlchemyError as error:
        return [f"the database does not answer, or takes no writes ({type(error).__name__})"]
    return problems + _disk() + _redis()


def _disk() -> list[str]:
    """Say so before the disk is full: what is written at the end is a patient's words."""
    free = shutil.disk_usage(runtime.settings().data_dir).free
    return [] if free >= LEAST_FREE else [f"the disk of the data directory has {free // 2**20} MB left"]


def _write() -> None:
    """Write one small row: a full disk, or a database that only reads, answers every question but this one."""
    with db.unit_of_work(db.EVERY) as session:
        session.merge(db.Heartbeat(component=f"ready.{socket.gethostname()}"[:80], at=clock.now()))


def second_wall() -> list[str]:
    """Return what makes PostgreSQL's row-level security, the second wall between clinics, no wall at all."""
    if db.engine().dialect.name != "postgresql":
        return []
    query = text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
    try:
        with db.engine().connect() as connection:
            role = connection.execute(query).one()
    except SQLAlchemyError as error:
        return [f"the role in the database cannot be looked up ({type(error).__name__})"]
    what = "superuser" if role.rolsuper else "BYPASSRLS" if role.rolbypassrls else None
    return (
        [f"the role {role.rolname} in DATABASE_URL is {what}: row-level security does not bind it, use another"]
        if what
        else []
    )


def texts_to_nobody() -> list[str]:
    """Return a sentence where texts came lately for a number or an agent of no clinic here: nobody has read them."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        count = receipts.to_nobody(session, clock.now() - NOBODY_LATELY)
    if not count:
        return []
    return [
        f"{count} texts of the last 30 days came to a number or agent of no clinic here and nobody has read them:"
        " give its clinic this number or its Messaging Service"
    ]


def _rows() -> list[str]:
    now, problems = clock.now(), []
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        tick = session.scalar(select(func.max(db.Heartbeat.at)).where(db.Heartbeat.component.like("ticker.%")))
        if tick is None or now - tick > OLDEST_TICK:
            problems.append("no ticker has ticked for 15 seconds")
        problems += _troubles(session, now)
        throttled = circuits.since(session)
        if throttled and now - throttled > OLDEST_ROW:
            problems.append(f"the carrier has let a sender wait for {int((now - throttled).total_seconds())} seconds")
        restored = holding.oldest(session, now)
        if restored and now - restored > OLDEST_ROW:
            waited = int((now - restored).total_seconds())
            problems.append(
                f"texts to patients have waited since a restore for {waited} seconds: is the carrier there?"
            )
        stuck = sending.stuck_since(session, now)
        if stuck:
            problems.append(f"the mail server has taken nothing for {int((now - stuck).total_seconds())} seconds")
        for lane in queue.lanes().values():
            oldest = lane.oldest(session, now)
            if oldest and now - oldest > OLDEST_ROW:
                problems.append(f"a row waits in lane {lane.name} for {int((now - oldest).total_seconds())} seconds")
    return problems


TROUBLES = {
    db.STUCK: "a row of {} cannot be opened or worked on: is a master key missing?",
    db.FAILING: "the lane {} could not be swept within the last minutes",
}


def _troubles(session: Session, now: datetime) -> list[str]:
    """What could not be worked on within the last minutes, and could not be told to anybody in a clinic either."""
    recent = session.scalars(select(db.Heartbeat).where(db.Heartbeat.at > now - TOLD_FOR)).all()
    return [
        sentence.format(beat.component.removeprefix(prefix))
        for prefix, sentence in TROUBLES.items()
        for beat in recent
        if beat.component.startswith(prefix)
    ]


def _redis() -> list[str]:
    try:
        redis = queue.hasty_redis()
        redis.ping()
        working = {name for worker in Worker.all(connection=redis) for name in worker.queue_names()}
    except (RedisError, OSError) as error:
        return [f"Redis does not answer ({type(error).__name__}); the ticker works alone"]
    return [f"no worker works the queue {name}" for name in queue.QUEUES if name not in working]


class _Figures:
    """Reads the figures from the database when they are asked for, so that every process says the same."""

    def collect(self) -> Any:
        now = clock.now()
        waiting = GaugeMetricFamily("warmthread_lane_oldest_seconds", "Age of the oldest waiting row", labels=["lane"])
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            tick = session.scalar(select(func.max(db.Heartbeat.at)).where(db.Heartbeat.component.like("ticker.%")))
            to_nobody = receipts.to_nobody(session, now - NOBODY_LATELY)
            mails = sending.waiting(session)
            for lane in queue.lanes().values():
                oldest = lane.oldest(session, now)
                waiting.add_metric([lane.name], (now - oldest).total_seconds() if oldest else 0)
            off = faults.key(session) is not None
        yield waiting
        yield GaugeMetricFamily("warmthread_second_reading_off", "1 while the second reading is off", value=int(off))
        yield GaugeMetricFamily(
            "warmthread_texts_to_nobody", "Texts of the last 30 days for no clinic here", value=to_nobody
        )
        yield GaugeMetricFamily("warmthread_mail_waiting", "E-mails to colleagues that wait to be sent", value=mails)
        age = (now - tick).total_seconds() if tick else float("inf")
        yield GaugeMetricFamily("warmthread_tick_age_seconds", "Seconds since a ticker last ticked", value=age)


@door.get("/metrics")
def metrics() -> Response:
    """Return the figures in Prometheus' text format: ages and counts, never ids or words."""
    registry = CollectorRegistry()
    registry.register(_Figures())
    return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")
