"""Rows written many at once say exactly what they were given, whatever stands in a sentence, on both databases."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from config import db
from reminders import planned_rows
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import NOW, World

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
LATER = NOW + timedelta(hours=1, microseconds=3)
ODD = ['say "no", {now}\\ NULL', "ñ … \n\t\\", "it's %s :x", "", "null", "{}"]


def visit(world: World) -> Appointment:
    """A visit whose own reminders are out of the way."""
    found = world.visit(world.patient(), NOW + timedelta(days=9))
    with db.unit_of_work(world.clinic.id) as session:
        for row in session.scalars(select(Reminder)):
            session.delete(row)
    return found


def row(of: Appointment, step: str, state: str, due_at: datetime | None, why: list[str]) -> planned_rows.Fresh:
    planned = planned_rows.Planned(state, due_at, due_at or NOW, why)
    return planned_rows.Fresh(of.clinic_id, of.id, step, 1, planned)


def stored(world: World) -> dict[str, tuple[UUID, str, datetime | None, datetime, list[str]]]:
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        return {
            reminder.step: (reminder.id, reminder.state, reminder.due_at, reminder.try_after, reminder.why)
            for reminder in session.scalars(select(Reminder))
        }


@BOTH
def test_what_is_written_and_moved_is_what_was_given(world: World) -> None:
    there = visit(world)
    with db.unit_of_work(world.clinic.id) as session:
        planned_rows.write(session, [row(there, "null", "planned", NOW, ODD), row(there, 'a "b"', "dropped", None, [])])
    known = stored(world)
    assert known["null"][1:] == ("planned", NOW, NOW, ODD)
    assert known['a "b"'][1:] == ("dropped", None, NOW, [])
    moved = {"state": "dropped", "due_at": None, "try_after": LATER, "why": ["x"]}
    with db.unit_of_work(world.clinic.id) as session:
        held = session.get_one(Reminder, known["null"][0])
        planned_rows.move(session, [{"id": held.id, **moved}])
        assert (held.state, held.due_at, held.why) == ("dropped", None, ["x"])
    assert stored(world)["null"][1:] == ("dropped", None, LATER, ["x"])


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_what_was_queued_meanwhile_stays_queued(world: World) -> None:
    there = visit(world)
    with db.unit_of_work(world.clinic.id) as session:
        planned_rows.write(session, [row(there, "24h", "queued", NOW, [])])
    (known,) = stored(world).values()
    moved = {"id": known[0], "state": "planned", "due_at": LATER, "try_after": LATER, "why": []}
    with db.unit_of_work(world.clinic.id) as session:
        planned_rows.move(session, [moved])
    assert stored(world)["24h"] == known
