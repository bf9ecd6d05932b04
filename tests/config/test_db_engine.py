"""The unit of work and its columns, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from config import clock, db
from config.db import base
from messaging.models import Clinic, Patient
from service import migrations

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def beat(component: str, at: datetime = NOON) -> db.Heartbeat:
    return db.Heartbeat(component=component, at=at)


def beats() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(db.Heartbeat.component).order_by(db.Heartbeat.component)))


@both
def test_what_was_done_is_committed_at_the_end(house):
    with db.unit_of_work(db.EVERY) as session:
        session.add(beat("a"))
    assert beats() == ["a"]


@both
def test_whatever_is_raised_everything_is_rolled_back(house):
    def interrupted() -> None:
        with db.unit_of_work(db.EVERY) as session:
            session.add(beat("a"))
            session.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert beats() == []


@both
def test_what_waits_for_the_commit_happens_after_it_and_once_per_name(house):
    seen: list[list[str]] = []
    with db.unit_of_work(db.EVERY) as session:
        session.add(beat("a"))
        db.on_commit(session, "look", lambda: seen.append(["never: replaced by the next"]))
        db.on_commit(session, "look", lambda: seen.append(beats()))
        assert seen == []
    assert seen == [["a"]]


@both
def test_a_savepoint_is_not_the_commit(house):
    seen: list[str] = []
    with db.unit_of_work(db.EVERY) as session:
        with session.begin_nested():
            session.add(beat("a"))
            db.on_commit(session, "look", lambda: seen.append("committed"))
        assert seen == []
    assert seen == ["committed"]


@both
def test_a_rolled_back_savepoint_leaves_the_rest(house):
    with db.unit_of_work(db.EVERY) as session:
        session.add(beat("a"))
        session.flush()
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(insert(db.Heartbeat), [{"component": name, "at": NOON} for name in ("b", "a")])
    assert beats() == ["a"]


@both
def test_without_a_commit_nothing_that_waited_for_it_happens(house):
    seen: list[str] = []

    def failing() -> None:
        with db.unit_of_work(db.EVERY) as session:
            db.on_commit(session, "look", lambda: seen.append("committed"))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        failing()
    assert seen == []


@both
def test_a_naive_moment_is_refused(house):
    with pytest.raises(StatementError, match="needs its zone"), db.unit_of_work(db.EVERY) as session:
        session.add(beat("a", datetime(2026, 7, 1, 12)))
    assert beats() == []


@both
def test_a_moment_comes_back_aware_and_in_utc_to_the_microsecond(house):
    written = datetime(2026, 7, 1, 6, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-6)))
    with db.unit_of_work(db.EVERY) as session:
        session.add(beat("a", written))
    with db.unit_of_work(db.EVERY) as session:
        read = session.scalar(select(db.Heartbeat.at))
    assert read == written
    assert read.utcoffset() == timedelta(0)


@both
def test_an_error_of_the_database_does_not_print_the_values(house):
    with pytest.raises(DBAPIError) as refused, db.unit_of_work(db.EVERY) as session:
        session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": "Zenobia"})
    assert "Zenobia" not in str(refused.value)


@both
def test_foreign_keys_are_kept(house, new_patient: Callable[..., Any]):
    patient = new_patient()
    with pytest.raises(IntegrityError), db.unit_of_work(db.EVERY) as session:
        session.execute(delete(Patient).where(Patient.id == patient.id))


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_postgresql_is_told_whose_rows_a_transaction_may_see(house, clinic: Clinic):
    query = text("SELECT current_setting('app.clinic', true)")
    with db.unit_of_work(clinic.id) as session:
        assert session.scalar(query) == str(clinic.id)
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(query) == "*"
    with db.engine().connect() as connection:
        assert connection.scalar(query) in (None, "")


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_the_rows_of_a_host_that_has_vanished_are_free_again_after_half_a_minute(house):
    idle = text("SHOW idle_in_transaction_session_timeout")
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalar(idle) == "30s"
    with db.engine().connect() as connection:
        assert connection.scalar(idle) == "0", "for one transaction, as a pooler may stand between"


def test_a_reader_does_not_wait_for_the_writer(house):
    with db.unit_of_work(db.EVERY) as writer:
        writer.add(beat("a"))
        writer.flush()
        with db.unit_of_work(db.EVERY, read_only=True) as reader:
            assert reader.scalar(select(func.count()).select_from(db.Heartbeat)) == 0


@both
def test_six_writers_that_read_first_never_find_the_database_locked(house):
    with db.unit_of_work(db.EVERY) as session:
        session.add(beat("counter", datetime(2026, 1, 1, tzinfo=UTC)))

    def add_seconds(_writer: int) -> None:
        for _ in range(15):
            with db.unit_of_work(db.EVERY) as session:
                row = session.get_one(db.Heartbeat, "counter", with_for_update=True)
                row.at += timedelta(seconds=1)

    with ThreadPoolExecutor(6) as writers:
        list(writers.map(add_seconds, range(6)))
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(db.Heartbeat, "counter").at == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)


def test_ids_grow_with_time_and_are_of_version_seven():
    made = [db.new_id() for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert {(uuid.version, uuid.variant) for uuid in made} == {(7, "specified in RFC 4122")}
    stamps = [uuid.int >> 80 for uuid in made]
    assert stamps == sorted(stamps)


def test_a_row_does_not_take_a_value_it_has_no_place_for():
    with pytest.raises(TypeError, match="no colour"):
        base.ClinicRow(colour="red")


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=5, minutes=45)))))
def test_a_moment_survives_sqlite_s_lack_of_zones(moment: datetime):
    from sqlalchemy.dialects import sqlite

    if moment.year in (1, 9999):
        return
    column, dialect = base.Moment(), sqlite.dialect()
    stored = column.process_bind_param(moment, dialect)
    assert stored is not None
    assert stored.tzinfo is None
    assert column.process_result_value(stored, dialect) == moment


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_bare_transaction_commits_at_its_end_and_rolls_back_when_anything_is_raised(house):
    beats = insert(db.Heartbeat.metadata.tables["heartbeat"])
    with db.bare_transaction(db.EVERY) as connection:
        connection.execute(beats, {"component": "kept", "at": clock.now()})

    def fail_after_inserting() -> None:
        with db.bare_transaction(db.new_id()) as connection:
            connection.execute(beats, {"component": "lost", "at": clock.now()})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_inserting()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert list(session.scalars(select(db.Heartbeat.component))) == ["kept"]


def test_what_the_service_has_committed_to_its_file_outlives_a_power_cut(durable, house):
    with db.engine().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_nothing_outlives_its_transaction_so_that_a_pooler_may_stand_between(house):
    with db.engine().begin() as connection:
        db.Base.metadata.drop_all(connection)
    migrations.upgrade()
    for _ in range(12):  # the driver would prepare what it is asked for the sixth time
        with db.unit_of_work(db.EVERY) as session:
            session.execute(text("SELECT 1"))
    with db.engine().connect() as connection:
        connection.execute(text("SELECT set_config('app.seen', 'x', true)"))
        assert connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
        assert connection.scalar(text("SELECT current_setting('app.clinic', true)")) in (None, "")
        assert connection.scalar(text("SHOW lock_timeout")) == "0"
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
