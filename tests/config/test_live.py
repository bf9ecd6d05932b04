"""What open pages ask Redis: versions that change with each commit, marks that fade, and a Redis that may forget."""

import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db, live, runtime
from messaging import conversations, outbox
from messaging.inbox import items
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Clinic, Message, Patient, Staff


def versions(clinic: Clinic, *topics: str) -> list[str]:
    seen = live.look(clinic.id, topics, {})
    assert seen is not None
    return seen.versions


def test_a_version_is_another_after_each_commit_and_only_then(bell: Redis, clinic: Clinic):
    first = versions(clinic, "list")
    assert versions(clinic, "list") == first
    with db.unit_of_work(clinic.id) as session:
        live.bump(session, clinic.id, "list")
        assert versions(clinic, "list") == first
    second = versions(clinic, "list")
    assert second not in (first, [""])
    with db.unit_of_work(clinic.id) as session:
        live.bump(session, clinic.id, "list")
    assert versions(clinic, "list") not in (first, second)


def test_what_was_rolled_back_is_no_news(bell: Redis, clinic: Clinic):
    try:
        with db.unit_of_work(clinic.id) as session:
            live.bump(session, clinic.id, "list")
            raise RuntimeError
    except RuntimeError:
        pass
    assert versions(clinic, "list") == [""]


def test_one_commit_tells_once_however_much_it_wrote(bell: Redis, clinic: Clinic, new_staff):
    new_staff()
    before = bell.info("commandstats").get("cmdstat_set", {}).get("calls", 0)
    with db.unit_of_work(clinic.id) as session:
        for number in range(30):
            items.open_item(session, clinic, kind="reply", about="test:1", dedupe=str(number), summary="words")
    bells_and_lists = bell.info("commandstats")["cmdstat_set"]["calls"] - before
    assert bells_and_lists == 30 + 1 + 1  # each item's own page, the list, the doorbell of the timers


def test_another_clinic_s_topics_are_others(bell: Redis, clinic: Clinic):
    with db.unit_of_work(clinic.id) as session:
        live.bump(session, db.new_id(), "list")
    assert versions(clinic, "list") == [""]


@pytest.fixture
def world(bell: Redis, clinic: Clinic, new_patient: Callable[..., Patient], new_staff: Callable[..., Staff]):
    """A patient, a colleague, a conversation and an item; `touched(act)` returns which of their topics `act` stirs."""
    patient, staff = new_patient(), new_staff()
    with db.unit_of_work(clinic.id) as session:
        talk = conversations.of_number(session, clinic, "+13035550110")
        item = items.open_item(
            session, clinic, kind="reply", about="test:1", dedupe="one", summary="x", patient_id=patient.id
        )
    topics = {
        "list": "list",
        "talk": f"conversation:{talk.id}",
        "patient": f"patient:{patient.id}",
        "item": f"inbox_item:{item.id}",
        "staff": f"staff:{staff.id}",
    }

    def touched(act: Callable[[Session], object]) -> set[str]:
        before = versions(clinic, *topics.values())
        with db.unit_of_work(clinic.id) as session:
            act(session)
        after = versions(clinic, *topics.values())
        return {name for name, was, now in zip(topics, before, after, strict=True) if was != now}

    return SimpleNamespace(clinic=clinic, patient=patient, staff=staff, talk=talk, item=item, touched=touched)


def test_what_is_done_to_an_item_stirs_the_lists_and_its_page(world: Any):
    def claimed(session: Session) -> None:
        items.claim(session, session.get_one(InboxItem, world.item.id), world.staff)

    assert world.touched(claimed) == {"list", "item"}
    assert world.touched(lambda session: items.note_event(session, world.item, "system:test", "added")) == {
        "list",
        "item",
    }


def test_a_text_and_what_becomes_of_it_stir_the_conversation_and_no_list(world: Any):
    def came(session: Session) -> None:
        conversations.file_inbound(session, world.clinic, world.talk, body="hi", provider_sid="S", reading=[])

    def went(session: Session) -> None:
        text = {"kind": "reply", "programme": "care_team", "body": "hello", "dedupe": "out"}
        outbox.text_conversation(session, world.clinic, world.talk, author_id=world.staff.id, **text)

    def became(state: str) -> Callable[[Session], None]:
        return lambda session: setattr(session.query(Message).filter_by(dedupe="out").one(), "state", state)

    def taken_back(session: Session) -> None:
        assert outbox.cancel(session, session.scalars(select(Message.id).filter_by(dedupe="out"))) == 1

    for act in (came, went, became("delivered"), became("queued")):
        assert world.touched(act) == {"talk", "patient"}
    assert world.touched(taken_back) == {"talk"}


def test_a_note_stirs_the_pages_it_stands_on_and_a_role_its_holder(world: Any):
    def noted(session: Session) -> None:
        about = {"patient_id": world.patient.id, "staff_id": world.staff.id, "at": world.item.created_at}
        session.add(Contact(clinic_id=world.clinic.id, key_id=world.patient.key_id, kind="note", words="x", **about))

    def moved(session: Session) -> None:
        session.get_one(Staff, world.staff.id).role = "front_desk"

    assert world.touched(noted) == {"patient"}
    assert world.touched(moved) == {"staff"}
    assert world.touched(lambda session: session.get_one(Patient, world.patient.id)) == set()


def test_marks_are_seen_until_they_fade(bell: Redis, clinic: Clinic):
    live.look(clinic.id, ["list"], {"short": 60.0, "long": 600.0})
    seen = live.look(clinic.id, ["list"], {})
    assert seen is not None
    assert seen.marks == ["long", "short"]
    with time_machine.travel(clock.now() + timedelta(seconds=61), tick=False):
        seen = live.look(clinic.id, ["list"], {"another": 60.0})
    assert seen is not None
    assert seen.marks == ["another", "long"]
    (key,) = bell.keys("warmthread:here:*")
    assert bell.zcard(key) == 2  # what has faded is swept out


def test_a_redis_that_lost_everything_says_something_else_than_before(bell: Redis, clinic: Clinic):
    with db.unit_of_work(clinic.id) as session:
        live.bump(session, clinic.id, "list")
    before = versions(clinic, "list")
    bell.flushall()
    assert versions(clinic, "list") != before
    with db.unit_of_work(clinic.id) as session:
        live.bump(session, clinic.id, "list")
    assert versions(clinic, "list") != before


def test_a_silent_redis_says_nothing_loses_nothing_and_is_left_alone_for_a_while(house, clinic: Clinic):
    runtime.forget("queue.silence")
    assert live.look(clinic.id, ["list"], {}) is None
    began = time.monotonic()
    for _ in range(200):
        assert live.look(clinic.id, ["list"], {"mark": 5.0}) is None
        with db.unit_of_work(clinic.id, read_only=True) as session:
            live.bump(session, clinic.id, "list")
    assert time.monotonic() - began < 60  # asked each time, 400 questions would take a hundred seconds
