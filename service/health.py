"""What an operator asks: is the process alive, and is the service ready."""

import shutil
import socket
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Blueprint, Response, jsonify
from redis.exceptions import RedisError
from rq import Worker
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from config import clock, db, queue, queues, runtime
from messaging.delivery.breaker import circuits
from messaging.delivery.restored import holding
from messaging.inbox.models import UNSEEN_SAFETY, InboxItem
from messaging.mail import sending
from messaging.models import Message, of_people
from messaging.second_reading import faults
from service import migrations
from service.self_check import standing
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
    problems, degraded = check(), second_reading() + late_alerts() + self_check()
    status = "not ready" if problems else "degraded" if degraded else "ready"
    return jsonify(status=status, problems=problems + degraded, waiting=_waiting()), 503 if problems else 200


class Unanswered(NamedTuple):
    """Safety items that nobody has acknowledged: how old the oldest is, and how many have passed their time."""

    seconds: float
    overdue: int


def unanswered(session: Session, now: datetime) -> Unanswered:
    """Return how long safety waits for a human, in all clinics."""
    oldest, overdue = session.execute(
        select(func.min(InboxItem.created_at), func.count().filter(InboxItem.answer_by <= now)).where(
            UNSEEN_SAFETY, of_people(InboxItem.clinic_id)
        )
    ).one()
    return Unanswered(max((now - oldest).total_seconds(), 0.0) if oldest else 0.0, overdue)


def oldest_unsent_alert(session: Session) -> datetime | None:
    """Return since when the oldest text about safety waits for the carrier to take it."""
    waits = Message.state.in_(("queued", "sending", "unknown")) & Message.kind.in_(("staff_alert", "crisis"))
    of_whom = Message.lane == "urgent", of_people(Message.clinic_id)
    return session.scalar(select(func.min(Message.created_at)).where(waits, *of_whom))


def failing(session: Session, now: datetime) -> set[str]:
    """Return the lanes that could not be swept within the last minutes."""
    recent = session.scalars(select(db.Heartbeat.component).where(db.Heartbeat.at > now - TOLD_FOR))
    return {name.removeprefix(db.FAILING) for name in recent if name.startswith(db.FAILING)}


def late_alerts() -> list[str]:
    """Return a sentence where safety items have waited past their time: the service works, and people do not answer."""
    try:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            waits = unanswered(session, clock.now())
    except SQLAlchemyError:
        return []  # said before
    if not waits.overdue:
        return []
    return [f"safety items past their time: {waits.overdue}; the oldest has waited {int(waits.seconds)} seconds"]


def self_check() -> list[str]:
    """Return a sentence where no self-check has come through lately, or its word outside was not taken."""
    try:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            return standing.problems(session, clock.now())
    except SQLAlchemyError:
        return []  # said before


def _waiting() -> dict[str, Any]:
    """Return the ages that an operator looks for first, in seconds: counts and names of our own, nobody's words."""
    try:
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            now = clock.now()
            oldest = {lane.name: lane.oldest(session, now) for lane in queue.lanes().values()}
            return {
                "oldest_unanswered_alert": int(unanswered(session, now).seconds),
                "lanes": {name: int((now - since).total_seconds()) for name, since in oldest.items() if since},
                "failing": sorted(failing(session, now)),
            }
    except SQLAlchemyError:
        return {}


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


def reports() -> list[str]:
    """Return a sentence where the database that reports are read in does not answer or does not keep up."""
    try:
        behind = db.behind(clock.now())
    except DBAPIError:
        wrong = "does not answer"
    else:
        if behind is None or behind <= db.MOST_BEHIND.total_seconds():
            return []
        wrong = f"is behind by {behind:.0f} seconds" if behind < float("inf") else "has seen no ticker"
    return [f"the database of WARMTHREAD_REPORTS_DATABASE_URL {wrong}: reports are read in the first one meanwhile"]


def _rows() -> list[str]:
    now, problems = clock.now(), []
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        tick = db.last_tick(session)
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
    return [f"no worker works the queue {name}" for name in queues.NAMES if name not in working]
