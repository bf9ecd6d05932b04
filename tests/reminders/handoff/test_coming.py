"""Who comes: several at once, in ten minutes, not after all, or nobody who works here any more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.inbox import escalation
from messaging.inbox.models import Timer
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Staff
from reminders import handoffs
from reminders.models import Handoff
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.handoff.kit import (
    NUMBER,
    accepted,
    act,
    after,
    answers,
    ask,
    asked,
    being_asked,
    decide,
    leave,
    now_is,
    summaries,
    told,
    wait,
)
from tests.waiting import PATIENCE

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@both
def test_a_colleague_who_cannot_come_after_all_is_replaced_and_the_patient_told_once(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    ben = world.staff("Ben")
    act(handoffs.release, handoff, f"staff:{ana.id}")
    assert answers(handoff) == {ana.id: "released", ben.id: None}
    found, item = now_is(handoff)
    assert (found.state, item.acknowledged_at, item.owner_id) == ("offered", None, ben.id)
    act(handoffs.accept, handoff, ben)
    assert now_is(handoff)[0].state == "told"
    assert len(texts_to(patient)) == 1


def test_somebody_who_leaves_the_clinic_while_they_are_asked_is_passed_over(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    leave(ana)
    wait(after(3))
    assert being_asked(handoff) == [ben.id]
    leave(ben)
    wait(after(6))
    assert now_is(handoff)[0].state == "asked"
    assert summaries(handoff)[0].startswith("Nobody has accepted")


def test_somebody_who_leaves_the_clinic_while_they_are_coming_is_replaced(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    ben = world.staff("Ben")
    leave(ana)
    wait(after(10))
    assert being_asked(handoff) == [ben.id]


def test_who_is_there_is_met_by_the_next_where_whoever_was_to_meet_them_works_here_no_more(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    ben = world.staff("Ben")
    act(handoffs.arrive, handoff, f"staff:{ana.id}")
    leave(ana)
    wait(after(70))
    assert being_asked(handoff) == [ben.id]
    with time_machine.travel(after(71), tick=False):
        act(handoffs.accept, handoff, ben)
    assert now_is(handoff)[0].state == "arrived"


@both
def test_whoever_is_locked_out_is_replaced_at_once(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    ben = world.staff("Ben")
    world.staff("Lead", role="clinic_admin")
    other = ask(world, world.patient())
    assert being_asked(other) == [ben.id]
    with time_machine.travel(after(1), tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        staffing.leave(session, clinic, session.get_one(Staff, ana.id), "operator")
    wait(after(1))
    assert being_asked(handoff) == [ben.id]
    assert being_asked(other) == [ben.id]


def test_of_whoever_leaves_while_they_are_asked_it_is_not_said_that_they_did_not_answer(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    world.staff("Lead", role="clinic_admin")
    handoff = ask(world, world.patient())
    with time_machine.travel(after(1), tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        staffing.leave(session, clinic, session.get_one(Staff, ana.id), "operator")
    wait(after(1))
    assert answers(handoff) == {ana.id: "gone", ben.id: None}


def test_nobody_is_accepted_who_does_not_work_here_any_more(world: World) -> None:
    ana = world.staff("Ana")
    handoff = ask(world, world.patient())
    leave(ana)
    with pytest.raises(handoffs.NotOpen):
        act(handoffs.accept, handoff, ana)


def test_when_nobody_was_there_whoever_comes_on_duty_is_asked(world: World) -> None:
    handoff = ask(world, world.patient())
    assert now_is(handoff)[0].state == "asked"
    ana = world.staff("Ana")
    wait(after(1))
    assert being_asked(handoff) == [ana.id]


@both
def test_several_are_asked_at_once_the_first_goes_and_the_others_are_told(world: World) -> None:
    decide(world, at_once=2)
    ana, ben, cleo = world.staff("Ana"), world.staff("Ben"), world.staff("Cleo")
    handoff = ask(world, world.patient())
    assert set(being_asked(handoff)) == {ana.id, ben.id}
    act(handoffs.accept, handoff, ben)
    assert answers(handoff) == {ana.id: "taken", ben.id: "accepted"}
    assert any(body.startswith("Warmthread: somebody else is going") for body in told(ana))
    assert told(cleo) == []


def test_one_of_several_declines_and_the_other_still_has_their_time(world: World) -> None:
    decide(world, at_once=2)
    ana, ben, cleo = world.staff("Ana"), world.staff("Ben"), world.staff("Cleo")
    handoff = ask(world, world.patient())
    act(lambda session, found, staff: handoffs.decline(session, found, staff, "with_patient"), handoff, ana)
    assert being_asked(handoff) == [ben.id]
    assert [offer.why for offer in asked(handoff) if offer.answer == "declined"] == ["with_patient"]
    act(handoffs.decline, handoff, ben)
    assert being_asked(handoff) == [cleo.id]


def test_accepting_twice_is_accepting_once(world: World) -> None:
    patient = world.patient()
    handoff, ana, _ = accepted(world, patient)
    act(handoffs.accept, handoff, ana)
    assert len(texts_to(patient)) == 1
    assert answers(handoff) == {ana.id: "accepted"}


def test_in_ten_minutes_is_a_yes_and_the_patient_is_expected_then(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient)
    act(lambda session, found, staff: handoffs.accept(session, found, staff, 10), handoff, ana)
    found, _ = now_is(handoff)
    assert (found.state, found.start_at) == ("told", after(10))
    assert (found.follows, found.try_after) == ("nudge", after(20))


@both
def test_of_two_who_accept_at_the_same_moment_one_comes_and_the_patient_is_told_once(world: World) -> None:
    team, patient = [world.staff("Ana"), world.staff("Ben")], world.patient()
    handoff, start = ask(world, patient), Barrier(2)

    def press(staff: Staff) -> bool:
        start.wait(PATIENCE)
        try:
            act(handoffs.accept, handoff, staff)
        except handoffs.NotOpen:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        came = dict(zip([staff.id for staff in team], pool.map(press, team), strict=True))
    [coming] = [staff_id for staff_id, first in came.items() if first]
    assert now_is(handoff)[0].colleague_id == coming
    assert len(texts_to(patient)) == 1


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_a_yes_and_the_item_that_comes_before_everyone_wait_for_each_other_in_no_circle(world: World) -> None:
    """Both lock the item's timers before the item: else the one would hold what the other waits for."""
    ana = world.staff("Ana")
    handoff, locked, holding = ask(world, world.patient()), Event(), Event()

    def fire() -> None:
        with time_machine.travel(after(9), tick=False), db.unit_of_work(db.EVERY) as session:
            found = session.get_one(Handoff, handoff.id)
            due = select(Timer).where(
                Timer.item_id == found.item_id, Timer.state == "waiting", Timer.kind == "escalate"
            )
            timers = session.scalars(due.with_for_update()).all()
            locked.set()
            holding.wait(1)
            escalation.fire(session, timers)

    def accept() -> None:
        locked.wait(PATIENCE)
        act(handoffs.accept, handoff, ana)
        holding.set()

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(fire), pool.submit(accept)]:
            done.result(PATIENCE)
    assert now_is(handoff)[0].state == "told"
