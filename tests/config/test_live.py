"""What open pages ask Redis: versions that change with each commit, marks that fade, and a Redis that may forget."""

import time
from collections.abc import Callable

from redis import Redis

from config import db, live, runtime
from messaging import conversations, outbox
from messaging.inbox import items
from messaging.inbox.models import Contact
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
            items.open_item(
                session, clinic, kind="reply", about="test:1", dedupe=str(number), summary="words"
            )
    bells_and_lists = bell.info("commandstats")["cmdstat_set"]["calls"] - before
    assert bells_and_lists == 30 + 1 + 1  # each item's own page, the list, the doorbell of the timers


def test_another_clinic_s_topics_are_others(bell: Redis, clinic: Clinic):
    with db.unit_of_work(clinic.id) as session:
        live.bump(session, db.new_id(), "list")
    assert versions(clinic, "list") == [""]


def test_every_kind_of_change_reaches_the_pages_that_show_it(
    bell: Redis, clinic: Clinic, new_patient: Callable[..., Patient], new_staff: Callable[..., Staff]
):
    patient, staff = new_patient(), new_staff()
    with db.unit_of_work(clinic.id) as session:
        conversation = conversations.of_number(session, clinic, "+13035550110")
        item = items.open_item(
            session,
            clinic,
            kind="reply",
            about="test:1",
            dedupe="one",
            summary="words",
            patient_id=patient.id,
        )
    talk, person, shown = f"conversation:{conversation.id}", f"patient:{patient.id}", f"inbox_item:{item.id}"

    def touched(act: Callable[..., object]) -> set[str]:
        topics = ("list", talk, person, shown, f"staff:{staff.id}")
        before = versions(clinic, *topics)
        with db.unit_of_work(clinic.id) as session:
            act(session)
        return {
            topic
            for topic, was, now in zip(topics, before, versions(clinic, *topics), strict=True)
            if was != now
        }

    def text_in(session):
        conversations.file_inbound(session, clinic, conversation, body="hi", provider_sid="SM1", reading=[])

    def text_out(session):
        outbox.text_conversation(
            session, clinic, conversation, kind="reply", programme="care_team", body="hello", dedupe="out", author_id=staff.id
        )  # fmt: skip

    def delivered(session):
        session.query(Message).filter_by(dedupe="out").one().state = "delivered"

    def taken_back(session):
        session.query(Message).filter_by(dedupe="out").one().state = "queued"
        session.flush()
        assert outbox.cancel(session, [session.query(Message.id).filter_by(dedupe="out").scalar()]) == 1

    def noted(session):
        session.add(
            Contact(clinic_id=clinic.id, key_id=patient.key_id, kind="note", patient_id=patient.id, staff_id=staff.id, words="x", at=item.created_at)
        )  # fmt: skip

    assert touched(lambda session: items.claim(session, session.get_one(type(item), item.id), staff)) == {
        "list",
        shown,
    }
    assert touched(lambda session: items.note_event(session, item, "system:test", "added")) == {"list", shown}
    assert touched(text_in) == {talk, person}
    assert touched(text_out) == {talk, person}
    assert touched(delivered) == {talk, person}
    assert touched(taken_back) == {talk, person}
    assert touched(noted) == {person}
    assert touched(lambda session: setattr(session.get_one(Staff, staff.id), "active", False)) == {
        f"staff:{staff.id}"
    }
    assert touched(lambda session: session.get_one(Patient, patient.id)) == set()


def test_marks_are_seen_until_they_fade(bell: Redis, clinic: Clinic):
    live.look(clinic.id, ["list"], {"short": 0.05, "long": 5.0})
    seen = live.look(clinic.id, ["list"], {})
    assert seen is not None
    assert seen.marks == ["long", "short"]
    time.sleep(0.06)
    seen = live.look(clinic.id, ["list"], {"another": 5.0})
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
    runtime.forget("live.pause")
    assert live.look(clinic.id, ["list"], {}) is None
    began = time.monotonic()
    for _ in range(200):
        assert live.look(clinic.id, ["list"], {"mark": 5.0}) is None
        with db.unit_of_work(clinic.id, read_only=True) as session:
            live.bump(session, clinic.id, "list")
    assert time.monotonic() - began < 2
