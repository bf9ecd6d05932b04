"""Two halves of a crisis on both databases: at once in two workers, and with a restart in between."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from config import db, runtime
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from messaging.second_reading import counting, sampling, verdicts, watching
from messaging.second_reading.models import ReadingWatch, SecondReading
from tests.waiting import PATIENCE
from tests.worries import WORRYING
from webhooks import handle_text

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
HALVES = ("i took all of", "my pills")
NUMBER = "+13035550110"


def write(
    clinic: Clinic, body: str, at: datetime, number: str = NUMBER, meet: Callable[[], Any] = lambda: None
) -> None:
    """A text comes in and is worked on in a transaction of its own; `meet` is waited for within it, before its end."""
    with db.unit_of_work(db.EVERY) as session:
        form = {"From": number, "To": clinic.number, "Body": body, "MessageSid": f"SM{uuid4().hex}"}
        meet()
        handle_text.answer(session, session.get_one(Clinic, clinic.id), form, at)


def kinds() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return sorted(session.scalars(select(InboxItem.kind)))


@both
def test_halves_that_two_workers_read_at_once_are_one_crisis(
    clinic: Clinic, new_patient: Callable[..., Patient]
) -> None:
    new_patient()
    now, meeting = datetime.now(UTC), threading.Barrier(2, timeout=PATIENCE)
    write(clinic, "hello", now - timedelta(hours=1))  # the conversation is there

    def work(place: int) -> None:
        write(clinic, HALVES[place], now + timedelta(seconds=place), meet=meeting.wait)

    workers = [threading.Thread(target=work, args=(place,)) for place in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert kinds().count("safety") == 1


@both
def test_a_restart_between_the_halves_loses_nothing(clinic: Clinic, new_patient: Callable[..., Patient]) -> None:
    new_patient()
    now = datetime.now(UTC)
    write(clinic, HALVES[0], now)
    db.engine().dispose()  # what a process that ends leaves behind: rows, and nothing in memory
    runtime.forget("keys.ring")
    write(clinic, HALVES[1], now + timedelta(seconds=40))
    assert kinds() == ["reply", "safety"]
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(SecondReading).order_by(SecondReading.at)).all()
        assert [len(row.joined) for row in rows] == [0, 1]


@both
def test_readings_are_counted_drawn_and_judged(
    clinic: Clinic, new_patient: Callable[..., Patient], new_staff: Callable[..., Any]
) -> None:
    new_patient()
    staff, now = new_staff(), datetime.now(UTC)
    week_ago = now - timedelta(days=7)
    for body in ("is parking free", "what should I bring", WORRYING):
        write(clinic, body, week_ago)
    with db.unit_of_work(db.EVERY) as session:
        here = session.get_one(Clinic, clinic.id)
        english = counting.by_language(session, here, week_ago - timedelta(hours=1), now)[0]
        assert (english.texts, english.worry) == (3, 1)
        assert set(counting.by_step(session, here)) == {"shipped", "wider", "widest"}
        watch = session.scalars(select(ReadingWatch)).one()
        watching.look_over(session, watch)
        reading, count = sampling.to_read(session, here)
        assert count == 2
        assert reading is not None
        item = verdicts.of_sample(session, here, staff, reading, "worry")
        assert item is not None
        assert item.reason == ["worry_missed"]
        assert counting.sampled(session, here, week_ago - timedelta(hours=1), now).missed == 1


@both
def test_the_daily_look_is_a_lane_of_the_house(clinic: Clinic, new_patient: Callable[..., Patient]) -> None:
    new_patient()
    write(clinic, "is parking free", datetime.now(UTC))
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert watching.oldest(session, datetime.now(UTC)) is not None
    assert watching.drain() == 1
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert watching.oldest(session, datetime.now(UTC)) is None
