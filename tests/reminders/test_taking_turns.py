"""Several processes that work on the reminders of one patient at once:
on PostgreSQL each waits until the other has decided."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, text

from config import db
from messaging.models import Message, Patient
from reminders import patient_locks
from reminders.models import Reminder
from reminders.sending import dispatch
from tests.reminders.conftest import NOW, World, states_of, texts_to
from tests.reminders.sending.test_dispatch import publish
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.parametrize("house", ["postgresql"], indirect=True)
VISIT = NOW + timedelta(days=7)
DUE = NOW + timedelta(days=6, hours=1)
DAY = {"name": "day", "before": "1 day", "at": "10:00", "text": "reminder_day"}
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(autouse=True)
def _due() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False) as traveller:
        traveller.move_to(NOW)
        yield


@pytest.fixture
def others() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def ask(statement: str) -> int:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return int(session.scalar(text(statement)) or 0)


def wait_until_it_waits(other: Future[None]) -> None:
    """Until the other process stands before a lock, or is done because there was none."""
    until(lambda: other.done() or ask(WAITING), "the other process to wait or to end")


def claim(limit: int) -> list[db.Claim]:
    with db.unit_of_work(db.EVERY) as session:
        return db.claim(session, Reminder, dispatch.DUE, limit=limit)


def decide(claims: Sequence[db.Claim]) -> None:
    """Work on these reminders as the lane does."""
    with db.unit_of_work(db.EVERY) as session:
        patient_locks.take_for(session, claims)
        dispatch.send(session, db.still_mine(session, Reminder, claims))


def two_visits(world: World, hours: int) -> Patient:
    patient = world.patient()
    world.visit(patient, VISIT)
    world.visit(patient, VISIT + timedelta(hours=hours))
    return patient


def test_two_processes_never_send_one_text_more_than_the_cap(world: World, others: ThreadPoolExecutor) -> None:
    publish(world, DAY, cap_per_day=1, combine_day=False)
    patient = two_visits(world, 5)
    with time_machine.travel(DUE, tick=False):
        mine, theirs = claim(1), claim(1)
        with db.unit_of_work(db.EVERY) as session:
            patient_locks.take_for(session, mine)
            dispatch.send(session, db.still_mine(session, Reminder, mine))
            session.flush()
            other = others.submit(decide, theirs)
            wait_until_it_waits(other)
        other.result()
    assert len(texts_to(patient)) == 1


def test_two_processes_on_two_visits_of_a_day_send_one_text_that_names_both(
    world: World, others: ThreadPoolExecutor
) -> None:
    publish(world, DAY)
    patient = two_visits(world, 5)
    with time_machine.travel(DUE, tick=False):
        mine, theirs = claim(1), claim(1)
        with db.unit_of_work(db.EVERY) as session:
            patient_locks.take_for(session, mine)
            rows = db.still_mine(session, Reminder, mine)
            other = others.submit(decide, theirs)
            wait_until_it_waits(other)
            dispatch.send(session, rows)
        other.result()
    [body] = texts_to(patient)
    assert "10:00 AM" in body
    assert "3:00 PM" in body


def test_a_text_that_comes_in_does_not_wait_for_the_reminders(world: World, others: ThreadPoolExecutor) -> None:
    publish(world, DAY)
    patient = two_visits(world, 5)

    def hear() -> None:
        with db.unit_of_work(world.clinic.id) as session:
            session.add(
                Message(
                    clinic_id=world.clinic.id, key_id=patient.key_id, patient_id=patient.id,
                    kind="reply", lane="default", direction="in",
                    state="received", body="C", dedupe="heard", created_at=NOW, try_after=NOW,
                )
            )  # fmt: skip

    with time_machine.travel(DUE, tick=False):
        mine = claim(2)
        with db.unit_of_work(db.EVERY) as session:
            patient_locks.take_for(session, mine)
            dispatch.send(session, db.still_mine(session, Reminder, mine))
            session.flush()
            others.submit(hear).result(timeout=PATIENCE)


def drain_in_small_batches(at: datetime) -> int:
    with time_machine.travel(at, tick=False):
        return db.work_off(
            Reminder,
            dispatch.DUE,
            dispatch.send,
            give_up=dispatch.give_up,
            first=patient_locks.take_for,
            batch=5,
        )


def test_four_processes_over_many_patients_keep_every_cap_and_never_stand_in_each_others_way(
    world: World, others: ThreadPoolExecutor
) -> None:
    publish(world, DAY, cap_per_day=1, combine_day=False)
    patients = [world.patient() for _ in range(15)]
    for hours in (0, 3, 6):
        for patient in patients:
            world.visit(patient, VISIT + timedelta(hours=hours))
    at = DUE - timedelta(minutes=30)
    with time_machine.travel(at, tick=False):
        working = [others.submit(drain_in_small_batches, at) for _ in range(4)]
        handled = sum(drain.result() for drain in working)
    # Patients whose turn did not come within seconds, as on a slow machine, are taken when their claims have run out.
    handled += drain_in_small_batches(at + timedelta(seconds=20))
    assert handled == 45
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        sent = Counter(session.scalars(select(Message.patient_id).where(Message.kind == "reminder")))
    assert sent == {patient.id: 1 for patient in patients}
    assert ask(DEADLOCKS) == 0


def test_a_visit_that_is_moved_while_its_reminder_goes_out_waits_and_brings_nothing_down(
    world: World, others: ThreadPoolExecutor
) -> None:
    publish(world, DAY | {"intake": ["phq9"]})
    patient = world.patient()
    visit = world.visit(patient, VISIT)

    def move() -> None:
        with db.unit_of_work(world.clinic.id) as session:
            world.save(
                session, session.merge(patient), external_id=visit.external_id, record="", zone=visit.zone,
                starts_at=VISIT + timedelta(days=2), booked_at=visit.booked_at,
            )  # fmt: skip

    with time_machine.travel(DUE, tick=False):
        mine = claim(1)
        with db.unit_of_work(db.EVERY) as session:
            patient_locks.take_for(session, mine)
            rows = db.still_mine(session, Reminder, mine)
            other = others.submit(move)
            wait_until_it_waits(other)
            dispatch.send(session, rows)
        other.result()
    assert ask(DEADLOCKS) == 0
    assert texts_to(patient) == []  # it spoke of the former hour and had not left yet
    assert states_of(visit) == {"day": "planned"}


def test_two_patients_who_are_kept_locked_hold_up_nobody_else(world: World) -> None:
    publish(world, DAY)
    patients = [world.patient() for _ in range(8)]
    for patient in patients:
        world.visit(patient, VISIT)
    at = DUE - timedelta(minutes=30)
    with time_machine.travel(at, tick=False):
        with db.unit_of_work(db.EVERY) as somebody:
            kept = [patient.id for patient in patients[:2]]
            somebody.execute(select(Patient.id).where(Patient.id.in_(kept)).with_for_update()).all()
            assert dispatch.drain() == 6
        assert [len(texts_to(patient)) for patient in patients] == [0, 0, *[1] * 6]
    with time_machine.travel(at + timedelta(seconds=20), tick=False):
        assert dispatch.drain() == 2
    assert [len(texts_to(patient)) for patient in patients] == [1] * 8
