"""If the clinic wants it, a patient is told by when a person reads their text: once an hour, and never as if read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from config import db
from messaging import conversations, outbox
from messaging.models import Clinic
from messaging.people import directory
from tests.webhooks.test_handle_text import _visit as visit

PATIENT = "+13035550101"
NOON = datetime(2027, 3, 2, 19, 2, tzinfo=UTC)  # a Tuesday, 12:02 in Denver
NIGHT = datetime(2027, 3, 3, 4, 0, tzinfo=UTC)  # 21:00
WEEK = {day: ["08:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture(autouse=True)
def _asked(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        hours = {"zone": "America/Denver", "week": WEEK, "holidays": []}
        clinic.rules = {**clinic.rules, "acknowledges": True, "hours": hours}


def text(world: Any, words: str, at: datetime = NOON, **more: str) -> list[str]:
    """What was sent by itself after a text."""
    before = len(world.outbound)
    with time_machine.travel(at, tick=False):
        world.text(words, **more)
    return [message.body for message in world.outbound[before:]]


def test_a_patient_is_told_by_when_a_person_reads_it(world: Any) -> None:
    assert text(world, "who is this about") == [
        "We have your text. A person will read it today by 4:15 PM. Emergency: call 911. Crisis: call or text 988."
    ]


def test_after_hours_the_text_is_another_and_names_the_next_day(world: Any) -> None:
    (body,) = text(world, "who is this about", NIGHT)
    assert "We are closed now; a person will read it tomorrow by 12:00 PM." in body


def test_it_speaks_the_patient_s_language(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        world.add_patient(session, "1", PATIENT, "Ana", "es")
    (body,) = text(world, "una pregunta")
    assert body.startswith("Tenemos su texto. Una persona lo va a leer hoy antes de las 4:15 pm.")


def test_it_says_nothing_of_anybody(world: Any) -> None:
    (body,) = text(world, "who is this about")
    assert "Ana" not in body
    assert "Elm Clinic" not in body


def test_it_comes_once_an_hour(world: Any) -> None:
    assert len(text(world, "who is this about")) == 1
    assert text(world, "hello?", NOON + timedelta(minutes=59)) == []
    assert len(text(world, "hello??", NOON + timedelta(minutes=61))) == 1


def test_off_it_says_nothing(world: Any) -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, "acknowledges": False}
    assert text(world, "who is this about") == []


def test_never_after_a_crisis_which_has_its_own_answer(world: Any) -> None:
    (crisis,) = text(world, "I want to die")
    assert "Our team has been notified" in crisis
    assert text(world, "and another thing", NOON + timedelta(hours=2)) == []


def test_never_to_who_has_stopped(world: Any) -> None:
    text(world, "STOP", OptOutType="STOP")
    assert text(world, "who is this about", NOON + timedelta(hours=2)) == []


def test_never_beside_another_automatic_text(world: Any) -> None:
    visit(world)
    assert len(text(world, "Y thanks, and another thing")) == 1


def test_never_while_a_colleague_is_writing_with_them(world: Any) -> None:
    with time_machine.travel(NOON, tick=False), db.unit_of_work(db.EVERY) as session:
        kim = directory.add_staff(session, world.clinic, name="Kim", email="kim@clinic.example")
        conversation = conversations.of_number(session, world.clinic, PATIENT)
        outbox.text_conversation(
            session,
            world.clinic,
            conversation,
            kind="reply",
            programme="care_team",
            body="hi",
            dedupe="x",
            author_id=kim.id,
        )
    assert text(world, "who is this about", NOON + timedelta(minutes=5)) == []


def test_a_number_of_nobody_has_its_own_answer(world: Any) -> None:
    (body,) = text(world, "hello", From="+13035550199")
    assert "We do not know this number" in body
