"""Whoever wants texts to say less is heard for those already written: what has not left is written anew."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.models import Message, Patient
from reminders import withdrawing
from reminders.models import Appointment
from tests.reminders.conftest import NOW, World, plan_of, texts_to, why_of
from tests.reminders.sending.test_composing import DAY_BEFORE, VISIT, drain

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def choose(world: World, patient: Patient, level: Any) -> bool:
    with db.unit_of_work(world.clinic.id) as session:
        mine = session.get_one(Patient, patient.id)
        return withdrawing.set_privacy(session, world.clinic, mine, level, actor="patient:1", source="own")


def states(patient: Patient) -> dict[str, list[str]]:
    """The states of a patient's texts by what they say."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        found: dict[str, list[str]] = {}
        for text in session.scalars(select(Message).where(Message.patient_id == patient.id)):
            found.setdefault(text.state, []).append(text.body or "")
        return found


def waiting(world: World) -> tuple[Patient, Appointment]:
    """A patient whose reminder of tomorrow is written and waits for the carrier."""
    patient = world.patient(birth_date=None)
    visit = world.visit(patient, VISIT)
    drain(DAY_BEFORE)
    return patient, visit


@BOTH
def test_a_text_that_says_too_much_is_taken_back_and_said_with_less(world: World) -> None:
    patient, visit = waiting(world)
    [first] = texts_to(patient)
    assert "10:00 AM" in first
    assert choose(world, patient, "generic")
    assert states(patient) == {"cancelled": [first]}
    drain(DAY_BEFORE + timedelta(minutes=1))
    found = states(patient)
    assert found["cancelled"] == [first]
    [second] = found["queued"]
    assert "10:00 AM" not in second
    drain(DAY_BEFORE + timedelta(minutes=2))
    assert states(patient) == found
    day = plan_of(visit)["24h"]
    assert day.state == "queued"
    assert any("wants texts to say less" in why for why in why_of(day))


@pytest.mark.parametrize("level", ["place", "details"])
def test_the_same_or_more_leaves_what_is_written(world: World, level: str) -> None:
    patient, _ = waiting(world)
    choose(world, patient, level)
    assert list(states(patient)) == ["queued"]


@pytest.mark.parametrize("state", ["sending", "sent", "delivered"])
def test_what_has_left_is_not_said_twice(world: World, state: str) -> None:
    patient, _ = waiting(world)
    with db.unit_of_work(world.clinic.id) as session:
        for text in session.scalars(select(Message)):
            text.state = state
    choose(world, patient, "generic")
    drain(DAY_BEFORE + timedelta(minutes=1))
    assert list(states(patient)) == [state]


def test_one_text_about_two_visits_is_said_once_more_for_both(world: World) -> None:
    patient = world.patient(birth_date=None)
    visits = [world.visit(patient, VISIT + timedelta(hours=each), external_id=f"v{each}") for each in (0, 2)]
    drain(DAY_BEFORE)
    assert len(texts_to(patient)) == 1
    choose(world, patient, "generic")
    drain(DAY_BEFORE + timedelta(minutes=1))
    assert {state: len(texts) for state, texts in states(patient).items()} == {"cancelled": 1, "queued": 1}
    assert {plan_of(visit)["24h"].state for visit in visits} == {"queued"}
