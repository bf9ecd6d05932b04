"""What a patient writes on the way to a colleague: whoever comes hears of it and reads it in minutes."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient, Staff
from messaging.people import directory
from reminders import handoff_steps, handoffs
from reminders.models import Appointment, Handoff
from tests.webhooks.test_handle_text import _visit

PHONES = {"Cleo": "+17205550177", "Doctor": "+17205550178"}


def expected(world: Any) -> Handoff:
    """A handoff that Doctor has asked for, to which Cleo comes, and of which the patient has been told."""
    with db.unit_of_work(db.EVERY) as session:
        clinic, patient = session.scalars(select(Clinic)).one(), session.scalars(select(Patient)).one()
        cleo, doctor = (
            directory.add_staff(session, clinic, name=name, email=f"{name}@clinic.example", number=number)
            for name, number in PHONES.items()
        )
        handoff = handoffs.request(session, clinic, patient, requested_by=f"staff:{doctor.id}", place="Room 4")
        handoffs.accept(session, handoff, cleo)
        assert handoff.state == "told"
    return handoff


def told(world: Any, name: str) -> list[str]:
    """What a colleague has been texted."""
    with db.unit_of_work(db.EVERY) as session:
        staff = session.scalars(select(Staff).where(Staff.name == name)).one()
        return [text.body or "" for text in session.scalars(select(Message).where(Message.staff_id == staff.id))]


def waiting(world: Any) -> InboxItem:
    """The one item of words that nobody has dealt with."""
    with db.unit_of_work(db.EVERY) as session:
        return session.scalars(select(InboxItem).where(InboxItem.kind == "reply", InboxItem.state != "done")).one()


@pytest.mark.parametrize("words", ["I can't right now, I have to get back to work", "R", "no", "Y", "running late"])
def test_whatever_they_write_whoever_comes_hears_of_it_and_reads_it_in_minutes(world: Any, words: str) -> None:
    handoff = expected(world)
    world.text(words)
    item = waiting(world)
    assert words in (item.summary or "")
    assert item.answer_by <= clock.now() + timedelta(minutes=5)
    assert item.owner_id == handoff.colleague_id
    assert sum("has written" in text for text in told(world, "Cleo")) == 1
    assert sum("has written" in text for text in told(world, "Doctor")) == 1
    world.text("sorry")
    assert sum("has written" in text for text in told(world, "Cleo")) == 1


@pytest.mark.parametrize("words", ["R", "Y"])
def test_an_answer_to_the_handoff_is_no_answer_of_a_visit(world: Any, words: str) -> None:
    _visit(world)
    expected(world)
    world.text(words)
    assert world.rows(Appointment)[0].state == "booked"


def test_words_that_waited_for_hours_wait_for_minutes_once_somebody_is_on_their_way(world: Any) -> None:
    world.text("is there parking by the clinic")
    assert waiting(world).answer_by > clock.now() + timedelta(minutes=30)
    expected(world)
    world.text("no")
    assert waiting(world).answer_by <= clock.now() + timedelta(minutes=5)


def test_who_has_written_is_not_told_to_take_their_time(world: Any) -> None:
    handoff = expected(world)
    world.text("I can't come today")
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(Handoff, handoff.id)
        row.try_after = row.state_at = row.start_at = clock.now() - timedelta(minutes=11)
    handoff_steps.drain()
    assert not any("take your time" in (text.body or "") for text in world.outbound)
    assert any("not there yet" in text for text in told(world, "Cleo"))


def test_words_of_a_crisis_are_heard_by_whoever_comes_too(world: Any) -> None:
    expected(world)
    world.text("I want to kill myself")
    assert any("has written" in text for text in told(world, "Cleo"))


@pytest.mark.parametrize("words", ["ok thanks", "HERE"])
def test_thanks_and_here_ask_nobody_to_read(world: Any, words: str) -> None:
    expected(world)
    world.text(words)
    assert not any("has written" in text for text in told(world, "Cleo"))


def test_where_nobody_has_said_yes_words_are_any_words(world: Any) -> None:
    handoff = expected(world)
    _end(handoff.id)
    world.text("see you on Monday")
    assert waiting(world).answer_by > clock.now() + timedelta(minutes=5)


def _end(handoff_id: UUID) -> None:
    with db.unit_of_work(db.EVERY) as session:
        handoffs.end(session, session.get_one(Handoff, handoff_id), "operator", "met")
