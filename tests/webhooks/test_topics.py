"""What an ordinary text is about decides who has it and by when; whoever is in the building waits minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config import db
from messaging import jobs
from messaging.inbox import items
from messaging.models import Clinic, Staff
from messaging.people import directory
from reminders.models import Appointment
from tests.webhooks.test_handle_text import _visit as visit


def within(item: Any) -> timedelta:
    return item.answer_by - item.created_at


def somebody(world: Any, name: str, role: str, **more: Any) -> Staff:
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_staff(
            session, world.clinic, name=name, email=f"{name.lower()}@clinic.example", role=role, **more
        )


def decide(world: Any, **rules: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, **rules}


@pytest.mark.parametrize(
    ("words", "topic", "minutes"),
    [
        ("the pills make me so dizzy i stopped taking them", "side_effects", 60),
        ("necesito más medicina", "medication", 60),
        ("I'm pregnant", "pregnancy", 60),
        ("my back hurts so bad", "pain", 60),
        ("please call me", "call_me", 60),
        ("how much is the copay", "billing", 240),
        ("what time is my appointment", "scheduling", 240),
        ("cant find the entrance", "in_building_problem", 5),
        ("who is this", None, 240),
    ],
)
def test_each_topic_has_its_own_time_and_says_why(world: Any, words: str, topic: str | None, minutes: int) -> None:
    world.text(words)
    (item,) = world.items
    assert (item.kind, item.topic, within(item)) == ("reply", topic, timedelta(minutes=minutes))
    assert (f"topic:{topic}" in item.reason) == (topic is not None)


def test_a_clinic_decides_the_time_and_it_never_makes_a_text_wait_longer(world: Any) -> None:
    decide(
        world, topics={"pain": {"answer": 20, "to": "care_manager"}, "billing": {"answer": 900, "to": "care_manager"}}
    )
    world.text("my back hurts so bad")
    world.text("my insurance changed", From="+13035550177")
    assert [within(item) for item in world.items] == [timedelta(minutes=20), timedelta(minutes=240)]


def test_a_crisis_is_a_crisis_whatever_else_it_is_about(world: Any) -> None:
    world.text("I took all my pills, please call me")
    assert [item.kind for item in world.items] == ["safety"]


def test_words_that_come_later_bring_the_deadline_forward_and_never_put_it_off(world: Any) -> None:
    world.text("how much is the copay")
    first = world.items[0].answer_by
    world.text("and i have a rash since i started it")
    sooner = [item for item in world.items if item.topic == "side_effects"]
    assert sooner[0].answer_by < first
    world.text("also what are your hours")
    assert min(item.answer_by for item in world.items) == sooner[0].answer_by


def test_whoever_is_in_the_building_is_answered_in_minutes_whatever_they_write(world: Any) -> None:
    visit(world, days=0)
    _move_to_now(world)
    world.text("I'm here")
    world.text("hello?")
    (item,) = world.items
    assert within(item) == timedelta(minutes=5)
    assert "in_building" in item.reason


def test_somebody_at_a_locked_door_has_arrived_and_is_not_welcomed(world: Any) -> None:
    visit(world, days=0)
    _move_to_now(world)
    world.text("i am here but the door is locked")
    assert world.rows(Appointment)[0].state == "arrived"
    assert world.outbound == []
    (item,) = world.items
    assert (item.topic, within(item)) == ("in_building_problem", timedelta(minutes=5))


def test_whoever_only_says_that_they_are_here_is_welcomed(world: Any) -> None:
    visit(world, days=0)
    _move_to_now(world)
    world.text("I'm here")
    assert [text.kind for text in world.outbound] == ["automatic"]
    assert world.items == []


def test_a_yes_with_a_question_confirms_without_thanks_and_reaches_a_human(world: Any) -> None:
    visit(world)
    world.text("Y but i need a refill")
    assert world.rows(Appointment)[0].state == "confirmed"
    assert world.outbound == []
    assert [item.topic for item in world.items] == ["medication"]


def test_a_change_of_a_visit_is_about_scheduling(world: Any) -> None:
    visit(world)
    world.text("R")
    assert [(item.topic, item.reason) for item in world.items] == [("scheduling", ["topic:scheduling"])]


def _move_to_now(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        for booked in session.query(Appointment):
            booked.starts_at = datetime.now(UTC) + timedelta(minutes=10)


def test_scheduling_goes_to_the_front_desk_while_one_of_them_is_there(world: Any) -> None:
    somebody(world, "Kim", "care_manager")
    somebody(world, "Dana", "front_desk")
    world.text("what time is my appointment")
    jobs.fire_timers()
    (item,) = world.items
    assert (item.role, item.owner_id) == ("front_desk", None)
    assert item.reason == ["topic:scheduling", "desk"]


def test_without_a_front_desk_a_care_manager_has_it_and_it_says_so(world: Any) -> None:
    kim = somebody(world, "Kim", "care_manager")
    world.text("what time is my appointment")
    jobs.fire_timers()
    (item,) = world.items
    assert (item.role, item.owner_id) == (None, kim.id)
    assert item.reason == ["topic:scheduling", "desk_off", "language:en", "on_duty"]
    assert "nobody of it is on duty" in " ".join(items.reasons(item))


@pytest.mark.parametrize("words", ["what time is my appointment, and i have a rash", "i need a refill", "who is this"])
def test_what_may_be_clinical_never_goes_to_the_front_desk(world: Any, words: str) -> None:
    kim = somebody(world, "Kim", "care_manager")
    somebody(world, "Dana", "front_desk")
    world.text(words)
    jobs.fire_timers()
    (item,) = world.items
    assert (item.role, item.owner_id) == (None, kim.id)


def test_words_that_are_not_the_desks_are_an_item_of_their_own(world: Any) -> None:
    kim = somebody(world, "Kim", "care_manager")
    somebody(world, "Dana", "front_desk")
    world.text("what time is my appointment")
    world.text("i feel odd")
    jobs.fire_timers()
    world.text("another thing, i have a rash")
    jobs.fire_timers()
    assert [(item.role, item.owner_id, item.topic) for item in world.items] == [
        ("front_desk", None, "scheduling"),
        (None, kim.id, "side_effects"),
    ]


def test_what_nobody_at_the_desk_answers_comes_back_to_the_care_team(world: Any) -> None:
    kim = somebody(world, "Kim", "care_manager")
    dana = somebody(world, "Dana", "front_desk")
    world.text("what time is my appointment")
    jobs.fire_timers()
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(items.InboxItem, world.items[0].id)
        items.claim(session, item, session.get_one(Staff, dana.id))
        assert item.role == "front_desk"
        items.set_clock(session, item, datetime.now(UTC))
    jobs.fire_timers()
    jobs.fire_timers()
    assert [(item.role, item.owner_id) for item in world.items] == [(None, kim.id)]


@pytest.mark.parametrize("words", ["quiero morir, ya no aguanto", "necesito más medicina"])
def test_words_in_another_language_than_the_records_go_to_who_can_read_them(world: Any, words: str) -> None:
    somebody(world, "Ann", "care_manager")
    luz = somebody(world, "Luz", "care_manager", languages=["en", "es"])
    world.text(words)
    jobs.fire_timers()
    (item,) = world.items
    assert item.owner_id == luz.id
    assert [reason for reason in item.reason if ":es" in reason] == ["said_in:es", "language:es"]
    assert "written in" in " ".join(items.reasons(item))


def test_a_crisis_is_answered_in_the_language_of_its_words(world: Any) -> None:
    world.text("quiero morir, ya no aguanto")
    assert "Puede llamar al 988" in world.outbound[-1].body


def test_a_text_in_english_or_in_the_records_language_says_nothing_of_it(world: Any) -> None:
    world.text("the new pills make me dizzy")
    world.text("ok gracias, necesito más medicina, please call me", From="+13035550177")
    assert not [reason for item in world.items for reason in item.reason if reason.startswith("said_in")]


def _owners(world: Any) -> list[tuple[str | None, list[str]]]:
    with db.unit_of_work(db.EVERY) as session:
        names = {staff.id: staff.name for staff in session.query(Staff)}
    return [(names.get(item.owner_id), [each for each in item.reason if ":es" in each]) for item in world.items]


def test_words_that_their_owner_cannot_read_are_an_item_of_who_can(world: Any) -> None:
    somebody(world, "Ann", "care_manager")
    world.text("i feel odd")
    jobs.fire_timers()
    somebody(world, "Luz", "care_manager", languages=["en", "es"])
    for words in ("necesito más medicina", "me duele mucho la espalda"):
        world.text(words)
        jobs.fire_timers()
    assert _owners(world) == [("Ann", []), ("Luz", ["said_in:es", "language:es"])]


def test_words_that_nobody_here_can_read_stay_with_the_others_and_it_says_so(world: Any) -> None:
    somebody(world, "Ann", "care_manager")
    world.text("i feel odd")
    jobs.fire_timers()
    world.text("necesito más medicina")
    assert _owners(world) == [("Ann", ["said_in:es", "no_reader:es"])]
    assert "and nobody who does is on duty" in " ".join(items.reasons(world.items[0]))


def test_whoever_answered_last_does_not_get_words_that_they_cannot_read(world: Any) -> None:
    ann = somebody(world, "Ann", "care_manager")
    world.text("i feel odd")
    jobs.fire_timers()
    with db.unit_of_work(db.EVERY) as session:
        items.resolve(session, session.get_one(items.InboxItem, world.items[0].id), ann)
    somebody(world, "Luz", "care_manager", languages=["en", "es"])
    world.text("necesito más medicina")
    jobs.fire_timers()
    assert [name for name, _ in _owners(world)] == ["Ann", "Luz"]
