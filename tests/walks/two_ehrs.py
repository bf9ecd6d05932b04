"""Two EHRs of the simulator that a whole service asks: connected, hurried, and what came of what they said."""

import json
import urllib.request
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config import clock, db
from interchange.models import FeedConnection, FeedMessage
from messaging.models import Patient
from reminders.models import Appointment, Reminder
from service.cli.walk import day
from tests.waiting import PATIENCE
from tests.walks.kit import Running, hurry_reminders

HERE = {"WARMTHREAD_EHR_NETWORKS": "127.0.0.0/8"}
NUMBER, HUB = "+12015550133", "SecretHashKeyForConsumer1"
ADDRESSES = {"epic": ("/epic/api/FHIR/R4", "", 1), "athena": ("/athena", "195900", 2)}
PATIENT = {"first": "Ana", "last": "River", "born": "1980-01-02", "phone": NUMBER}


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


def leases_end_soon(running: Running) -> None:
    """Nobody waits here for the end of a dead one's lease."""
    running.service.supervisor.poll()
    with db.unit_of_work(db.EVERY) as session:
        for row in session.scalars(select(FeedConnection).where(FeedConnection.lease_until.is_not(None))):
            if row.lease_until is not None:
                row.lease_until = min(row.lease_until, clock.now() + timedelta(seconds=10))


def heard_of(running: Running, start: Any) -> list[Appointment]:
    running.service.supervisor.poll()
    return [visit for visit in visits() if visit.starts_at == start]


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
