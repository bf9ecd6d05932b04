"""What is urgent writes first: others let it pass, but not for ever."""

import fcntl
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from config import db
from config.db import sqlite_writer, urgency
from tests.config.test_sqlite_writer import IMMEDIATE, another, write
from tests.waiting import PATIENCE, until


def urgently_write(component: str) -> None:
    with db.urgently():
        write(component)


def somebody_waits() -> bool:
    return urgency.somebody_waits(db.engine().url.database or "")


def held() -> int:
    """Wait urgently and never write, as a process does that was frozen."""
    descriptor = os.open(f"{db.engine().url.database}-urgent", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def test_who_waits_with_something_urgent_writes_before_those_who_waited_longer(house: object) -> None:
    other = another()
    other.execute(IMMEDIATE)
    with ThreadPoolExecutor(25) as pool:
        patient = [pool.submit(write, f"ordinary {number}") for number in range(24)]
        time.sleep(0.1)  # longer than each pauses: all have asked before
        first = pool.submit(urgently_write, "urgent")
        until(somebody_waits)
        other.execute("COMMIT")
        for each in (first, *patient):
            each.result(PATIENCE)
    # As they were written, whoever of the threads went on first afterwards.
    order = [name for (name,) in other.execute("SELECT component FROM heartbeat ORDER BY rowid")]
    assert order.index("urgent") <= 2  # one or two may have asked whether anybody waits just before
    assert len(order) == 25


def test_others_write_though_whoever_waits_urgently_is_frozen(house: object) -> None:
    frozen = held()
    began = time.monotonic()
    write("ordinary")
    assert time.monotonic() - began >= urgency.COURTESY_SECONDS
    urgently_write("urgent")  # it does not wait for another's turn
    os.close(frozen)
    assert not somebody_waits()


def test_nobody_waits_once_all_have_written(house: object) -> None:
    other = another()
    other.execute(IMMEDIATE)
    writing = threading.Thread(target=urgently_write, args=("urgent",))
    writing.start()
    until(somebody_waits)
    other.execute("COMMIT")
    writing.join(PATIENCE)
    assert not somebody_waits()


def test_urgency_ends_with_the_work_that_was_urgent(house: object) -> None:
    with db.urgently():
        with db.urgently():
            assert urgency.is_urgent()
        assert urgency.is_urgent()
    assert not urgency.is_urgent()


def test_the_patience_of_the_connection_is_as_before_once_it_writes(house: object) -> None:
    with db.engine().begin() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1000 * sqlite_writer.PATIENCE
