"""An EHR that sends while everything that listens and works is killed: each visit is there, and there once."""

import os
import random
import signal
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import func, select
from standardwebhooks import Webhook

from config import clock, db
from interchange.models import FeedMessage
from messaging.models import Patient
from reminders.models import Appointment
from service.cli.walk import day
from tests.interchange.messages import PID, visit
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running

VISITS = 60
KILLED = ("web", "worker.default", "worker.default", "ticker")


def test_60_visits_none_lost_none_doubled(serve: Callable[..., Running]) -> None:
    running, chance = serve(), random.Random(16)
    running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    (feed,) = running.scene.command("feeds", "add-source", "books")
    for place in range(VISITS):
        sent(running, feed["secret"], message(place))
        if place % 4 == 3:
            kill(running, chance.choice(KILLED))
    until(lambda: worked_off(running), "every message to be worked on", within=5 * PATIENCE, pause=0.5)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        states = session.scalars(select(FeedMessage.state)).all()
        ids = session.scalars(select(Appointment.external_id)).all()
        patients = session.scalar(select(func.count()).select_from(Patient))
    assert states == ["done"] * VISITS
    assert sorted(ids) == sorted(f"BOOKS|ELM|V{place}" for place in range(VISITS))
    assert patients == VISITS


def message(place: int) -> str:
    """A visit of a patient of their own."""
    start = f"{clock.now() + timedelta(days=9, minutes=place):%Y%m%d%H%M00}+0000"
    pid = PID.replace("4711", f"P{place}").replace("(303)555-0101", f"(303)555-01{place:02}")
    return visit("S12", start=start, key=f"V{place}", pid=pid).replace("|C1|", f"|C{place}|")


def sent(running: Running, secret: str, text: str) -> None:
    """Send as an engine does: again, word for word, until it is acknowledged."""

    def acknowledged() -> bool:
        running.service.supervisor.poll()
        at = clock.now()
        signature = Webhook(secret).sign("msg_1", at, text)
        headers = {
            "Content-Type": "application/hl7-v2",
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        request = urllib.request.Request(f"{running.scene.service}/webhooks/ehr/books", text.encode(), headers)
        with suppress(OSError), urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return b"\rMSA|AA|" in answer.read()
        return False

    until(acknowledged, "an acknowledgement", within=5 * PATIENCE, pause=0.1)


def kill(running: Running, name: str) -> None:
    """End a process without a warning; the supervisor starts it again."""
    running.service.supervisor.poll()
    pid = running.pid(name)
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def worked_off(running: Running) -> bool:
    running.service.supervisor.poll()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        left = select(func.count()).select_from(FeedMessage).where(FeedMessage.state == "received")
        return session.scalar(left) == 0
