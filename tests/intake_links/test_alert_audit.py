"""The ledger opens every form and asks who was told; the lane of what is owed puts right what is missing."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, select

from config import clock, db, runtime
from intake_links import alert_audit, jobs, links, submissions
from intake_links.models import Screen
from messaging.inbox import items
from messaging.inbox.models import InboxItem, ItemEvent, Timer
from messaging.models import Staff

QUIET, POSITIVE, ALERT = [0] * 9, [2] * 8 + [0], [0] * 8 + [1]


def take(ward, answers, event="e1"):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        how = {"instrument": "phq9", "language": "en", "source": "vendor", "event": event}
        return submissions.accept(session, clinic, patient, answers=answers, **how).id


def rows(clinic_id=None):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return list(alert_audit.rows(session, clinic_id))


def lose_items():
    with db.unit_of_work(db.EVERY) as session:
        for model in (Timer, ItemEvent, InboxItem):
            session.execute(delete(model))


def oldest():
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return jobs.oldest(session, clock.now())


def test_a_quiet_form_owes_nothing(ward):
    take(ward, QUIET)
    assert rows() == []
    assert oldest() is None


@pytest.mark.parametrize(("answers", "kind"), [(ALERT, "safety"), (POSITIVE, "screen")])
def test_an_item_that_waits_in_time_is_not_owed_and_one_past_its_time_is(ward, answers, kind):
    screen_id = take(ward, answers)
    (row,) = rows()
    assert (row.screen_id, row.kind, row.owed, row.why) == (screen_id, kind, False, "waiting, in time")
    with time_machine.travel(clock.now() + timedelta(days=30), tick=False):
        (row,) = rows()
        assert row.owed
        assert row.why == "not acknowledged in time"


def test_an_acknowledged_item_shows_who_and_when(ward):
    take(ward, ALERT)
    with db.unit_of_work(db.EVERY) as session:
        item, staff = session.scalars(select(InboxItem)).one(), session.get(Staff, ward.staff_id)
        items.acknowledge(session, item, staff, "assessed_low")
        items.resolve(session, item, staff)
    with time_machine.travel(clock.now() + timedelta(days=30), tick=False):
        (row,) = rows()
    assert not row.owed
    assert row.by == ward.staff_id
    assert row.acknowledged_at
    assert row.done_at


@pytest.mark.parametrize(("answers", "kind"), [(ALERT, "safety"), (POSITIVE, "screen")])
def test_a_lost_item_is_owed_found_and_opened_again(ward, answers, kind):
    screen_id = take(ward, answers)
    lose_items()
    (row,) = rows()
    assert row.owed
    assert row.item_id is None
    assert row.why == "no item in the inbox"
    assert oldest() is not None
    assert jobs.repair_forgotten() == 1
    assert oldest() is None
    assert jobs.repair_forgotten() == 0
    (row,) = rows()
    assert (row.kind, row.owed) == (kind, False)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        item = session.scalars(select(InboxItem)).one()
        assert item.about == f"screen:{screen_id}"
        assert item.summary
        assert set(session.scalars(select(Timer.kind))) == {"route", "escalate"}


def test_a_repair_does_nothing_while_all_is_well(ward):
    take(ward, ALERT)
    take(ward, POSITIVE, "e2")
    assert oldest() is None
    assert jobs.repair_forgotten() == 0


def test_the_ledger_believes_the_answers_and_not_the_column(ward):
    take(ward, ALERT)
    lose_items()
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(Screen)).one().owed = None
    (row,) = rows()
    assert (row.kind, row.owed) == ("safety", True)


def test_an_item_of_a_lesser_kind_does_not_settle_a_safety_answer(ward):
    take(ward, ALERT)
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(InboxItem)).one().kind = "screen"
    assert rows()[0].owed
    assert oldest() is not None


def test_an_unfinished_form_with_item_nine_stands_in_the_ledger_even_when_taken_back(ward):
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = ward.both(session)
        link, _ = links.issue(session, clinic, patient, ["phq9"])
        screen = submissions.begin(session, clinic, link, 0)
        submissions.accept_answer(session, clinic, screen, 8, 2)
    assert [row.kind for row in rows()] == ["safety"]
    with db.unit_of_work(db.EVERY) as session:
        screen = session.scalars(select(Screen)).one()
        submissions.accept_answer(session, ward.both(session)[0], screen, 8, 0)
    assert [row.kind for row in rows()] == ["safety"]
    lose_items()
    assert jobs.repair_forgotten() == 1
    assert [row.owed for row in rows()] == [False]


def test_deleted_answers_are_said_to_be_deleted_and_do_not_stop_the_ledger(ward):
    take(ward, ALERT)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.wrapped_by.is_not(None)))
    runtime.forget("db.keys")
    (row,) = rows()
    assert row.kind == "safety"
    assert not row.owed
    lose_items()
    assert rows()[0].owed
    assert "deleted" in rows()[0].why
    assert jobs.repair_forgotten() == 1


def test_answers_that_do_not_open_are_owed_until_a_person_has_looked(ward):
    take(ward, QUIET)
    with db.unit_of_work(db.EVERY) as session:
        screen = session.scalars(select(Screen)).one()
        screen.answers_ct = screen.answers_ct[:-1] + bytes([screen.answers_ct[-1] ^ 1])
    (row,) = rows()
    assert row.owed
    assert row.why == "the answers do not open"


def test_the_ledger_goes_through_more_forms_than_a_batch_and_keeps_clinics_apart(ward, monkeypatch):
    monkeypatch.setattr(alert_audit, "BATCH", 2)
    made = [take(ward, ALERT, f"e{n}") for n in range(5)]
    assert [row.screen_id for row in rows(ward.clinic_id)] == made
    assert rows(db.new_id()) == []


def test_what_is_owed_a_person_is_urgent():
    lanes = [(lane.name, lane.queue) for lane in jobs.LANES]
    assert lanes == [("owed", "urgent"), ("stopped", "urgent"), ("expiry", "bulk")]
