"""The machine's clock stood a day ahead and was set right: what was written meanwhile does not wait for that day."""

from datetime import timedelta

import pytest
import time_machine

from config import clock, db, queue
from messaging import clock_set_back, outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Message

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
AHEAD = timedelta(days=1)


@both
def test_an_alert_written_while_the_clock_stood_ahead_leaves_at_once_and_a_planned_text_stays_planned(
    house, clinic, new_staff, new_patient
):
    colleague, patient, now = new_staff(number="+13035550171"), new_patient(), clock.now()
    with time_machine.travel(now + AHEAD, tick=False), db.unit_of_work(clinic.id) as session:
        alert = outbox.text_staff(session, clinic, colleague, body="Please look", dedupe="alert:1").id
        tomorrow = clock.now() + timedelta(hours=9)
        planned = outbox.text_patient(
            session, clinic, patient, kind="reply", programme="care_team", body="Hi", dedupe="2", not_before=tomorrow
        ).id
    assert queue.lanes()["set_back"].drain() == 1
    with db.unit_of_work(clinic.id) as session:
        assert session.get_one(Message, alert).try_after <= clock.now()
        assert session.get_one(Message, planned).try_after == tomorrow
    assert clock_set_back.drain() == 0


@both
def test_a_crisis_escalates_as_long_after_now_as_it_should_have_after_it_came(house, clinic, new_staff, new_patient):
    new_staff()
    patient, now = new_patient(), clock.now()
    with time_machine.travel(now + AHEAD, tick=False), db.unit_of_work(clinic.id) as session:
        item = items.open_item(
            session, clinic, kind="safety", about="test:1", dedupe="1", summary="words", patient_id=patient.id
        )
        item_id, due_in = item.id, item.answer_by - clock.now()
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert clock_set_back.oldest(session, clock.now()) is not None
    assert clock_set_back.drain() == 2
    with db.unit_of_work(clinic.id) as session:
        item = session.get_one(InboxItem, item_id)
        escalates = next(timer for timer in session.query(Timer).filter_by(item_id=item_id, kind="escalate"))
        assert item.answer_by == escalates.try_after
        assert now + due_in - timedelta(seconds=1) <= item.answer_by <= clock.now() + due_in
    assert queue.lanes()["timers"].drain() == 1  # it is routed now, and not tomorrow


def test_an_alert_written_a_minute_and_a_half_ahead_does_not_wait_for_that_long(house, clinic, new_staff):
    with time_machine.travel(clock.now() + timedelta(seconds=90), tick=False), db.unit_of_work(clinic.id) as session:
        colleague = new_staff(number="+13035550171")
        alert = outbox.text_staff(session, clinic, colleague, body="Please look", dedupe="alert:1").id
    assert queue.lanes()["set_back"].drain() == 1
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert session.get_one(Message, alert).try_after <= clock.now()


@both
@pytest.mark.parametrize("state", ["queued", "unknown"])
def test_an_alert_put_off_while_the_clock_stood_ahead_is_taken_up_at_once(house, clinic, new_staff, state):
    colleague = new_staff(number="+13035550171")
    with db.unit_of_work(clinic.id) as session:
        alert = outbox.text_staff(session, clinic, colleague, body="Please look", dedupe="alert:1")
        alert.state, alert.try_after = state, clock.now() + timedelta(hours=1, seconds=2)
        waiting = outbox.text_staff(session, clinic, colleague, body="Please look", dedupe="alert:2")
        waiting.try_after = clock.now() + timedelta(minutes=5)
    assert queue.lanes()["set_back"].drain() == 1
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert session.get_one(Message, alert.id).try_after <= clock.now()
        assert session.get_one(Message, waiting.id).try_after > clock.now()


def test_nothing_is_touched_while_the_clock_is_right(house, clinic, new_staff, new_patient):
    with db.unit_of_work(clinic.id) as session:
        outbox.text_staff(session, clinic, new_staff(number="+13035550171"), body="Please look", dedupe="1")
        items.open_item(session, clinic, kind="safety", about="t:1", dedupe="1", summary="w")
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert clock_set_back.oldest(session, clock.now()) is None
    assert clock_set_back.drain() == 0
