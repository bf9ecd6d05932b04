"""Whoever had accepted cannot come after all: who is there stays there, what was asked meanwhile ends, the next begins
anew."""

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging import models as messaging
from messaging.inbox import item_state, items
from messaging.inbox.models import InboxItem
from reminders import handoffs
from reminders.handoff import offers
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
from tests.reminders.handoff.test_loop import texts

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
SETTLED = "No longer needed"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def at(moment: datetime, verb: object, handoff: Handoff, who: messaging.Staff | str) -> Handoff:
    with time_machine.travel(moment, tick=False):
        return act(verb, handoff, who)  # type: ignore[arg-type]


def about(handoff: Handoff, part: str) -> list[InboxItem]:
    with db.unit_of_work(db.EVERY) as session:
        rows = select(InboxItem).where(InboxItem.dedupe.like(f"handoff:{handoff.id}{part}%"))
        found = list(session.scalars(rows.order_by(InboxItem.created_at, InboxItem.id)))
        assert all(item.summary for item in found)
        return found


@both
def test_who_is_there_is_met_by_the_next_and_never_missed(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    ben = world.staff("Ben")
    at(after(2), handoffs.arrive, handoff, f"staff:{ana.id}")
    at(after(3), handoffs.release, handoff, f"staff:{ana.id}")
    found, _ = now_is(handoff)
    assert (found.accepted_at, found.arrived_at) == (None, after(2))
    assert answers(handoff) == {ana.id: "released", ben.id: None}
    at(after(4), handoffs.accept, handoff, ben)
    found, _ = now_is(handoff)
    assert (found.state, found.accepted_at, found.arrived_at) == ("arrived", after(4), after(2))
    wait(after(30))
    assert len(texts_to(patient)) == 1
    assert not any("not there" in each for each in summaries(handoff))


def test_here_while_the_next_is_asked_is_kept_for_whoever_comes(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    ben = world.staff("Ben")
    at(after(3), handoffs.release, handoff, f"staff:{ana.id}")
    for minute in (4, 5):
        assert texts(world, NUMBER, "HERE", after(minute)).reply_key == "handoff_here"
    assert any("is there" in body for body in told(ben))
    at(after(5), handoffs.accept, handoff, ben)
    assert now_is(handoff)[0].state == "arrived"


def test_what_was_asked_on_the_way_ends_and_is_asked_anew_of_the_next(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    ben = world.staff("Ben")
    for minute in (10, 50):
        wait(after(minute))
    assert any("catch them" in each for each in summaries(handoff))
    at(after(51), handoffs.release, handoff, f"staff:{ana.id}")
    assert not any("catch them" in each for each in summaries(handoff))
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Handoff, handoff.id).leaves_at = after(180)
    at(after(52), handoffs.accept, handoff, ben)
    for minute in (62, 170):
        wait(after(minute))
    first, second = about(handoff, ":leaving")
    assert (first.state, first.done_by) == ("done", ana.id)
    assert (second.state, second.owner_id) == ("open", ben.id)


def test_what_a_colleague_says_closes_what_it_answers(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    for minute in (10, 50):
        wait(after(minute))
    at(after(51), handoffs.arrive, handoff, f"staff:{ana.id}")
    [leaving] = about(handoff, ":leaving")
    assert (leaving.state, leaving.done_by) == ("done", ana.id)


@both
def test_what_a_patient_says_closes_nothing_and_rings_nobody_any_more(world: World) -> None:
    handoff, *_ = accepted(world, world.patient(number=NUMBER))
    for minute in (10, 50):
        wait(after(minute))
    texts(world, NUMBER, "HERE", after(51))
    [leaving] = about(handoff, ":leaving")
    assert leaving.state == "open"
    assert (leaving.summary or "").startswith(SETTLED)
    with db.unit_of_work(db.EVERY) as session:
        assert item_state.waiting(session, leaving, "escalate", "route") == []


def test_who_is_lost_is_said_in_the_item_that_is_still_owed(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    for minute in (10, 50, 60):
        wait(after(minute))
    [leaving] = about(handoff, ":leaving")
    assert (leaving.summary or "").startswith("They may have left")
    assert about(handoff, ":lost") == []
    assert any("may have left without having met anybody" in body for body in told(ana))


def test_who_is_lost_after_a_second_yes_is_said_in_an_item_that_escalates(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    ben = world.staff("Ben")
    for minute in (10, 50):
        wait(after(minute))
    leave(ana)
    at(after(51), handoffs.release, handoff, "system:handoffs")
    at(after(52), handoffs.accept, handoff, ben)
    for minute in (62, 66, 70):
        wait(after(minute))
    assert now_is(handoff)[0].state == "lost"
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(InboxItem).where(InboxItem.about == f"handoff:{handoff.id}"))
        said = [item for item in rows if (item.summary or "").startswith("They may have left")]
        assert [(item.owner_id, len(item_state.waiting(session, item, "escalate"))) for item in said] == [(ben.id, 1)]


def test_a_claim_of_somebody_who_has_left_is_no_yes_of_the_next(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(InboxItem, handoff.item_id)
        items.claim(session, item, session.get_one(messaging.Staff, ana.id))
    leave(ana)
    wait(after(3))
    found, item = now_is(handoff)
    assert (found.state, item.state, being_asked(handoff)) == ("offered", "open", [ben.id])
    wait(after(3) + timedelta(seconds=30))
    assert now_is(handoff)[0].state == "offered"


def test_each_who_accepts_a_video_has_a_link_of_their_own(world: World) -> None:
    decide(world, video="https://video.example.org/{room}")
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient, wishes=handoffs.Wishes(modality="video"))
    at(after(1), handoffs.arrive, handoff, f"patient:{patient.id}")
    at(after(2), handoffs.release, handoff, f"staff:{ana.id}")
    assert now_is(handoff)[0].arrived_at is None
    at(after(3), handoffs.accept, handoff, ana)  # after all
    first, second = texts_to(patient)
    assert "/i/v/" in second
    assert first != second
    assert now_is(handoff)[0].state == "told"


def test_in_ten_minutes_the_patient_reads_when(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient)
    act(lambda session, found, staff: handoffs.accept(session, found, staff, 10), handoff, ana)
    [body] = texts_to(patient)
    assert "will be ready for you at 9:10 AM. Please go to Room 4 then." in body
    assert "is ready" not in body


def test_offers_say_that_somebody_could_not_come_after_all(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    act(handoffs.release, handoff, f"staff:{ana.id}")
    assert [offer.answer for offer in asked(handoff)] == [offers.RELEASED]
