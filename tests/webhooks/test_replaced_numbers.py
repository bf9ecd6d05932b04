"""Only the number that was asked is answered by itself:
another one the patient once gave may be a stranger's by now."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from config import db
from messaging import outbox
from messaging.consent import ledger
from messaging.models import PatientNumber
from messaging.people import directory
from reminders.models import Appointment, Reminder
from tests.webhooks.test_handle_text import _visit

OLD, NEW = "+13035550101", "+13035550161"


def _replace(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        world.add_patient(session, "1", NEW, "Ana")


def _remind(world: Any) -> None:
    """Send the reminder of the only visit to the number that is texted now."""
    with db.unit_of_work(db.EVERY) as session:
        patient = directory.find_by_record(session, world.clinic, "1")
        text = outbox.text_patient(
            session, world.clinic, patient, kind="reminder", programme="reminders", body="Coming?",
            dedupe=f"asked:{datetime.now(UTC).timestamp()}",
        )  # fmt: skip
        session.flush()
        for row in session.scalars(select(Reminder)):
            row.state, row.message_id = "done", text.id


@pytest.mark.parametrize("words", ["ok", "Y", "R", "I'm here", "running late", "wrong number", "sí"])
def test_a_number_that_was_replaced_confirms_nothing_and_learns_nothing(world: Any, words: str) -> None:
    _visit(world, days=0 if words in ("I'm here", "running late") else 2)
    _replace(world)
    _remind(world)
    before = len(world.outbound)
    world.text(words, From=OLD)
    assert world.rows(Appointment)[0].state == "booked"
    assert len(world.outbound) == before
    assert [item.kind for item in world.items] == ["reply"]
    assert {number.line for number in world.rows(PatientNumber)} == {"unknown"}


def test_the_number_that_was_asked_is_answered(world: Any) -> None:
    _visit(world)
    _replace(world)
    _remind(world)
    world.text("Y", From=NEW)
    assert world.rows(Appointment)[0].state == "confirmed"
    assert "Ana" in world.outbound[-1].body


def test_a_number_that_was_asked_before_it_was_replaced_may_answer(world: Any) -> None:
    _visit(world)
    _remind(world)
    _replace(world)
    world.text("Y", From=OLD)
    assert world.rows(Appointment)[0].state == "confirmed"


def test_but_not_once_the_new_one_has_been_asked(world: Any) -> None:
    _visit(world)
    _remind(world)
    _replace(world)
    _remind(world)
    world.text("Y", From=OLD)
    assert world.rows(Appointment)[0].state == "booked"
    assert [item.kind for item in world.items] == ["reply"]


def test_a_stop_and_a_crisis_of_a_replaced_number_are_heard_as_always(world: Any) -> None:
    _visit(world)
    _replace(world)
    _remind(world)
    world.text("I want to die", From=OLD)
    assert [item.kind for item in world.items] == ["safety"]
    world.text("STOP", From=OLD)
    with db.unit_of_work(db.EVERY) as session:
        assert set(ledger.state(session, world.clinic, OLD).values()) == {"revoked"}
        assert set(ledger.state(session, world.clinic, NEW).values()) == {"granted"}


@pytest.mark.parametrize("words", ["Y. STOP", "yes please stop", "sí, pare", "ok stop", "STOP. Yes"])
def test_a_yes_with_a_stop_does_both_and_says_only_that_texts_end(world: Any, words: str) -> None:
    _visit(world)
    world.text(words)
    assert world.rows(Appointment)[0].state == "confirmed"
    with db.unit_of_work(db.EVERY) as session:
        assert set(ledger.state(session, world.clinic, OLD).values()) == {"revoked"}
    assert [message.kind for message in world.outbound] == ["stopped"]
    assert world.items == []


def test_a_no_with_a_stop_ends_texts_and_a_human_hears_of_the_visit(world: Any) -> None:
    _visit(world)
    world.text("No. STOP")
    assert world.rows(Appointment)[0].state == "change_asked"
    assert [item.kind for item in world.items] == ["reply"]
    assert [message.kind for message in world.outbound] == ["stopped"]
