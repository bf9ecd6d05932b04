"""A visit's life, and what each change does to its reminders."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from config import db
from messaging.inbox import items, snooze_times, snoozing
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from reminders import appointments, reasons
from reminders.models import Appointment
from reminders.sending import dispatch
from tests.reminders.conftest import NOW, World, plan_of, states_of, texts_to, why_of

VISIT = NOW + timedelta(days=7)
DAY_BEFORE = VISIT - timedelta(days=1)
Change = Callable[[Session, Appointment, str], None]


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def facts(visit: Appointment, **changed: object) -> dict[str, object]:
    names = ("external_id", "starts_at", "zone", "booked_at", "place", "clinician", "state")
    return {"record": ""} | {name: getattr(visit, name) for name in names} | changed


def again(world: World, patient: Patient, visit: Appointment, **changed: object) -> tuple[Appointment, str]:
    with db.unit_of_work(db.EVERY) as session:
        return world.save(session, patient, **facts(visit, **changed))


def act(change: Change, visit: Appointment) -> Appointment:
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Appointment, visit.id)
        change(session, found, "staff:x")
        return found


def test_saving_the_same_twice_changes_nothing(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    same, change = again(world, patient, visit, booked_at=NOW)
    assert (change, same.revision, same.booked_at) == ("unchanged", 1, visit.booked_at)


@pytest.mark.parametrize("state", ["arrived", "no_show"])
def test_nobody_has_come_or_not_before_the_day_of_the_visit(world: World, state: str) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    same, _ = again(world, patient, visit, state=state)
    assert (same.state, same.arrived_at, plan_of(visit)["24h"].state) == ("booked", None, "planned")
    today, _ = again(world, patient, visit, state=state, starts_at=NOW + timedelta(hours=3))
    assert today.state == state


def test_a_new_time_supersedes_the_old_plan(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    moved, change = again(world, patient, visit, starts_at=VISIT + timedelta(days=2))
    assert (change, moved.revision) == ("updated", 2)
    assert plan_of(visit)["24h"].due_at == DAY_BEFORE + timedelta(days=2)
    with db.unit_of_work(db.EVERY) as session:
        states = {(row.revision, row.state) for row in session.query(dispatch.Reminder)}
    assert states == {(1, "superseded"), (2, "planned")}


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_text_that_has_not_left_is_taken_back_when_the_visit_moves(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    with time_machine.travel(DAY_BEFORE, tick=False):
        dispatch.drain()
        assert len(texts_to(patient)) == 1
        again(world, patient, visit, starts_at=VISIT + timedelta(days=2))
    assert texts_to(patient) == []
    assert plan_of(visit)["24h"].revision == 2


def test_a_text_that_has_left_stays_and_the_new_time_is_texted_anew(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    with time_machine.travel(DAY_BEFORE, tick=False):
        dispatch.drain()
        with db.unit_of_work(db.EVERY) as session:
            session.get_one(Message, plan_of(visit)["24h"].message_id).state = "sent"
        again(world, patient, visit, starts_at=VISIT + timedelta(days=2))
    with time_machine.travel(DAY_BEFORE + timedelta(days=2), tick=False):
        dispatch.drain()
    assert len(texts_to(patient)) == 2


def test_the_clinician_alone_is_no_news_for_the_patient(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    same, change = again(world, patient, visit, clinician="Dr Okafor")
    assert (change, same.revision) == ("updated", 1)


def test_another_place_raises_the_revision_but_keeps_the_confirmation(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    act(appointments.confirm, visit)
    moved, _ = again(world, patient, visit, place="Room 9")
    assert (moved.revision, moved.state) == (2, "confirmed")
    assert set(states_of(visit).values()) == {"dropped"}


def test_confirmed_once_means_silence(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    confirmed = act(appointments.confirm, visit)
    assert (confirmed.state, confirmed.confirmed_at, confirmed.revision) == ("confirmed", NOW, 1)
    assert set(states_of(visit).values()) == {"dropped"}
    assert why_of(plan_of(visit)["24h"])[-1] == reasons.words(appointments.CONFIRMED)
    with time_machine.travel(DAY_BEFORE, tick=False):
        dispatch.drain()
    assert texts_to(patient) == []


def test_confirming_takes_back_a_nudge_that_has_not_left(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    with time_machine.travel(DAY_BEFORE, tick=False):
        dispatch.drain()
        act(appointments.confirm, visit)
    assert texts_to(patient) == []


def test_a_book_that_only_knows_booked_does_not_undo_a_confirmation(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    act(appointments.confirm, visit)
    same, change = again(world, patient, visit)
    assert (change, same.state) == ("unchanged", "confirmed")


def test_a_new_time_asks_anew_even_when_the_old_one_was_confirmed(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    act(appointments.confirm, visit)
    moved, _ = again(world, patient, visit, starts_at=VISIT + timedelta(days=1))
    assert (moved.state, moved.confirmed_at) == ("booked", None)
    assert set(states_of(visit).values()) == {"planned"}


def test_whoever_asked_for_a_change_hears_nothing_more_of_the_old_time(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    assert act(appointments.ask_change, visit).state == "change_asked"
    assert set(states_of(visit).values()) == {"dropped"}
    moved, _ = again(world, patient, visit, starts_at=VISIT + timedelta(days=1))
    assert moved.state == "booked"
    assert set(states_of(visit).values()) == {"planned"}


@pytest.mark.parametrize("change", [appointments.cancel, appointments.arrive])
def test_a_cancelled_or_arrived_visit_is_not_spoken_of(world: World, change: Change) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    act(change, visit)
    act(change, visit)
    assert set(states_of(visit).values()) == {"superseded"}


def test_a_cancelled_visit_that_is_booked_again_is_planned_again(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    again(world, patient, visit, state="cancelled")
    back, _ = again(world, patient, visit, state="booked")
    assert back.revision == 3
    assert set(states_of(visit).values()) == {"planned"}


def test_a_visit_that_changes_hands_is_planned_for_the_new_patient(world: World) -> None:
    wrong, right = world.patient(), world.patient()
    visit = world.visit(wrong, VISIT)
    again(world, right, visit)
    with time_machine.travel(DAY_BEFORE, tick=False):
        dispatch.drain()
    assert (len(texts_to(wrong)), len(texts_to(right))) == (0, 1)


def test_only_a_visit_whose_present_time_was_texted_awaits_an_answer(world: World) -> None:
    patient = world.patient()
    visit, later = world.visit(patient, VISIT), world.visit(patient, VISIT + timedelta(days=30))

    def awaiting(now: datetime) -> list[object]:
        with db.unit_of_work(db.EVERY) as session:
            return [visit.id for visit in appointments.awaiting_answer(session, patient.id, now)]

    assert awaiting(NOW) == []
    with time_machine.travel(DAY_BEFORE, tick=False):
        dispatch.drain()
    assert awaiting(DAY_BEFORE) == [visit.id]
    assert awaiting(VISIT) == []
    again(world, patient, visit, starts_at=VISIT + timedelta(hours=3))
    assert awaiting(DAY_BEFORE) == []
    assert later.state == "booked"


def asleep_until(world: World, visit: Appointment) -> InboxItem:
    """An item that a colleague has set aside until this visit."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, visit.clinic_id)
        alba = directory.add_staff(session, clinic, name="Alba Reyes", email="alba@clinic.example")
        item = items.open_item(session, clinic, kind="reply", about="x:1", dedupe="x", summary="x")
        snoozing.snooze(session, item, alba, snooze_times.before_visit(visit.starts_at), visit.id)
        return item


def now_of(item: InboxItem) -> InboxItem:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(InboxItem, item.id)


def test_what_waits_for_a_visit_goes_with_it_when_it_moves(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    item = asleep_until(world, visit)
    again(world, patient, visit, clinician="Dr Ito")
    assert now_of(item).snoozed_until == VISIT - snooze_times.BEFORE_A_VISIT
    again(world, patient, visit, starts_at=VISIT + timedelta(days=2))
    moved = now_of(item)
    assert (moved.state, moved.snoozed_until) == (
        "snoozed",
        VISIT + timedelta(days=2) - snooze_times.BEFORE_A_VISIT,
    )


@pytest.mark.parametrize("change", [appointments.cancel, appointments.arrive, "no_show", "cancelled"])
def test_what_waits_for_a_visit_wakes_when_it_will_not_be_or_is_now(world: World, change: Change | str) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    item = asleep_until(world, visit)
    if isinstance(change, str):
        with time_machine.travel(VISIT, tick=False):
            again(world, patient, visit, state=change)
    else:
        act(change, visit)
    assert (now_of(item).state, now_of(item).snoozed_for) == ("open", None)


def test_a_confirmation_leaves_asleep_what_waits_for_the_visit(world: World) -> None:
    visit = world.visit(world.patient(), VISIT)
    item = asleep_until(world, visit)
    act(appointments.confirm, visit)
    assert now_of(item).state == "snoozed"
