"""A text that both readers read: what is a crisis, what a worry, what happens by itself and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.consent import ledger
from messaging.inbox import escalation, items
from messaging.inbox.models import InboxItem, Timer
from messaging.inbox.routing import assign
from messaging.models import Clinic, Message
from messaging.people import directory
from messaging.reading import likeness, read_reply
from messaging.second_reading import hearing, standing
from messaging.second_reading.models import SecondReading
from reminders.models import Appointment
from tests.webhooks.test_handle_text import _visit as visit
from tests.worries import WORRYING

STRANGER = "+13035550199"


@pytest.fixture(autouse=True)
def signed_off(world: Any) -> None:
    """A clinic whose clinician has signed the second reader off."""
    decide(world)


def decide(world: Any, *, acts: bool = True, **terms: Any) -> None:
    """Let the second reader act at the clinic, by these terms."""
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        signed = {"by": "x", "at": "2026-11-30T09:00:00+00:00", "weights": "w"} if acts else None
        clinic.rules = {**clinic.rules, "second_reading": {"terms": terms, "signed": signed}}


def readings(world: Any) -> list[SecondReading]:
    return list(world.rows(SecondReading))


def fire(kind: str = "route") -> None:
    with db.unit_of_work(db.EVERY) as session:
        escalation.fire(session, session.scalars(select(Timer).where(Timer.kind == kind)).all())


def test_the_example_is_a_worry_and_by_no_word() -> None:
    """If the weights change so that none of the candidates is one, the tests need another."""
    assert not read_reply.read(WORRYING).crisis
    heard = likeness.read(WORRYING)
    assert heard is not None
    assert heard.band == "worry"


def test_a_worry_is_read_within_the_clinics_minutes_and_nothing_is_sent(world: Any) -> None:
    decide(world, minutes=10)
    world.text(WORRYING)
    (item,) = world.items
    assert (item.kind, item.reason[0]) == ("reply", "worry_likeness")
    assert item.answer_by - item.created_at == timedelta(minutes=10)
    assert item.urgency == 1
    assert world.outbound == []


def test_never_longer_than_for_a_positive_screen(world: Any) -> None:
    decide(world, minutes=50)
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, "answer_within": {"screen": 20}}
    world.text(WORRYING)
    (item,) = world.items
    assert item.answer_by - item.created_at == timedelta(minutes=20)


def test_a_worry_stands_before_ordinary_replies_and_with_the_screens(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        world.add_patient(session, "2", STRANGER, "Bea")
    world.text("what should I bring?", From=STRANGER)
    world.text(WORRYING)
    assert [item.urgency for item in world.items] == [3, 1]


def test_it_joins_a_reply_that_waits_and_hastens_it(world: Any) -> None:
    world.text("what should I bring?")
    world.text(WORRYING)
    (item,) = world.items
    assert item.reason[0] == "worry_likeness"
    assert item.urgency == 1
    assert item.answer_by - item.created_at < timedelta(minutes=16)


def test_it_goes_to_who_can_assess_and_never_to_the_desk(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        desk = directory.add_staff(session, world.clinic, name="Dee", email="dee@c.example", role="front_desk")
        nurse = directory.add_staff(session, world.clinic, name="Kim", email="kim@c.example", role="care_manager")
    world.text(f"{WORRYING}. can I move my appointment")
    fire()
    (item,) = world.items
    assert item.owner_id == nurse.id != desk.id
    assert item.role is None
    assert "worry_likeness" in item.reason


def test_unread_it_escalates_as_a_positive_screen(world: Any) -> None:
    assert assign.climbs_as("reply", ["worry_phrase"]) == "screen"
    assert assign.routed_as("reply", ["worry_unread"]) == "screen"


def test_a_soft_phrase_nobody_confirms_is_a_worry_and_sends_no_help_text(world: Any) -> None:
    world.text("I give up on this portal")
    (item,) = world.items
    assert (item.kind, item.reason[0]) == ("reply", "worry_phrase")
    assert world.outbound == []


def test_a_sure_phrase_is_a_crisis_whatever_the_reader_says(world: Any) -> None:
    world.text("I want to kill myself")
    assert [item.kind for item in world.items] == ["safety"]
    assert [message.kind for message in world.outbound] == ["crisis"]
    assert "sure_phrase" in readings(world)[0].reasons


@pytest.mark.parametrize("words", [f"Y. {WORRYING}", "Y but honestly I want to die"])
def test_a_text_of_either_tier_confirms_no_visit_by_itself(world: Any, words: str) -> None:
    visit(world)
    world.text(words)
    assert world.rows(Appointment)[0].state == "booked"
    assert len(world.items) == 1


def test_a_yes_taken_back_confirms_nothing(world: Any) -> None:
    visit(world)
    world.text("yes... actually no, can we do monday")
    assert world.rows(Appointment)[0].state != "confirmed"
    assert len(world.items) == 1


def test_a_stop_in_a_worry_is_obeyed_without_a_word(world: Any) -> None:
    world.text("please stop the texts. I give up on this portal")
    assert readings(world)[0].acted == "worry"
    assert world.outbound == []
    assert len(world.items) == 1
    with db.unit_of_work(db.EVERY) as session:
        assert set(ledger.state(session, world.clinic, "+13035550101").values()) == {"revoked"}


def test_each_reading_is_kept_with_the_versions_of_rules_and_weights(world: Any) -> None:
    world.text(WORRYING)
    (row,) = readings(world)
    heard = likeness.read(WORRYING)
    assert heard is not None
    assert (row.rules_version, row.weights_version) == (read_reply.VERSION, heard.version)
    assert (row.band, row.tier, row.acted, row.reasons) == ("worry", "worry", "worry", ["reader_low"])
    assert row.item_id == world.items[0].id
    assert {"tier.worry", f"weights.{heard.version}"} <= set(world.inbound[0].reading)


def test_a_carriers_keyword_is_no_free_text(world: Any) -> None:
    world.text("STOP")
    assert readings(world) == []


def test_in_shadow_mode_readings_are_kept_and_nothing_else_happens(world: Any) -> None:
    decide(world, acts=False)
    world.text(WORRYING)
    (row,), (item,) = readings(world), world.items
    assert (row.tier, row.acted) == ("worry", None)
    assert not any(reason.startswith("worry") for reason in item.reason)
    assert not any(label.startswith("tier.") for label in world.inbound[0].reading)
    world.text("I give up", From=STRANGER)
    assert [item.kind for item in world.items] == ["reply", "safety"]


def test_a_clinic_widens_by_a_step_below_the_readers_own_threshold(world: Any) -> None:
    heard = likeness.read(WORRYING)
    floors = [hearing.widened(heard, step) for step in standing.STEPS.values()]
    assert floors[0] is None
    assert floors[1] is not None
    assert floors[2] is not None
    assert floors[2] < floors[1]


# --- Texts of a few minutes, read as one.

SPLIT = ("i just want to", "die")


def test_what_is_said_in_two_halves_is_said(world: Any) -> None:
    assert not any(read_reply.read(half).crisis for half in SPLIT[:1])
    world.text(SPLIT[0])
    assert [item.kind for item in world.items] == ["reply"]
    world.text(SPLIT[1])
    assert "safety" in {item.kind for item in world.items}
    assert [message.kind for message in world.outbound] == ["crisis"]


HALVES = ("i took all of", "my pills")


def test_only_joined_it_is_a_crisis_and_it_is_one_once(world: Any) -> None:
    decide(world, acts=False)
    assert not any(read_reply.read(half).crisis for half in HALVES)
    for half in (*HALVES, "are you there", "hello"):
        world.text(half)
    kinds = [item.kind for item in world.items]
    assert kinds.count("safety") == 1
    row = readings(world)[1]
    assert (row.acted, row.joined) == ("crisis", [str(world.inbound[0].id)])
    assert "joined" in world.inbound[1].reading
    assert [row.acted for row in readings(world)] == [None, "crisis", None, None]


def test_halves_are_joined_in_the_order_in_which_they_were_sent(world: Any) -> None:
    decide(world, acts=False)
    now = datetime.now(UTC)
    world.text(HALVES[1])
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(Message)).one().created_at = now + timedelta(seconds=30)
    world.text(HALVES[0])
    assert [item.kind for item in world.items if item.kind == "safety"] == ["safety"]


def test_what_lies_further_apart_is_not_joined(world: Any) -> None:
    decide(world, acts=False)
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=6), tick=True):
        world.text(HALVES[0])
    world.text(HALVES[1])
    assert {item.kind for item in world.items} == {"reply"}


def test_two_people_are_not_joined(world: Any) -> None:
    decide(world, acts=False)
    world.text(HALVES[0])
    world.text(HALVES[1], From=STRANGER)
    assert {item.kind for item in world.items} == {"reply"}
    with db.unit_of_work(db.EVERY) as session:
        world.add_patient(session, "2", "+13035550101", "Bea")  # who shares the phone
    world.text(HALVES[1])
    assert {item.kind for item in world.items} == {"reply"}


def test_a_number_that_changed_hands_speaks_for_somebody_else(world: Any) -> None:
    decide(world, acts=False)
    world.text(HALVES[0], From=STRANGER)
    with db.unit_of_work(db.EVERY) as session:
        world.add_patient(session, "2", STRANGER, "Bea")
    world.text(HALVES[1], From=STRANGER)
    assert [row.joined for row in readings(world)] == [[], []]


def test_joined_they_may_be_a_worry(world: Any) -> None:
    words = WORRYING.split()
    for half in (words[: len(words) // 2], words[len(words) // 2 :]):
        world.text(" ".join(half))
    assert any(reason.startswith("worry") for item in world.items for reason in item.reason)


def test_a_worry_can_be_closed_by_a_named_person_alone(world: Any) -> None:
    world.text(WORRYING)
    for kind in ("route", "escalate"):
        fire(kind)
    assert [item.state for item in world.items] == ["open"]
    with db.unit_of_work(db.EVERY) as session:
        staff = directory.add_staff(session, world.clinic, name="Kim", email="kim@c.example")
        items.resolve(session, session.scalars(select(InboxItem)).one(), staff)
    assert world.items[0].done_by == staff.id
