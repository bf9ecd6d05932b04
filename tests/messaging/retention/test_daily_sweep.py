"""The walk over old words: never within a day of being asked for, a batch to a transaction, and from where it stood."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from config import clock, db, settings
from config.audit import AuditEntry
from messaging.models import Message
from messaging.retention import daily_sweep, what_ages
from service import child_settings
from tests.messaging.retention.conftest import DAY, NOW, SHELVES, Archive

OLD = NOW - timedelta(days=8 * 366)
BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
# Dies as kill -9 makes a worker die: in its second batch, with the words emptied and nothing committed.
DIES = """
import os, signal
from service import start
start.begin("test")
from config import queue
from messaging.retention import daily_sweep, what_ages
queue.SLICE_SECONDS = 90
what_ages.BATCH = 2
batches = []
def empty_and_die(session, *given):
    batch = what_ages.texts(session, *given)
    session.flush()
    batches.append(batch)
    if len(batches) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return batch
daily_sweep.drain({"message": empty_and_die})
"""


@BOTH
def test_nothing_is_emptied_for_a_day_and_then_a_batch_at_a_time(
    archive: Archive, new_patient: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_ages, "BATCH", 2)
    patient = new_patient()
    texts = [archive.text(patient, OLD + n * DAY) for n in range(5)]
    archive.keep(7, NOW)
    assert archive.drain(NOW + timedelta(hours=23, minutes=59)) == 0
    assert archive.drain(NOW + DAY) == 3
    assert archive.words(*texts) == [""] * 5
    with db.unit_of_work(archive.clinic.id, read_only=True) as session:
        lines = session.scalars(select(AuditEntry).where(AuditEntry.act == "words.emptied")).all()
        assert [line.detail for line in lines] == [{"kind": "message", "count": n} for n in (2, 2, 1)]
    assert archive.drain(NOW + DAY) == 0, "there is nothing left until tomorrow"
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert daily_sweep.oldest(session, NOW + DAY) is None
        assert daily_sweep.oldest(session, NOW + 2 * DAY) == NOW + 2 * DAY


def test_taken_back_within_the_day_nothing_is_ever_emptied(archive: Archive, new_patient: Any) -> None:
    text = archive.text(new_patient(), OLD)
    archive.keep(7, NOW)
    archive.keep(0, NOW + timedelta(hours=23))
    assert archive.row() is None
    assert archive.drain(NOW + 100 * DAY) == 0
    assert archive.words(text) == ["I feel low today"]


@BOTH
def test_kept_for_good_again_it_stops_between_two_batches(
    archive: Archive, new_patient: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_ages, "BATCH", 2)
    patient = new_patient()
    texts = [archive.text(patient, OLD + n * DAY) for n in range(4)]
    archive.keep(7, NOW - 2 * DAY)
    with db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(daily_sweep.Keeping)).one()
        with time_machine.travel(NOW, tick=False):
            daily_sweep.advance(session, row, SHELVES)
    archive.keep(0, NOW)
    archive.drain(NOW + DAY)
    assert archive.words(*texts) == ["", "", "I feel low today", "I feel low today"]


def test_who_had_claimed_the_row_when_the_number_changed_empties_nothing_by_the_new_one(
    archive: Archive, new_patient: Any
) -> None:
    text = archive.text(new_patient(), OLD)
    archive.keep(10, NOW - 2 * DAY)
    with time_machine.travel(NOW, tick=False):
        with db.unit_of_work(db.EVERY) as session:
            claims = db.claim(session, daily_sweep.Keeping, daily_sweep.DUE)
        archive.keep(7, NOW)
        with db.unit_of_work(db.EVERY) as session:
            assert (len(claims), db.still_mine(session, daily_sweep.Keeping, claims)) == (1, [])
    archive.drain(NOW)
    assert archive.words(text) == ["I feel low today"]


def test_fewer_years_wait_a_day_anew_and_more_hold_at_once(archive: Archive, new_patient: Any) -> None:
    text = archive.text(new_patient(), OLD)
    archive.keep(10, NOW - 3 * DAY)
    archive.keep(7, NOW)
    archive.drain(NOW + DAY - timedelta(minutes=1))
    assert archive.words(text) == ["I feel low today"]
    archive.keep(20, NOW + DAY - timedelta(minutes=1))
    archive.drain(NOW + 2 * DAY)
    assert archive.words(text) == ["I feel low today"]


def test_each_day_finds_what_has_grown_old_and_each_month_what_was_left(archive: Archive, new_patient: Any) -> None:
    patient, waited_for = new_patient(), new_patient()
    item = archive.item(waited_for, NOW - DAY, done=False)
    left, old, younger = (
        archive.text(waited_for, OLD),
        archive.text(patient, OLD),
        archive.text(patient, OLD + 374 * DAY),
    )
    archive.keep(7, NOW - 2 * DAY)
    archive.drain(NOW)
    assert archive.emptied() == {old.id}
    archive.drain(NOW + 8 * DAY)
    assert archive.emptied() == {old.id, younger.id}
    with db.unit_of_work(archive.clinic.id) as session:
        session.merge(item).state = "done"
    archive.drain(NOW + 9 * DAY)
    assert left.id not in archive.emptied(), "the walk is past it"
    archive.drain(NOW + 31 * DAY)
    archive.drain(NOW + 32 * DAY)
    assert archive.emptied() == {old.id, younger.id, left.id}


def test_a_day_that_fails_is_tried_again_the_next(archive: Archive) -> None:
    archive.keep(7, NOW - 2 * DAY)
    with time_machine.travel(NOW, tick=False), db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(daily_sweep.Keeping)).one()
        row.attempts = 8
        daily_sweep.give_up(session, row)
    row_now = archive.row()
    assert row_now is not None
    assert (row_now.attempts, row_now.try_after) == (0, NOW + DAY)


@BOTH
def test_a_worker_killed_in_the_middle_is_taken_over_and_nothing_is_left_or_done_twice(
    house: settings.Settings, archive: Archive, new_patient: Any
) -> None:
    today = clock.now()
    old = today - timedelta(days=8 * 366)
    texts = [archive.text(new_patient(), old + n * DAY) for n in range(5)]
    archive.keep(7, today - 2 * DAY)
    ended = subprocess.run(
        [sys.executable, "-c", DIES],
        env=child_settings.environment(house, ""),
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert archive.words(*texts) == ["", "", *["I feel low today"] * 3]
    held = archive.row()
    assert held is not None
    assert held.lease_until is not None
    assert archive.drain(held.lease_until - timedelta(seconds=1)) == 0, "its lease still runs"
    archive.drain(held.lease_until + timedelta(seconds=1))
    assert archive.words(*texts) == [""] * 5
    with db.unit_of_work(archive.clinic.id, read_only=True) as session:
        lines = session.scalars(select(AuditEntry).where(AuditEntry.act == "words.emptied")).all()
        assert sum(line.detail["count"] for line in lines) == 5


@BOTH
def test_words_whose_key_does_not_open_are_emptied_like_all_others(
    house: settings.Settings, archive: Archive, new_patient: Any, lost_key: Any
) -> None:
    sick, well = archive.text(new_patient(), OLD), archive.text(new_patient(), OLD + DAY)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Message).where(Message.id == sick.id).values(key_id=lost_key))
    archive.keep(7, NOW - 2 * DAY)
    archive.drain(NOW)
    assert archive.emptied() == {sick.id, well.id}
