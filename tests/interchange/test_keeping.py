"""What several senders transmit at one moment is committed together: each is kept, and none falls for another."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from config import db
from interchange import feeds, keeping, sources
from interchange.feeds import Row, Said
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic
from tests.waiting import until

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def own(house: Any, clinic: Clinic) -> feeds.Whose:
    with db.unit_of_work(clinic.id) as session:
        there = session.get_one(Clinic, clinic.id)
        sources.add(session, there, "books", {}, "system:test")
        session.flush()
        return feeds.whose(session, session.scalars(select(Feed)).one(), there)


def row(own: feeds.Whose, words: str) -> Row:
    return feeds.row_of(own, Said(words, "BOOKS|ELM", words, "SIU^S12"), [])


def kept() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(FeedMessage).order_by(FeedMessage.id)).all()
        db.load_keys(session, {each.key_id for each in rows})
        return sorted(each.raw or "" for each in rows)


def at_once(own: feeds.Whose, rows: list[Row]) -> list[BaseException]:
    """Each row is brought by a sender of its own while the turn is somebody else's."""
    failed: list[BaseException] = []

    def bring(brought: Row) -> None:
        try:
            keeping.commit(own.clinic_id, [brought])
        except BaseException as error:  # noqa: BLE001 - it is looked at below
            failed.append(error)

    turns = keeping.turns()
    with turns.turn:
        senders = [threading.Thread(target=bring, args=(each,)) for each in rows]
        for sender in senders:
            sender.start()
        until(lambda: len(turns.waiting) == len(rows))
    for sender in senders:
        sender.join()
    return failed


@BOTH
def test_what_comes_at_one_moment_is_all_kept(house: Any, clinic: Clinic, own: feeds.Whose) -> None:
    assert at_once(own, [row(own, f"message {place}") for place in range(8)]) == []
    assert kept() == [f"message {place}" for place in range(8)]


@BOTH
def test_a_row_that_cannot_be_kept_is_its_sender_s_alone(house: Any, clinic: Clinic, own: feeds.Whose) -> None:
    bad = row(replace(own, feed_id=db.new_id()), "of no feed")
    failed = at_once(own, [row(own, "first"), bad, row(own, "second")])
    assert [type(error) for error in failed] == [IntegrityError]
    assert kept() == ["first", "second"]


def test_the_same_words_twice_at_one_moment_are_kept_once(clinic: Clinic, own: feeds.Whose) -> None:
    assert at_once(own, [row(own, "same"), row(own, "same")]) == []
    assert kept() == ["same"]


def test_whoever_s_turn_is_ended_in_the_middle_of_it_tells_nobody_that_they_were_kept(
    house: Any, clinic: Clinic, own: feeds.Whose, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(feeds, "insert", ended)
    failed = at_once(own, [row(own, f"message {place}") for place in range(3)])
    assert sorted(type(each).__name__ for each in failed) == ["InterruptedError", "InterruptedError", "SystemExit"]
    assert kept() == []
