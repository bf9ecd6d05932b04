"""One patient in two EHRs that are asked, the whole service, and phones: one visit, one reminder, and no word lost
whoever is killed."""

import json
import os
import random
import signal
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config import clock, db
from interchange.models import FeedConnection, FeedMessage
from messaging.models import Patient
from reminders.models import Appointment, Reminder
from service.cli.walk import day
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running, hurry_reminders

HERE = {"WARMTHREAD_EHR_NETWORKS": "127.0.0.0/8"}
NUMBER, HUB = "+12015550133", "SecretHashKeyForConsumer1"
ADDRESSES = {"epic": ("/epic/api/FHIR/R4", "", 1), "athena": ("/athena", "195900", 2)}
PATIENT = {"first": "Ana", "last": "River", "born": "1980-01-02", "phone": NUMBER}
VISITS = 80
KILLED = ("worker.bulk", "worker.bulk", "worker.default", "ticker", "web")


def ehr(running: Running, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"{running.scene.network}/sim/ehrs/{path}", data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def connect(running: Running, name: str, *more: str) -> None:
    """Let an EHR be asked, as an operator does, and give it the address of our keys."""
    scene, (path, practice, _) = running.scene, ADDRESSES[name]
    scene.command("feeds", "add-source", name)
    where = ("--address", scene.network + path, "--client-id", "us", "--per-minute", "600", "--days-ahead", "7")
    (told,) = scene.command("feeds", "ask", name, *where, *(("--practice", practice) if practice else ()), *more)
    events = f"{scene.service}/webhooks/ehr/{name}"
    known = {"client_id": "us", "jwks_url": told["keys"], "events_url": events, "events_secret": HUB, "zone": day.ZONE}
    ehr(running, "PUT", f"{name}/client", known)


def visits(state: str = "booked") -> list[Appointment]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return list(session.scalars(select(Appointment).where(Appointment.state == state)))


def bodies(running: Running) -> list[str]:
    return [text["body"] for text in running.scene.texts(NUMBER) if text["direction"] == "in"]


def clinic_with_events(running: Running, folders: Any) -> tuple[str, str]:
    """Open the clinic; return the options that give a connection the secret with which its EHR signs events."""
    running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    secret = folders.mktemp("secrets") / "hub"
    secret.write_text(HUB)
    return "--events-secret", str(secret)


def hurried(running: Running) -> None:
    """Ask at once, as "Ask now" on the page does."""
    with db.unit_of_work(db.EVERY) as session:
        for row in session.scalars(select(FeedConnection)):
            row.cursor = {name: value for name, value in row.cursor.items() if name == "asked_at"}
            row.try_after, row.fence, row.lease_until = clock.now(), row.fence + 1, None


def heard_of(running: Running, start: Any) -> list[Appointment]:
    running.service.supervisor.poll()
    return [visit for visit in visits() if visit.starts_at == start]


def test_one_visit_in_two_ehrs_is_one_reminder_and_its_owner_s_newest_stands(
    serve: Callable[..., Running], tmp_path_factory: Any
) -> None:
    running = serve(**HERE)
    signed = clinic_with_events(running, tmp_path_factory)
    connect(running, "epic")
    connect(running, "athena", *signed, "--algorithm", "RS384")
    # Of a visit whose time for the step of 24 hours before has passed already, nobody would be reminded.
    start = (clock.now() + timedelta(hours=24, minutes=2)).replace(second=0, microsecond=0)
    both = {"patient": "7", "start": start.isoformat()}
    for name in ADDRESSES:
        ehr(running, "PUT", f"{name}/patients/7", PATIENT | {"record": f"{name}7"})
        ehr(running, "PUT", f"{name}/visits/12", both)
    told = ehr(running, "POST", "athena/events", {"topic": "schedule", "visits": ["12"]})
    assert told["status"] == 200
    assert told["milliseconds"] < 2_000
    hurried(running)
    until(lambda: both_heard(running), "both EHRs to be read", within=3 * PATIENCE, pause=0.2)
    is_one_visit()
    until(lambda: reminded(running), "a reminder on the phone", within=2 * PATIENCE, pause=0.2)

    moved = start + timedelta(hours=3)
    ehr(running, "PUT", "athena/visits/12", {"status": "cancelled"})
    ehr(running, "PUT", "epic/visits/12", {"start": moved.isoformat()})
    hurried(running)
    until(lambda: heard_of(running, moved), "the owner's move", within=3 * PATIENCE, pause=0.2)
    until(lambda: len(messages("ehr.athena", running)) >= 2, "the other's cancellation", within=PATIENCE, pause=0.2)
    assert [each.starts_at for each in visits()] == [moved]

    ehr(running, "PUT", "epic/visits/12", {"status": "cancelled"})
    hurried(running)
    until(lambda: visits("cancelled") and not visits(), "the cancellation", within=3 * PATIENCE, pause=0.2)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Reminder).where(Reminder.state == "planned")).all() == []
    assert len(bodies(running)) == len(set(bodies(running)))


def test_a_changed_visit_told_by_a_subscription_is_read_at_once_and_a_reminder_follows(
    serve: Callable[..., Running], tmp_path_factory: Any
) -> None:
    running = serve(**HERE)
    connect(running, "epic", *clinic_with_events(running, tmp_path_factory))
    # Far from the days that are asked for every five minutes: by itself nobody would read it so soon.
    far = (clock.now() + timedelta(days=5)).replace(second=0, microsecond=0)
    ehr(running, "PUT", "epic/patients/7", PATIENT | {"record": "epic7"})
    ehr(running, "PUT", "epic/visits/12", {"patient": "7", "start": far.isoformat()})
    hurried(running)
    until(lambda: heard_of(running, far), "the visit as it is booked", within=3 * PATIENCE, pause=0.2)
    assert tell(running, kind="handshake") == tell(running, kind="heartbeat") == 200

    near = (clock.now() + timedelta(hours=24, minutes=2)).replace(second=0, microsecond=0)
    ehr(running, "PUT", "epic/visits/12", {"start": near.isoformat()})
    assert tell(running, visits=["12"], forged=True) == 403
    assert tell(running, visits=["12"]) == 200
    until(lambda: heard_of(running, near), "the change", within=2 * PATIENCE, pause=0.2)
    until(lambda: reminded(running), "a reminder on the phone", within=2 * PATIENCE, pause=0.2)
    assert [each.starts_at for each in visits()] == [near]
    assert len(bodies(running)) == 1


def tell(running: Running, **wanted: Any) -> int:
    """Let the EHR tell by its Subscription; return what it was answered."""
    status: int = ehr(running, "POST", "epic/notifications", wanted)["status"]
    return status


def reminded(running: Running) -> bool:
    hurry_reminders()
    return bool(bodies(running))


def is_one_visit() -> None:
    """One patient, one visit of the EHR that owns it, and each step of its reminders once."""
    (visit,) = visits()
    assert visit.source == "ehr.epic"
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert len(session.scalars(select(Patient)).all()) == 1
        planned = select(Reminder.step).where(Reminder.appointment_id == visit.id)
        steps = session.scalars(planned.where(Reminder.state != "withdrawn")).all()
    assert max(Counter(steps).values()) == 1


def messages(source: str, running: Running) -> list[FeedMessage]:
    """What one EHR has said and was worked off."""
    running.service.supervisor.poll()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        feeds = {row.feed_id: row.kind for row in session.scalars(select(FeedConnection))}
        kind = {"ehr.epic": "fhir", "ehr.athena": "athena"}[source]
        rows = session.scalars(select(FeedMessage).where(FeedMessage.state != "received")).all()
        return [row for row in rows if feeds[row.feed_id] == kind]


def both_heard(running: Running) -> bool:
    return bool(messages("ehr.epic", running) and messages("ehr.athena", running)) and len(visits()) == 1


def test_whoever_is_killed_in_the_middle_of_a_poll_loses_nothing_and_doubles_nothing(
    serve: Callable[..., Running],
) -> None:
    running, chance = serve(**HERE), random.Random(16)
    running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    for name in ADDRESSES:
        connect(running, name)
        for place in range(VISITS // 2):
            who = PATIENT | {"first": f"Ana{name}{place}", "phone": "", "record": f"{name}{place}"}
            ehr(running, "PUT", f"{name}/patients/{place}", who)
            start = (clock.now() + timedelta(days=2, minutes=place)).isoformat()
            ehr(running, "PUT", f"{name}/visits/{100 + place}", {"patient": str(place), "start": start})
        faults = [{"path": "Patient", "status": 503, "times": 2}, {"path": "Patient", "hang_s": 0.1}]
        ehr(running, "PUT", f"{name}/faults", faults)
    hurried(running)
    for _ in range(12):
        running.service.supervisor.poll()
        before = asked(running)
        until(lambda before=before: asked(running) > before or done(running), "a poll", within=PATIENCE, pause=0.05)
        kill(running, chance.choice(KILLED))
    until(lambda: done(running), "every visit", within=5 * PATIENCE, pause=0.5)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        told = session.scalars(select(Appointment.source + Appointment.external_id)).all()
        patients = session.scalars(select(Patient)).all()
        states = set(session.scalars(select(FeedMessage.state)))
    assert len(told) == len(set(told)) == VISITS
    assert len(patients) == VISITS
    assert states == {"done"}


def asked(running: Running) -> int:
    return sum(len(ehr(running, "GET", name)["asked"]) for name in ADDRESSES)


def done(running: Running) -> bool:
    running.service.supervisor.poll()
    with db.unit_of_work(db.EVERY) as session:
        for row in session.scalars(select(FeedConnection)):  # nobody waits here for the end of a dead one's lease
            if row.lease_until is not None:
                row.lease_until = min(row.lease_until, clock.now() + timedelta(seconds=10))
        left = session.scalars(select(FeedMessage.id).where(FeedMessage.state == "received")).all()
    return not left and len(visits()) == VISITS


def kill(running: Running, name: str) -> None:
    """End a process without a warning; the supervisor starts it again."""
    pid = running.pid(name)
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
