"""One moment is one visit to the patient, under however many ids the clinic's books have it."""

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select

from config import db
from reminders import appointments
from reminders.imports import csv_import
from reminders.models import Appointment
from tests.reminders.conftest import NOW, World, states_of, texts_to
from tests.reminders.sending.test_dispatch import FAR, drain, items_of, publish
from tests.reminders.test_replies import DAY_BEFORE, VISIT, Phone, phone, remind  # noqa: F401

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
DAY = {"name": "day", "before": "1 day", "text": "reminder_day"}


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def hand_in(world: World, tmp_path: Path, *rows: str, more: str = "") -> None:
    """Import these visits of the patient with the record number M1, as the command does."""
    path = tmp_path / "visits.csv"
    path.write_text("visit,patient,starts_at,zone,booked_at,place,clinician" + more + "\n" + "\n".join(rows) + "\n")
    assert csv_import.import_file("appointments", world.clinic.id, path).failed == 0


def row(name: str, rest: str = "Suite 2,Dr A", at: str = "2026-03-10T10:00,America/Denver") -> str:
    return f"{name},M1,{at},2026-02-01T00:00,{rest}"


def states(world: World) -> dict[str, str]:
    with db.unit_of_work(world.clinic.id) as session:
        return {visit.external_id: visit.state for visit in session.scalars(select(Appointment))}


@BOTH
@pytest.mark.parametrize(
    "twin",
    [
        row("R2", "Suite 2,Room 4"),
        row("R2", "Suite 9,Dr B"),
        row("R2", "Suite 2,Dr A", "2026-03-10T12:00,America/New_York"),
        row("R2", ",", "2026-03-10T16:00Z,"),
    ],
)
def test_a_visit_under_two_ids_is_said_once_and_with_no_codes(world: World, tmp_path: Path, twin: str) -> None:
    publish(world, DAY)
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R1"), twin)
    drain(DAY_BEFORE)
    [body] = texts_to(patient)
    assert body.count("10:00 AM") == 1
    assert "1)" not in body


def test_it_is_said_once_also_where_each_visit_has_its_text(world: World, tmp_path: Path) -> None:
    publish(world, DAY, combine_day=False)
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R1"), row("R2"), row("R3", at="2026-03-10T15:00,America/Denver"))
    drain(DAY_BEFORE)
    drain(DAY_BEFORE + timedelta(hours=5))
    bodies = texts_to(patient)
    assert len(bodies) == 2
    assert "1) Tue, Mar 10 10:00 AM, 2) Tue, Mar 10 3:00 PM" in bodies[-1]


def test_beside_another_visit_the_two_have_one_code(phone: Phone) -> None:  # noqa: F811
    publish(phone.world, DAY)
    first, second = phone.visit(), phone.visit()
    other = phone.visit(VISIT + timedelta(hours=5))
    remind()
    [body] = texts_to(phone.patient)
    assert "1) Tue, Mar 10 10:00 AM, 2) Tue, Mar 10 3:00 PM" in body
    assert phone.answers("Y1").reply_key == "confirmed"
    assert states(phone.world) == {first.external_id: "confirmed", second.external_id: "confirmed"} | {
        other.external_id: "booked"
    }
    assert phone.answers("Y2", DAY_BEFORE + timedelta(minutes=5)).reply_key == "confirmed"


@pytest.mark.parametrize(
    ("text", "at", "state"),
    [
        ("Y", DAY_BEFORE, "confirmed"),
        ("I need to reschedule", DAY_BEFORE, "change_asked"),
        ("I am here", VISIT, "arrived"),
    ],
)
def test_an_answer_holds_for_both(phone: Phone, text: str, at: object, state: str) -> None:  # noqa: F811
    publish(phone.world, DAY)
    first, second = phone.visit(), phone.visit()
    remind()
    assert phone.answers(text, at).handled  # type: ignore[arg-type]
    assert set(states(phone.world).values()) == {state}
    assert "planned" not in {*states_of(first).values(), *states_of(second).values()}


def test_a_visit_that_comes_again_under_another_id_is_confirmed_already(world: World, tmp_path: Path) -> None:
    publish(world, {"name": "far", "before": "3 days", "text": "reminder_far"}, DAY)
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R4"))
    remind(FAR)
    with db.unit_of_work(world.clinic.id) as session:
        appointments.confirm(session, session.scalars(select(Appointment)).one(), "patient:x")
    with time_machine.travel(VISIT - timedelta(days=2), tick=False):
        hand_in(world, tmp_path, row("R9"))
    assert states(world) == {"R4": "confirmed", "R9": "confirmed"}
    drain(DAY_BEFORE)
    assert len(texts_to(patient)) == 1


def test_a_moment_told_already_is_not_told_again_under_its_new_id(world: World, tmp_path: Path) -> None:
    publish(world, DAY)
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R4"))
    drain(DAY_BEFORE)
    with time_machine.travel(DAY_BEFORE + timedelta(minutes=10), tick=False):
        hand_in(world, tmp_path, row("R9"))
    drain(DAY_BEFORE + timedelta(minutes=11))
    assert len(texts_to(patient)) == 1


def test_nobody_is_asked_to_call_twice_about_one_moment(world: World, tmp_path: Path) -> None:
    publish(world, DAY)
    patient = world.patient(record="M1", number=None)
    hand_in(world, tmp_path, row("R1"), row("R2"))
    drain(DAY_BEFORE)
    assert len(items_of(patient)) == 1


@BOTH
@pytest.mark.parametrize("before", ["1 day", "23 hours"])
def test_two_ids_whose_kinds_call_their_steps_otherwise_are_one_text(world: World, tmp_path: Path, before: str) -> None:
    publish(world, DAY, kinds={"Group": [{"name": "group_day", "before": before, "text": "reminder_day"}]})
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R1") + ",", row("R2") + ",Group", more=",kind")
    drain(DAY_BEFORE)
    drain(DAY_BEFORE + timedelta(hours=2))
    [body] = texts_to(patient)
    assert body.count("10:00 AM") == 1


def test_steps_far_apart_of_two_ids_are_two_texts(world: World, tmp_path: Path) -> None:
    publish(world, DAY, kinds={"Group": [{"name": "far", "before": "3 days", "text": "reminder_far"}]})
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R1") + ",", row("R2") + ",Group", more=",kind")
    drain(FAR)
    drain(DAY_BEFORE)
    assert len(texts_to(patient)) == 2


def test_two_moments_stay_two_visits(world: World, tmp_path: Path) -> None:
    publish(world, DAY)
    patient = world.patient(record="M1")
    hand_in(world, tmp_path, row("R1"), row("R2", at="2026-03-10T10:15,America/Denver"))
    drain(DAY_BEFORE)
    [body] = texts_to(patient)
    assert "1) Tue, Mar 10 10:00 AM, 2) Tue, Mar 10 10:15 AM" in body
