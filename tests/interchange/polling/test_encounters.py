"""Stays in a hospital of an EHR that is polled: its encounters are read beside each patient, and visits never wait."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from config import clock, db
from interchange.models import FeedSeen
from interchange.polling import asking
from reminders.models import EmergencyVisit, InpatientStay
from tests.interchange.polling.asked_ehrs import Asked, rows, visits

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
ADMITTED = (clock.now() - timedelta(days=3)).replace(microsecond=0)
NEEDED = "system/Appointment.rs system/Patient.rs"


def encounter(epic: Asked, number: str = "n1", patient: str = "7", **facts: Any) -> None:
    written = {name: at.isoformat() if isinstance(at, datetime) else at for name, at in facts.items()}
    epic.ask("PUT", f"encounters/{number}", {"patient": patient, "start": ADMITTED.isoformat()} | written)


def stays() -> list[tuple[str, datetime | None, datetime | None]]:
    return [(row.state, row.admitted_at, row.discharged_at) for row in rows(InpatientStay)]


def searches(epic: Asked, status: int | None = None) -> int:
    return len([path for path in epic.paths(status) if "/Encounter" in path])


def a_day_later() -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(FeedSeen).values(seen_at=clock.now() - timedelta(hours=25)))


@both
def test_a_stay_there_comes_by_itself_and_is_told_once_as_it_goes_on(epic: Asked) -> None:
    encounter(epic)
    epic.book()
    epic.now()
    assert stays() == [("kept", ADMITTED, None)]
    epic.now()
    assert searches(epic) == 1
    left = ADMITTED + timedelta(days=2)
    encounter(epic, status="finished", end=left)
    a_day_later()
    epic.now()
    assert stays() == [("kept", ADMITTED, left)]
    a_day_later()
    epic.now()
    assert len([message for message in epic.messages() if message.kind == "Encounter"]) == 2
    assert searches(epic) == 3
    assert set(epic.states()) == {"done"}
    assert epic.row.notes == {}


def test_only_stays_and_emergencies_of_the_last_quarter_and_of_this_patient_are_kept(epic: Asked) -> None:
    old = clock.now() - timedelta(days=120)
    epic.patient("8", first="Bea")
    encounter(epic, "old", start=old, end=old + timedelta(days=2), status="finished")
    encounter(epic, "long", start=old, kind="NONAC")
    encounter(epic, "clinic", kind="AMB")
    encounter(epic, "ed", kind="EMER")
    encounter(epic, "planned", status="planned")
    encounter(epic, "bea", patient="8")
    epic.book()
    epic.now()
    assert [row.external_id for row in rows(InpatientStay)] == ["Encounter/long"]
    assert [row.external_id for row in rows(EmergencyVisit)] == ["Encounter/ed"]


def test_encounters_are_read_page_by_page(epic: Asked) -> None:
    for place in range(60):
        encounter(epic, f"n{place}", start=ADMITTED - timedelta(hours=place), kind="IMP" if place == 59 else "AMB")
    epic.book()
    epic.now()
    assert searches(epic) == 2
    assert [row.external_id for row in rows(InpatientStay)] == ["Encounter/n59"]


@pytest.mark.parametrize("whole", [False, True])
def test_an_ehr_that_does_not_grant_encounters_is_read_without_them(epic: Asked, whole: bool) -> None:
    epic.publish(scopes=NEEDED, whole_scopes=whole)
    encounter(epic)
    epic.book()
    epic.now()
    assert len(visits()) == 1
    assert searches(epic) == 0
    assert stays() == []
    assert (epic.row.refused, epic.row.granted) == (None, NEEDED)


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 404}, {"status": 403, "code": "4118"}, {"status": 400, "code": "4115"}]
)
def test_visits_do_not_wait_for_encounters_that_cannot_be_read(epic: Asked, fault: dict[str, Any]) -> None:
    epic.faults({"path": "Encounter", **fault})
    epic.patient("8", first="Bea")
    encounter(epic)
    epic.book()
    epic.book("13", patient="8")
    epic.now()
    assert len(visits()) == 2
    assert epic.row.refused is None
    assert list(epic.row.notes) == ["encounters"]
    assert searches(epic) == 1  # not again in the same turn
    epic.faults()
    a_day_later()
    epic.now()
    assert stays() == [("kept", ADMITTED, None)]


def test_of_whom_the_ehr_does_not_show_nothing_more_is_asked(epic: Asked) -> None:
    epic.patient(restricted="4134")
    encounter(epic)
    epic.book()
    epic.now()
    assert searches(epic) == 0


@pytest.mark.parametrize(
    ("granted", "may"),
    [
        ("", True),
        ("system/Encounter.rs system/Patient.rs", True),
        ("system/Encounter.read", True),
        ("system/*.read", True),
        ("system/*.*", True),
        ("system/Encounter.cruds", True),
        ("system/Encounter.s?category=x", True),
        ("system/Encounter.r", False),
        ("system/Encounter.write", False),
        ("system/EncounterHistory.rs", False),
        ("user/Encounter.rs", False),
        (NEEDED, False),
    ],
)
def test_what_an_ehr_grants_is_read_as_smart_writes_it(granted: str, may: bool) -> None:
    assert asking.grants(granted, "Encounter") is may
