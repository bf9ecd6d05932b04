"""EHRs that are asked, the whole service, and phones: a change comes at once, and no word is lost whoever is killed."""

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config import clock, db
from interchange.models import FeedMessage
from messaging.models import Patient
from reminders.models import Appointment
from service.cli.walk import day
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running
from tests.walks.two_ehrs import (
    ADDRESSES,
    HERE,
    PATIENT,
    bodies,
    clinic_with_events,
    connect,
    ehr,
    heard_of,
    hurried,
    leases_end_soon,
    reminded,
    visits,
)

VISITS = 80
KILLED = ("worker.bulk", "worker.bulk", "worker.default", "ticker", "web")


def test_a_changed_visit_told_by_a_subscription_is_read_at_once_and_a_reminder_follows(
    serve: Callable[..., Running], tmp_path_factory: Any
) -> None:
    running = serve(**HERE)
    connect(running, "epic", *clinic_with_events(running, tmp_path_factory), "--algorithm", "RS384")
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
    leases_end_soon(running)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        left = session.scalars(select(FeedMessage.id).where(FeedMessage.state == "received")).all()
    return not left and len(visits()) == VISITS


def kill(running: Running, name: str) -> None:
    """End a process without a warning; the supervisor starts it again."""
    pid = running.pid(name)
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
