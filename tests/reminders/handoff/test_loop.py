"""A handoff that was accepted comes to an end, or before a human: whoever does not come, goes, or says nothing."""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging import conversations, jobs
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.reading import read_reply
from reminders import handoff_steps, handoffs, replies
from reminders.handoff import standing
from reminders.models import Handoff
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.handoff.kit import (
    NUMBER,
    accepted,
    act,
    after,
    ask,
    being_asked,
    ended,
    leave,
    now_is,
    summaries,
    told,
    wait,
)

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def texts(world: World, number: str, body: str, at: datetime) -> replies.Outcome:
    """What becomes of a patient's text."""
    with time_machine.travel(at, tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        conversation = conversations.of_number(session, clinic, number)
        sid = f"SM{at.timestamp()}"
        message = conversations.file_inbound(session, clinic, conversation, body=body, provider_sid=sid, reading=[])
        patient = session.get_one(Patient, conversation.patient_id)
        reading = read_reply.read(body, patient.language)
        return replies.understand(session, clinic, conversation, patient, reading, message)


@both
def test_here_says_that_they_arrived_and_whoever_comes_hears_of_it(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    outcome = texts(world, NUMBER, "HERE", after(4))
    assert (outcome.handled, outcome.reply_key) == (True, "handoff_here")
    found, _ = now_is(handoff)
    assert (found.state, found.arrived_at) == ("arrived", after(4))
    assert any(body.startswith("Warmthread: the person you are to meet is there") for body in told(ana))
    assert texts(world, NUMBER, "here", after(5)).reply_key == "handoff_here"
    assert now_is(handoff)[0].arrived_at == after(4)


def test_here_from_another_number_than_was_told_is_left_to_a_human(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, *_ = accepted(world, patient)
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Handoff, handoff.id)
        found.message_id = None
    assert not texts(world, NUMBER, "HERE", after(4)).handled
    assert now_is(handoff)[0].state == "told"


def test_who_is_not_there_is_nudged_once_then_looked_for_then_lost(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, doctor = accepted(world, patient)
    for minute in range(9, 13):
        wait(after(minute))
    assert [body.startswith("Rosa, take your time") for body in texts_to(patient)] == [False, True]
    for staff in (ana, doctor):
        assert any(body.startswith("Warmthread: the person to be met is not there yet") for body in told(staff))
    wait(after(50))
    assert any("catch them before they go" in each for each in summaries(handoff))
    wait(after(60))
    found, _ = now_is(handoff)
    assert (found.state, found.outcome) == ("lost", "lost")
    assert any("may have left" in each for each in summaries(handoff))
    assert any("may have left" in body for body in told(doctor))
    assert len(texts_to(patient)) == 2


def test_nobody_is_nudged_who_has_said_here(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    texts(world, NUMBER, "HERE", after(4))
    wait(after(59))
    assert len(texts_to(patient)) == 1
    wait(after(64))
    assert any("say how it ended" in each for each in summaries(handoff))
    act(ended("met"), handoff, f"staff:{ana.id}")
    assert summaries(handoff) == []


def lost(world: World) -> tuple[Handoff, Staff, Staff]:
    """A handoff whose patient was told and never came, with who was to meet them and who asked."""
    handoff, ana, doctor = accepted(world, world.patient(number=NUMBER))
    for minute in (10, 50, 60):
        wait(after(minute))
    assert now_is(handoff)[0].state == "lost"
    return handoff, ana, doctor


def test_a_late_here_after_they_were_lost_comes_before_a_human(world: World) -> None:
    handoff, ana, _ = lost(world)
    outcome = texts(world, NUMBER, "HERE", after(70))
    texts(world, NUMBER, "HERE", after(71))
    assert (outcome.handled, outcome.reply_key) == (True, "handoff_here")
    with db.unit_of_work(db.EVERY) as session:
        [item] = session.scalars(select(InboxItem).where(InboxItem.dedupe.like("%:late%")))
        # Somebody stands in the building: it is owed in minutes, as a handoff is, by who was to meet them.
        assert (item.kind, item.owner_id) == ("handoff", ana.id)
        assert item.answer_by == after(75)
        items.resolve(session, item, session.get_one(Staff, ana.id), "handled")
    assert len([words for words in told(ana) if "is here after all" in words]) == 1
    texts(world, NUMBER, "HERE", after(90))
    assert sum(words.startswith("Says they are here") for words in summaries(handoff)) == 1


@both
def test_who_is_here_after_all_is_met_after_all_and_who_asked_reads_so(world: World) -> None:
    handoff, ana, doctor = lost(world)
    texts(world, NUMBER, "HERE", after(70))
    row, item = now_is(handoff)
    assert (row.state, row.arrived_at, row.outcome, row.ended_at) == ("arrived", after(70), None, None)
    assert (item.owner_id, item.state) == (ana.id, "open")
    assert any("is here after all" in words for words in told(doctor))
    # What asked to call them is of no use any more.
    assert not any("please call them" in words for words in summaries(handoff))
    act(ended("met"), handoff, f"staff:{ana.id}")
    row, _ = now_is(handoff)
    assert (row.state, row.outcome) == ("met", "met")
    assert any("has met their care team" in words for words in told(doctor))
    assert not any("Says they are here" in words for words in summaries(handoff))


def test_here_after_it_was_taken_back_is_heard_by_whoever_was_coming(world: World) -> None:
    handoff, ana, doctor = accepted(world, world.patient(number=NUMBER))
    act(handoffs.cancel, handoff, doctor)
    assert texts(world, NUMBER, "HERE", after(5)).reply_key == "handoff_here"
    assert now_is(handoff)[0].state == "arrived"
    assert any("is here after all" in words for words in told(ana))


def test_who_is_here_after_all_is_met_by_the_next_where_the_first_works_here_no_more(world: World) -> None:
    handoff, ana, _ = lost(world)
    ben = world.staff("Ben")
    leave(ana)
    texts(world, NUMBER, "HERE", after(70))
    assert (now_is(handoff)[0].state, being_asked(handoff)) == ("offered", [ben.id])
    with time_machine.travel(after(71), tick=False):
        act(handoffs.accept, handoff, ben)
    assert now_is(handoff)[0].state == "arrived"


def test_a_late_here_after_they_met_is_no_handoff_any_more(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    act(ended("met"), handoff, f"staff:{ana.id}")
    assert not texts(world, NUMBER, "HERE", after(5)).handled
    assert now_is(handoff)[0].state == "met"


@both
@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_a_handoff_ends_or_a_human_has_it(world: World, seed: int) -> None:
    """The rows themselves, with acts in random order and times, and then nobody who does anything any more."""
    import random

    chance = random.Random(seed)
    team = [world.staff(name) for name in ("Ana", "Ben", "Cleo")]
    doctor = world.staff("Doctor", role="clinician")
    handoff = ask(world, world.patient(number=NUMBER), requested_by=f"staff:{doctor.id}")
    acts: list[Callable[[Staff], Any]] = [
        lambda staff: act(handoffs.accept, handoff, staff),
        lambda staff: act(handoffs.decline, handoff, staff),
        lambda staff: act(handoffs.release, handoff, f"staff:{staff.id}"),
        lambda staff: act(handoffs.arrive, handoff, f"staff:{staff.id}"),
        leave,
    ]
    minute = 0.0
    for _ in range(12):
        minute += chance.choice((0.2, 1, 3, 9))
        wait(after(minute))
        with time_machine.travel(after(minute), tick=False), contextlib.suppress(handoffs.NotOpen):
            chance.choice(acts)(chance.choice(team))
    for later in range(0, 200, 2):
        wait(after(minute + later))
    with time_machine.travel(after(minute + 200), tick=False):
        jobs.fire_timers()
    found, _ = now_is(handoff)
    with db.unit_of_work(db.EVERY) as session:
        [row] = session.scalars(select(Handoff))
        assert standing.of(row).state == found.state
    assert found.state in ("met", "scheduled", "declined", "left", "cancelled") or summaries(handoff), found.state


def test_the_lane_survives_a_worker_that_dies_in_the_middle_of_a_step(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    with time_machine.travel(after(3), tick=False), db.unit_of_work(db.EVERY) as session:
        assert len(db.claim(session, Handoff, handoff_steps.DUE)) == 1  # and nobody works on it
    wait(after(3))
    assert being_asked(handoff) == [ana.id]
    wait(after(3) + timedelta(seconds=20))
    assert being_asked(handoff) == [ben.id]
