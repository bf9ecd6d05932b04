"""Visits come by MLLP while the listener and the workers are killed under it: each is done once."""

import random
import socket
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import select

from config import db
from interchange.models import FeedMessage
from reminders.models import Appointment
from service.cli.walk import day
from service.embedded import ports
from tests.waiting import PATIENCE, until
from tests.walks.kit import Running
from tests.walks.test_feeds_killed import kill, message, worked_off

VISITS = 30


def test_30_visits_by_mllp_none_lost_none_doubled(serve: Callable[..., Running]) -> None:
    port, chance = ports.free_port(), random.Random(16)
    running = serve(WARMTHREAD_MLLP_PORT=str(port))
    running.scene.command("clinic", "create", "--name", day.CLINIC, "--zone", day.ZONE, "--number", day.NUMBER)
    running.scene.command("feeds", "add-source", "books")
    running.scene.command("feeds", "mllp", "books", "--sender", "BOOKS|ELM")
    for place in range(VISITS):
        sent(running, port, message(place), killing=place % 4 == 3)
        if place % 5 == 4:
            kill(running, chance.choice(("mllp", "worker.default", "ticker")))
    until(lambda: worked_off(running), "every message to be worked on", within=5 * PATIENCE, pause=0.5)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        states = session.scalars(select(FeedMessage.state)).all()
        ids = session.scalars(select(Appointment.external_id)).all()
    assert states == ["done"] * VISITS
    assert sorted(ids) == sorted(f"BOOKS|ELM|V{place}" for place in range(VISITS))


def sent(running: Running, port: int, text: str, *, killing: bool) -> None:
    """Send as an engine does: on a new connection, again until it is acknowledged; perhaps kill the listener once."""
    to_kill = [killing]

    def acknowledged() -> bool:
        running.service.supervisor.poll()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"\x0b" + text.encode() + b"\x1c\r")
            if to_kill.pop() if to_kill else False:
                kill(running, "mllp")
            return b"\rMSA|AA|" in connection.recv(65536)
        return False

    until(acknowledged, "an acknowledgement", within=5 * PATIENCE, pause=0.1)
