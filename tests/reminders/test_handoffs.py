"""A patient in the building is offered to one colleague after the other; nobody accepting is never silence."""

from datetime import timedelta

import pytest
import time_machine

from config import db
from messaging import jobs
from messaging.consent import ledger
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Staff
from reminders import handoff_steps, handoffs
from reminders import jobs as rooms_jobs
from tests.messaging.wording.test_clinic_words import say
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.handoff.kit import (
    NUMBER,
    PATIENCE,
    act,
    answers,
    ask,
    being_asked,
    ended,
    now_is,
    summary_of,
    told,
    wait,
)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def test_the_one_whose_panel_it_is_is_asked_first(world: World) -> None:
    world.staff("Ana")
    his = world.staff("Zoe", panels=["Dr Lindqvist"])
    handoff, item = now_is(ask(world, world.patient(panel="Dr Lindqvist")))
    assert (handoff.state, handoff.follows, handoff.try_after) == ("offered", "next", NOW + PATIENCE)
    assert being_asked(handoff) == [his.id]
    assert (item.kind, item.owner_id, item.answer_by) == ("handoff", his.id, NOW + PATIENCE)


def test_the_language_decides_next(world: World) -> None:
    world.staff("Ana")
    speaks = world.staff("Zoe", languages=["en", "es"])
    handoff, _ = now_is(ask(world, world.patient(language="es")))
    assert being_asked(handoff) == [speaks.id]


def test_nobody_off_duty_is_asked(world: World) -> None:
    world.staff("Ana", hours={"wed": ["08:00", "17:00"]})
    here = world.staff("Zoe", hours={"tue": ["08:00", "17:00"]})
    handoff, _ = now_is(ask(world, world.patient()))
    assert being_asked(handoff) == [here.id]


def test_a_text_to_staff_names_nobody(world: World) -> None:
    ana = world.staff("Ana")
    ask(world, world.patient())
    [body] = told(ana)
    assert body.startswith("Warmthread: someone is waiting")
    assert not any(word in body for word in ("Rosa", "Vance", "Room"))


def test_the_inbox_does_not_tell_the_same_person_a_second_time(world: World) -> None:
    ana = world.staff("Ana")
    ask(world, world.patient())
    jobs.fire_timers()
    assert len(told(ana)) == 1


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_the_patient_is_told_only_after_a_human_has_accepted(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient)
    assert texts_to(patient) == []
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        act(handoffs.accept, handoff, ana)
    [body] = texts_to(patient)
    assert body.startswith("Rosa, your care team at Larkspur Clinic is ready and expecting you. Please go to Room 4.")
    found, item = now_is(handoff)
    assert (found.state, found.told_at) == ("told", NOW + timedelta(minutes=1))
    assert (item.owner_id, item.acknowledged_by) == (ana.id, ana.id)
    with db.unit_of_work(db.EVERY) as session:
        message = session.get_one(Message, found.message_id)
        assert (message.kind, message.programme, message.lane) == ("handoff", "care_team", "urgent")


def test_without_a_place_the_patient_stays_close_by(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient(language="es")
    with db.unit_of_work(db.EVERY) as session:
        handoff = handoffs.request(session, world.clinic, patient, requested_by="operator")
    act(handoffs.accept, handoff, ana)
    assert "se va a acercar a usted" in texts_to(patient)[0]


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_an_offer_nobody_answers_goes_to_the_next(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    wait(NOW + PATIENCE - timedelta(seconds=1))
    assert being_asked(handoff) == [ana.id]
    wait(NOW + PATIENCE)
    found, item = now_is(handoff)
    assert found.state == "offered"
    assert answers(handoff) == {ana.id: "silent", ben.id: None}
    assert (item.owner_id, item.answer_by) == (ben.id, NOW + 2 * PATIENCE)
    assert (len(told(ana)), len(told(ben))) == (1, 1)


def test_the_end_of_the_rota_is_everyones_and_never_silence(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    wait(NOW + PATIENCE)
    wait(NOW + 2 * PATIENCE)
    found, item = now_is(handoff)
    assert (found.state, being_asked(handoff)) == ("asked", [])
    assert (item.state, item.owner_id) == ("open", None)
    assert summary_of(handoff).startswith("Nobody has accepted")
    assert "Ana, Ben" in summary_of(handoff)
    before = len(told(ana)) + len(told(ben))
    with time_machine.travel(NOW + 2 * PATIENCE, tick=False):
        jobs.fire_timers()
    assert len(told(ana)) + len(told(ben)) > before
    # Whoever comes late may still accept; then the item no more says that nobody has.
    assert act(handoffs.accept, handoff, ana).state == "told"
    assert summary_of(handoff).startswith("Someone in the building is waiting")


def test_with_nobody_on_duty_the_item_exists_all_the_same(world: World) -> None:
    ana = world.staff("Ana", hours={"wed": ["08:00", "17:00"]})
    handoff = ask(world, world.patient())
    assert being_asked(handoff) == []
    jobs.fire_timers()
    assert len(told(ana)) >= 1


def test_the_fallback_comes_after_those_on_duty(world: World) -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {"fallback": ["lead@clinic.example"], "handoff_minutes": 1}
    ana, lead = world.staff("Ana"), world.staff("Lead", role="clinic_admin", email="lead@clinic.example")
    handoff = ask(world, world.patient())
    assert being_asked(handoff) == [ana.id]
    wait(NOW + timedelta(minutes=1))
    assert being_asked(handoff) == [lead.id]


def test_declining_moves_on_at_once(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    act(handoffs.decline, handoff, ana)
    assert answers(handoff) == {ana.id: "declined", ben.id: None}
    wait(NOW + PATIENCE - timedelta(seconds=1))
    assert being_asked(handoff) == [ben.id]


def test_whoever_declines_before_their_turn_is_not_asked(world: World) -> None:
    ana, ben, cleo = world.staff("Ana"), world.staff("Ben"), world.staff("Cleo")
    handoff = ask(world, world.patient())
    act(handoffs.decline, handoff, ben)
    assert being_asked(handoff) == [ana.id]
    wait(NOW + PATIENCE)
    assert being_asked(handoff) == [cleo.id]


def test_any_colleague_may_accept_but_only_the_first(world: World) -> None:
    world.staff("Ana")
    ben, cleo = world.staff("Ben"), world.staff("Cleo")
    patient = world.patient()
    handoff = ask(world, patient)
    act(handoffs.accept, handoff, ben)
    for verb in (handoffs.accept, handoffs.decline):
        with pytest.raises(handoffs.NotOpen):
            act(verb, handoff, cleo)
    wait(NOW + PATIENCE)
    assert now_is(handoff)[1].owner_id == ben.id
    assert len(texts_to(patient)) == 1


def test_the_patient_is_told_in_the_clinics_words(world: World) -> None:
    say(world.clinic, "handoff_ready", "{first_name}, {care_team} is in {place}.")
    ana, patient = world.staff("Ana"), world.patient()
    act(handoffs.accept, ask(world, patient), ana)
    assert [body.partition(" Reply STOP")[0] for body in texts_to(patient)] == ["Rosa, your care team is in Room 4."]


def test_a_patient_who_cannot_be_texted_is_told_in_person(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient(number=NUMBER)
    handoff = ask(world, patient)
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        with db.unit_of_work(db.EVERY) as session:
            ledger.record(session, world.clinic, NUMBER, "revoked", source="text", actor="patient:x")
        act(handoffs.accept, handoff, ana)
    found, _ = now_is(handoff)
    assert (found.state, found.told_at, texts_to(patient)) == ("accepted", None, [])
    assert summary_of(handoff) == "Accepted. They could not be texted (opted out): please tell them in person"
    assert act(handoffs.arrive, handoff, f"staff:{ana.id}").state == "arrived"


@pytest.mark.parametrize(
    ("outcome", "disposition"),
    [("met", "in_person"), ("scheduled", "handled"), ("declined", "handled"), ("left", "could_not_reach")],
)
def test_the_loop_is_closed_and_the_requester_hears_of_it(world: World, outcome: str, disposition: str) -> None:
    doctor, ana = world.staff("Doctor", role="clinician"), world.staff("Ana")
    handoff = ask(world, world.patient(), requested_by=f"staff:{doctor.id}")
    act(handoffs.accept, handoff, ana)
    for _ in range(2):
        act(ended(outcome), handoff, f"staff:{ana.id}")
    found, item = now_is(handoff)
    assert (found.state, found.outcome, found.ended_at) == (outcome, outcome, NOW)
    assert (item.state, item.done_by, item.disposition) == ("done", ana.id, disposition)
    [body] = told(doctor)
    assert body.startswith("Warmthread: the person you asked us to meet")


def test_making_the_item_ones_own_in_the_inbox_counts_as_a_yes(world: World) -> None:
    world.staff("Ana")
    ben, patient = world.staff("Ben"), world.patient()
    handoff = ask(world, patient)
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(InboxItem, handoff.item_id)
        items.claim(session, item, session.get_one(Staff, ben.id))
    wait(NOW + PATIENCE)
    assert now_is(handoff)[0].state == "told"
    assert len(texts_to(patient)) == 1


def test_an_item_closed_in_the_inbox_ends_the_walk(world: World) -> None:
    ana = world.staff("Ana")
    handoff = ask(world, world.patient())
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(InboxItem, handoff.item_id)
        items.resolve(session, item, session.get_one(Staff, ana.id))
    wait(NOW + PATIENCE)
    assert now_is(handoff)[0].outcome == "cancelled"


def test_the_lane_says_since_when_its_oldest_waits(world: World) -> None:
    world.staff("Ana")
    ask(world, world.patient())
    with db.unit_of_work(db.EVERY) as session:
        assert handoff_steps.oldest(session, NOW) is None
        assert handoff_steps.oldest(session, NOW + 2 * PATIENCE) == NOW + PATIENCE


def test_when_all_decline_the_ladder_climbs_at_once(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    act(handoffs.decline, handoff, ana)
    act(handoffs.decline, handoff, ben)
    before = len(told(ana)) + len(told(ben))
    jobs.fire_timers()
    assert len(told(ana)) + len(told(ben)) > before


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_an_offer_made_while_the_clock_stood_an_hour_ahead_does_not_wait_for_that_hour(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        handoff = ask(world, world.patient())
    lanes = {lane.name: lane for lane in rooms_jobs.LANES}
    with time_machine.travel(NOW, tick=False):
        assert lanes["handoffs_set_back"].drain() == 1
    assert now_is(handoff)[0].try_after == NOW + PATIENCE
    assert being_asked(handoff) == [ana.id]
    wait(NOW + PATIENCE)
    assert answers(handoff) == {ana.id: "silent", ben.id: None}
