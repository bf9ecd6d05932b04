"""What a complete file does not hold is cancelled within its days, unless too much would vanish."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, db
from messaging.models import Clinic
from reminders import appointments
from reminders.imports import column_mapping, csv_import
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import NOW, World

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
DAY, NEXT, LATER = "2026-03-10", "2026-03-11", "2026-04-20"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def hand_in(world: World, tmp_path: Path, *rows: str, **said: Any) -> csv_import.ImportResult:
    """Import these visits (id, record number, day, hour, place, state), as the command does."""
    path = tmp_path / "visits.csv"
    path.write_text("Appt ID,MRN,Appt Date,Appt Time,Location,Status\n" + "\n".join(rows) + "\n")
    dry = said.pop("dry_run", False)
    chosen = csv_import.Chosen(said.pop("columns", column_mapping.Columns()), **said)
    return csv_import.import_file("appointments", world.clinic.id, path, dry_run=dry, chosen=chosen)


def row(name: str, record: str = "M1", day: str = DAY, hour: str = "9:00 AM", place: str = "Elm") -> str:
    return f"{name},{record},{day},{hour},{place},Scheduled"


def states(world: World) -> dict[str, str]:
    with db.unit_of_work(world.clinic.id) as session:
        return {visit.external_id: visit.state for visit in session.scalars(select(Appointment))}


def limit(world: World, percent: int) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        clinic.rules = {**clinic.rules, "most_missing": percent}


@pytest.fixture
def week(world: World, tmp_path: Path) -> World:
    """Six visits of two days and one of another month."""
    for record in ("M1", "M2"):
        world.patient(record=record)
    hours = [f"{hour}:00 AM" for hour in (8, 9, 10)]
    rows = [row(f"A{n}", hour=hour) for n, hour in enumerate(hours)]
    rows += [row(f"B{n}", "M2", NEXT, hour, "Oak") for n, hour in enumerate(hours)]
    hand_in(world, tmp_path, *rows, row("FAR", day=LATER))
    return world


ALL = [row("A0", hour="8:00 AM"), row("A1"), row("A2", hour="10:00 AM")]
ALL += [row(f"B{n}", "M2", NEXT, f"{n + 8}:00 AM", "Oak") for n in range(3)]


@BOTH
def test_a_visit_that_a_complete_file_lacks_is_cancelled_with_its_reminders(week: World, tmp_path: Path) -> None:
    result = hand_in(week, tmp_path, *ALL[:2], *ALL[3:], complete="clinic")
    assert (result.cancelled, result.unchanged) == (1, 5)
    assert {name for name, state in states(week).items() if state == "cancelled"} == {"A2"}
    with db.unit_of_work(week.clinic.id) as session:
        gone = session.scalars(select(Appointment).where(Appointment.external_id == "A2")).one()
        planned = select(Reminder).where(Reminder.appointment_id == gone.id, Reminder.state == "planned")
        assert session.scalars(planned).all() == []
        acts = list(session.scalars(select(audit.AuditEntry.act)))
        assert {"appointment.cancelled", "import.missing_cancelled"} <= set(acts)


def test_without_the_word_of_somebody_nothing_is_cancelled(week: World, tmp_path: Path) -> None:
    assert hand_in(week, tmp_path, ALL[0]).cancelled == 0
    assert set(states(week).values()) == {"booked"}


@BOTH
def test_more_than_the_clinic_s_share_is_held_and_nothing_at_all_is_done(week: World, tmp_path: Path) -> None:
    moved = row("A0", hour="8:30 AM")
    with pytest.raises(csv_import.BadFile, match="2 of 6 visits to come would be cancelled, more than 20 %"):
        hand_in(week, tmp_path, moved, *ALL[1:3], ALL[5], complete="clinic")
    assert set(states(week).values()) == {"booked"}
    with pytest.raises(csv_import.BadFile, match="2 of 6"):
        hand_in(week, tmp_path, moved, *ALL[1:3], ALL[5], complete="clinic", vanish="3")
    assert hand_in(week, tmp_path, moved, *ALL[1:3], ALL[5], complete="clinic", vanish="2").cancelled == 2
    assert {name for name, state in states(week).items() if state == "cancelled"} == {"B0", "B1"}


def test_the_share_is_the_clinic_s_own(week: World, tmp_path: Path) -> None:
    limit(week, 40)
    assert hand_in(week, tmp_path, *ALL[:3], ALL[5], complete="clinic").cancelled == 2
    limit(week, 0)
    with pytest.raises(csv_import.BadFile, match="more than 0 %"):
        hand_in(week, tmp_path, *ALL[1:3], ALL[5], complete="clinic")


def test_only_visits_in_the_file_s_days_and_places_are_missed(week: World, tmp_path: Path) -> None:
    limit(week, 100)
    assert hand_in(week, tmp_path, ALL[0], complete="clinic").cancelled == 2
    assert {name for name, state in states(week).items() if state == "cancelled"} == {"A1", "A2"}
    both_days = [ALL[0], row("A9", day=NEXT, hour="4:00 PM")]
    assert hand_in(week, tmp_path, *both_days, complete="places").cancelled == 0
    assert hand_in(week, tmp_path, *both_days, complete="clinic").cancelled == 3


@BOTH
def test_a_visit_under_another_number_counts_as_there_and_its_old_number_goes(week: World, tmp_path: Path) -> None:
    with db.unit_of_work(week.clinic.id) as session:
        old = session.scalars(select(Appointment).where(Appointment.external_id == "A1")).one()
        appointments.confirm(session, old, "patient:x")
    result = hand_in(week, tmp_path, ALL[0], row("NEW"), *ALL[2:], complete="clinic")
    assert (result.created, result.cancelled) == (1, 1)
    assert (states(week)["A1"], states(week)["NEW"]) == ("cancelled", "confirmed")


def test_a_visit_whose_row_cannot_be_read_is_not_missing(week: World, tmp_path: Path) -> None:
    result = hand_in(week, tmp_path, *ALL[:5], row("B2", "M2", "someday"), complete="clinic")
    assert (result.failed, result.cancelled) == (1, 0)


def test_rows_without_a_number_leave_nobody_able_to_tell(week: World, tmp_path: Path) -> None:
    with pytest.raises(csv_import.BadFile, match="1 rows have no visit number"):
        hand_in(week, tmp_path, *ALL[:5], row(""), complete="clinic")


def test_what_has_begun_or_is_over_is_never_missing(week: World, tmp_path: Path) -> None:
    limit(week, 100)
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        assert hand_in(week, tmp_path, ALL[0], complete="clinic").cancelled == 0


def test_a_look_says_how_many_and_does_nothing(week: World, tmp_path: Path) -> None:
    result = hand_in(week, tmp_path, *ALL[:5], complete="clinic", dry_run=True)
    assert result.cancelled == 1
    assert set(states(week).values()) == {"booked"}


def test_a_visit_that_comes_back_in_the_next_file_is_booked_again(week: World, tmp_path: Path) -> None:
    hand_in(week, tmp_path, *ALL[:5], complete="clinic")
    assert states(week)["B2"] == "cancelled"
    hand_in(week, tmp_path, *ALL, complete="clinic")
    assert states(week)["B2"] == "booked"
