"""A patient who turns out not to know that somebody comes: our text did not arrive, or they want no more of them."""

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db, queue
from messaging.delivery import carrier_status
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from reminders import handoff_untold, handoffs
from reminders.handoff import bringing
from reminders.models import Handoff
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.handoff.kit import NUMBER, accepted, act, after, decide, ended, now_is, summaries, told, wait

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
WALK = "Please walk with them to Room 4: somebody is ready for them, and they cannot be texted"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def is_lost(handoff: Handoff, state: str = "undelivered") -> None:
    """Let the carrier say that the patient's text has not arrived."""
    with db.unit_of_work(db.EVERY) as session:
        message = session.get_one(Message, session.get_one(Handoff, handoff.id).message_id)
        carrier_status.final(session, message, state, 30003)


def stop(world: World, patient: Patient) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Clinic, world.clinic.id)
        handoff_untold.stopped(session, session.get_one(Patient, patient.id))


@both
@pytest.mark.parametrize("state", ["undelivered", "failed"])
def test_who_was_told_by_a_text_that_did_not_arrive_is_walked_there(world: World, state: str) -> None:
    world.staff("Ida", role="front_desk")
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    assert handoff_untold.drain() == 0
    is_lost(handoff, state)
    lane = queue.lanes()["handoffs_untold"]
    with db.unit_of_work(db.EVERY) as session:
        assert lane.oldest(session, clock.now()) is not None
    assert lane.drain() == 1
    row, item = now_is(handoff)
    assert (row.state, row.told_at, row.colleague_id) == ("accepted", None, ana.id)
    assert item.summary == "Accepted. They could not be texted (our text did not arrive): please tell them in person"
    assert WALK in summaries(handoff)
    assert any("did not get our text" in words for words in told(ana))
    # Once is enough, and what follows is as where they could not be texted from the first.
    assert lane.drain() == 0
    wait(after(10))
    assert any("not there yet" in words for words in told(ana))
    act(ended("met"), handoff, f"staff:{ana.id}")
    assert summaries(handoff) == []


def test_who_stops_all_texts_on_the_way_is_walked_there(world: World) -> None:
    world.staff("Ida", role="front_desk")
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    stop(world, patient)
    row, item = now_is(handoff)
    # What they have read they know: the strip goes on saying so.
    assert (row.state, row.told_at is not None) == ("accepted", True)
    assert "they want no more texts" in (item.summary or "")
    assert WALK in summaries(handoff)
    assert any("did not get our text" in words for words in told(ana))
    stop(world, patient)
    assert summaries(handoff).count(WALK) == 1


def test_who_is_there_by_then_is_left_in_peace(world: World) -> None:
    world.staff("Ida", role="front_desk")
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    act(handoffs.arrive, handoff, audit.Actor.staff(ana.id))
    is_lost(handoff)
    stop(world, patient)
    assert handoff_untold.drain() == 0
    assert (now_is(handoff)[0].state, WALK in summaries(handoff)) == ("arrived", False)


def test_a_video_nobody_was_told_of_becomes_a_call_and_nobody_walks(world: World) -> None:
    world.staff("Ida", role="front_desk")
    decide(world, video="https://video.example/{room}")
    patient = world.patient(number=NUMBER)
    handoff, *_ = accepted(world, patient, wishes=handoffs.Wishes(modality="video"))
    is_lost(handoff)
    assert handoff_untold.drain() == 1
    row, item = now_is(handoff)
    assert item.summary == "Accepted. They could not be texted (our text did not arrive): please call them"
    wait(after(5))
    row, _ = now_is(handoff)
    assert (row.state, row.modality) == ("accepted", "call")
    assert any("please call them now" in words for words in summaries(handoff))


def test_the_next_who_accepts_after_a_lost_text_has_the_desk_walk_too(world: World) -> None:
    world.staff("Ida", role="front_desk")
    cleo = world.staff("Cleo")
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    is_lost(handoff)
    assert handoff_untold.drain() == 1
    with time_machine.travel(after(2), tick=False):
        act(handoffs.release, handoff, audit.Actor.staff(ana.id))
        act(handoffs.accept, handoff, cleo)
        handoff_untold.drain()
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(Handoff, handoff.id)
        assert (row.state, bringing.desk_walks(session, row)) == ("accepted", True)
        walks = select(InboxItem).where(InboxItem.dedupe.like(f"handoff:{handoff.id}:walk%"), InboxItem.state == "open")
        assert len(session.scalars(walks).all()) == 1
    assert len(texts_to(patient)) == 1
