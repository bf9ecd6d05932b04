"""A changed cadence reaches every coming visit:
in batches, after what is urgent, and from where a killed worker stood."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import aside, clock, db, settings
from messaging.inbox import items
from messaging.models import Clinic
from messaging.versions import publishing as versions
from reminders import replanning
from reminders.cadence import cadence_definition
from reminders.cadence_decision import CADENCE, plan_again
from reminders.models import Appointment, Reminder, Replanning
from service import child_settings
from tests.reminders.conftest import World, states_of
from tests.waiting import PATIENCE

# Dies as kill -9 makes a worker die: in its second batch, with the visits planned and nothing committed.
DIES = """
import os, signal
from service import start
start.begin("test")
from reminders import planner, replanning
replanning.BATCH = 2
plan, batches = planner.plan_many, []
def plan_and_die(session, visits):
    plan(session, visits)
    batches.append(1)
    if len(batches) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
planner.plan_many = plan_and_die
replanning.drain()
"""


@pytest.fixture
def visits(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Appointment]:
    """Five coming visits, planned by the cadence every clinic begins with."""
    monkeypatch.setattr(replanning, "BATCH", 2)
    now = clock.now()
    facts = {"booked_at": now - timedelta(days=20)}
    return [world.visit(world.patient(), now + timedelta(days=9 + day), **facts) for day in range(5)]


def publish(clinic: Clinic, *lengths: str) -> Replanning:
    steps = [{"name": length.replace(" ", "_"), "before": length, "text": "reminder_far"} for length in lengths]
    definition = cadence_definition.from_mapping({"steps": steps}).model_dump(mode="json")
    with db.unit_of_work(clinic.id) as session:
        there = session.merge(clinic)
        draft = versions.save(session, there, CADENCE, definition, edit=0, actor="operator:test")
        versions.publish(session, there, CADENCE, edit=draft.edit, actor="operator:test")
    return latest(clinic)


def latest(clinic: Clinic) -> Replanning:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        row = replanning.latest(session, clinic.id)
    assert row is not None
    return row


def steps(visits: list[Appointment]) -> list[dict[str, str]]:
    return [{step: state for step, state in states_of(visit).items() if state == "planned"} for visit in visits]


def test_publishing_plans_every_coming_visit_again_batch_by_batch(world: World, visits: Any) -> None:
    row = publish(world.clinic, "2 days")
    assert (row.state, row.done, row.total) == ("waiting", 0, 5)
    assert steps(visits) == [{"72h": "planned", "24h": "planned", "2h": "planned"}] * 5
    assert replanning.drain() == 3
    row = latest(world.clinic)
    assert (row.state, row.done, row.total) == ("done", 5, 5)
    assert steps(visits) == [{"2_days": "planned"}] * 5


def test_a_worker_killed_in_the_middle_of_a_batch_loses_that_batch_and_no_more(
    world: World, visits: Any, house: settings.Settings
) -> None:
    publish(world.clinic, "2 days")
    db.engine().dispose()
    root = Path(__file__).parents[2]
    child = subprocess.run(
        [sys.executable, "-c", DIES],
        env=child_settings.environment(house, ""),
        cwd=root,
        timeout=PATIENCE,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    row = latest(world.clinic)
    assert (row.state, row.done) == ("waiting", 2)
    assert steps(visits)[1:3] == [
        {"2_days": "planned"},
        {"72h": "planned", "24h": "planned", "2h": "planned"},
    ]
    assert replanning.drain() == 0, "its lease still runs"
    with time_machine.travel(clock.now() + timedelta(seconds=16), tick=True):
        replanning.drain()
    row = latest(world.clinic)
    assert (row.state, row.done) == ("done", 5)
    assert steps(visits) == [{"2_days": "planned"}] * 5
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.execute(select(Reminder.appointment_id, Reminder.step, Reminder.revision)).all()
    assert len(rows) == len(set(rows)) == 5 * 4


def test_a_later_edition_overtakes_what_an_earlier_one_began(world: World, visits: Any) -> None:
    first = publish(world.clinic, "2 days")
    publish(world.clinic, "4 days")
    replanning.drain()
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        assert session.get_one(Replanning, first.id).state == "overtaken"
    assert steps(visits) == [{"4_days": "planned"}] * 5


def test_the_operator_who_waits_sees_how_far_it_is_and_the_lane_has_nothing_left(world: World, visits: Any) -> None:
    publish(world.clinic, "2 days")
    seen: list[tuple[int, int]] = []
    assert plan_again(world.clinic.id, lambda done, total: seen.append((done, total))) == 5
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert replanning.drain() == 0
    assert plan_again(world.clinic.id) == 5, "asked again, it plans again"


def test_what_is_urgent_goes_first_but_not_for_ever(world: World, visits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(aside.time, "sleep", waits.append)
    publish(world.clinic, "2 days")
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.merge(world.clinic)
        items.open_item(session, clinic, kind="safety", about="test:1", dedupe="one", summary="words")
    replanning.drain()
    assert len(waits) >= aside.STEPS
    assert latest(world.clinic).state == "done"
