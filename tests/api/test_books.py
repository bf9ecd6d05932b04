"""Visits and patients by a program are what they are by a file: the same rules, one plan, one audit."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.consent import ledger
from reminders.imports import csv_import
from reminders.models import Appointment, Reminder
from tests.api.conftest import WHOLE
from tests.api.test_door import problem_of

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def soon(days: int = 9) -> str:
    return f"{clock.now().date() + timedelta(days=days)}T09:00"


def planned(side: Any) -> list[Reminder]:
    with db.unit_of_work(side.clinic.id) as session:
        return list(session.scalars(select(Reminder).where(Reminder.state == "planned")))


@both
def test_a_patient_and_a_visit_are_made_planned_and_moved(ours: Any) -> None:
    program = ours.program()
    assert program.post("/patients", WHOLE | {"phone": "(303) 555-0110", "language": "Spanish"}).status_code == 201
    visit = {"external_id": "V1", "record": "R1", "starts_at": soon(), "place": "Room 2", "clinician": "Dr Abel"}
    made = program.post("/appointments", visit)
    assert made.status_code == 201
    assert made.json["zone"] == "America/Denver"
    assert made.json["state"] == "booked"
    at = datetime.fromisoformat(made.json["starts_at"])
    assert made.json["starts_at"].endswith("Z")
    assert at.astimezone(UTC).hour in (15, 16)  # nine o'clock in Denver
    assert planned(ours)
    again = program.post("/appointments", visit)
    assert (again.status_code, again.json["id"], again.json["revision"]) == (200, made.json["id"], 1)
    moved = program.post("/appointments", visit | {"starts_at": soon(12)})
    assert (moved.status_code, moved.json["revision"]) == (200, 2)
    assert {row.revision for row in planned(ours)} == {2}
    assert [entry.act for entry in ours.audited("appointment.created", "appointment.updated")] == [
        "appointment.created",
        "appointment.updated",
    ]
    assert ours.audited("appointment.created")[0].actor == f"program:{program.key_id}"


@both
def test_a_visit_is_cancelled_and_nothing_is_texted_about_it(ours: Any) -> None:
    program = ours.program()
    ours.patient()
    made = program.post("/appointments", {"external_id": "V1", "record": "R1", "starts_at": soon()}).json
    cancelled = program.post(f"/appointments/{made['id']}/cancel")
    assert (cancelled.status_code, cancelled.json["state"]) == (200, "cancelled")
    assert planned(ours) == []
    assert program.get(f"/appointments/{made['id']}").json["state"] == "cancelled"


def test_a_visit_that_a_file_has_brought_is_the_same_by_a_program(ours: Any, tmp_path: Path) -> None:
    ours.patient()
    file = tmp_path / "visits.csv"
    file.write_text(f"visit,patient,starts_at\nV1,R1,{soon()}\n")
    csv_import.import_file("appointments", ours.clinic.id, file)
    answer = ours.program().post("/appointments", {"external_id": "V1", "record": "R1", "starts_at": soon(20)})
    assert answer.status_code == 200
    with db.unit_of_work(ours.clinic.id) as session:
        assert len(session.scalars(select(Appointment)).all()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("record", "R404"), ("starts_at", "soon"), ("zone", "Mars/Phobos"), ("state", "lost"), ("booked_at", "sometime")],
)
def test_a_visit_that_cannot_be_is_refused_at_its_field(ours: Any, field: str, value: str) -> None:
    ours.patient()
    visit = {"external_id": "V1", "record": "R1", "starts_at": soon()}
    details = problem_of(ours.program().post("/appointments", visit | {field: value}), "invalid")
    assert details["errors"][0]["pointer"] == f"/{field}"
    assert value not in str(details["errors"])


def test_all_fields_that_cannot_be_are_named_at_once(ours: Any) -> None:
    ours.patient()
    visit = {"external_id": "V1", "record": "R1", "starts_at": "soon", "zone": "Mars/Phobos", "booked_at": "then"}
    details = problem_of(ours.program().post("/appointments", visit), "invalid")
    assert [each["pointer"] for each in details["errors"]] == ["/starts_at", "/zone", "/booked_at"]


def test_a_number_that_cannot_be_texted_costs_the_number_only_and_is_said(ours: Any) -> None:
    answer = ours.program().post("/patients", WHOLE | {"phone": "411"})
    assert answer.status_code == 201
    assert answer.json["numbers"] == []
    assert "without the phone number" in answer.json["left_out"]


@both
def test_consent_in_a_record_is_consent_in_a_file_and_a_stop_outlives_both(ours: Any) -> None:
    program = ours.program()
    program.post("/patients", WHOLE)
    with db.unit_of_work(ours.clinic.id) as session:
        assert set(ledger.state(session, ours.clinic, WHOLE["phone"]).values()) == {"granted"}
        ledger.record(session, ours.clinic, WHOLE["phone"], "revoked", source="text", actor="patient:x")
    program.post("/patients", WHOLE | {"last_name": "Roe"})
    with db.unit_of_work(ours.clinic.id) as session:
        assert set(ledger.state(session, ours.clinic, WHOLE["phone"]).values()) == {"revoked"}


def test_a_patient_is_found_by_record_number_in_a_body(ours: Any) -> None:
    program, patient = ours.program(), ours.patient("R-77")
    assert program.post("/patients/search", {"record": "R-77"}).json["id"] == str(patient.id)
    assert program.post("/patients/search", {"record": "R-78"}).status_code == 404
    shown = program.get(f"/patients/{patient.id}").json
    assert shown["numbers"] == [{"number": "+13035550110", "line": "unknown"}]
    assert (shown["first_name"], shown["birth_date"], shown["state"]) == ("Maya", "1980-03-09", "active")
