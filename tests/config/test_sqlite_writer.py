"""Waiting for SQLite's one writer: it comes to each who waits, and not for ever."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from config import clock, db
from config.db import sqlite_writer
from tests.waiting import PATIENCE

IMMEDIATE = "BEGIN IMMEDIATE"


def another() -> sqlite3.Connection:
    """A writer of another process, as far as SQLite can tell."""
    return sqlite3.connect(db.engine().url.database or "", isolation_level=None, check_same_thread=False, timeout=60)


def write(component: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.add(db.Heartbeat(component=component, at=clock.now()))


def test_who_waits_writes_when_the_other_has_ended(house: object) -> None:
    other = another()
    other.execute(IMMEDIATE)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(write, "a")
        time.sleep(0.1)  # longer than a round
        assert not done.done()
        other.execute("COMMIT")
        done.result(PATIENCE)


def test_after_its_time_it_is_locked(house: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "PATIENCE", 0.05)
    other = another()
    other.execute(IMMEDIATE)
    with pytest.raises(OperationalError, match="locked"):
        write("a")
    other.execute("COMMIT")
    write("a")


def test_what_is_no_waiting_is_raised_at_once(house: object) -> None:
    with db.engine().connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(IMMEDIATE)
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="within a transaction"):
            connection.begin()
        assert time.monotonic() - begun < sqlite_writer.PATIENCE / 2


def test_beside_many_who_never_pause_each_still_comes_to_write(house: object) -> None:
    over, turns = threading.Event(), [0] * 6

    def without_a_pause(place: int) -> None:
        while not over.is_set():
            write(f"{place}-{turns[place]}")
            turns[place] += 1

    with ThreadPoolExecutor(len(turns)) as pool:
        busy = [pool.submit(without_a_pause, place) for place in range(len(turns))]
        ends = time.monotonic() + PATIENCE
        while min(turns) < 3 and time.monotonic() < ends:
            time.sleep(0.02)
        over.set()
        for each in busy:
            each.result(PATIENCE)
    assert min(turns) >= 3
