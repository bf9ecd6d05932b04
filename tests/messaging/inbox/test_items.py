"""Items are opened once for each reason, with their timers and their deadline."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from config import clock, db
from messaging.inbox import items
from messaging.inbox.models import InboxItem, Timer

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@both
def test_one_reason_opens_one_item(opened, desk):
    first, second = opened(dedupe="screen:1"), opened(dedupe="screen:1")
    assert first.id == second.id
    assert len(desk.items("safety")) == 1
    assert sorted(timer.kind for timer in desk.timers(first.id)) == ["escalate", "route"]


@both
def test_two_who_open_for_one_reason_at_once_open_one_item(opened, desk):
    start, ids = threading.Barrier(4), []

    def open_it() -> None:
        start.wait()
        ids.append(opened(dedupe="screen:1").id)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1
    assert len(desk.timers(ids[0])) == 2


def test_an_item_exists_with_its_timers_or_not_at_all(clinic):
    def fail_after_opening() -> None:
        with db.unit_of_work(clinic.id) as session:
            items.open_item(session, clinic, kind="safety", about="x:1", dedupe="x", summary="x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_opening()
    with db.unit_of_work(clinic.id) as session:
        assert [session.scalar(select(func.count()).select_from(model)) for model in (InboxItem, Timer)] == [0, 0]


@pytest.mark.parametrize(
    ("kind", "minutes"), [("safety", 15), ("screen", 60), ("handoff", 5), ("reply", 240), ("delivery", 480)]
)
def test_an_item_has_its_deadline(opened, desk, kind, minutes):
    item = opened(kind)
    assert item.answer_by - item.created_at == timedelta(minutes=minutes)
    due = {timer.kind: timer.try_after for timer in desk.timers(item.id)}
    assert due == {"route": item.created_at, "escalate": item.answer_by}


def test_a_deadline_may_be_given(opened, desk):
    moment = clock.now() + timedelta(minutes=3)
    item = opened(answer_by=moment)
    assert item.answer_by == moment
    assert moment in {timer.try_after for timer in desk.timers(item.id)}


def test_reasons_are_said_in_words(opened, clinic):
    item = opened()
    item.reason = ["panel:Dr. Okafor", "language:es", "on_duty", "odd"]
    assert items.reasons(item) == ["in the panel of Dr. Okafor", "speaks es", "on duty now", "odd"]
