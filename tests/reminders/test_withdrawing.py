"""A closed record is silent at once, whoever closed it, and can be opened again; a person's word outlives the files."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, db
from intake_links import links
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.models import Message, Patient
from messaging.people import directory
from reminders import withdrawing
from reminders.imports import csv_import
from reminders.models import Reminder
from tests.reminders.conftest import NOW, World, states_of

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
VISIT = NOW + timedelta(days=7)
ROSA = "staff:rosa"


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def close(world: World, patient: Patient, state: Any, actor: str = ROSA) -> bool:
    with db.unit_of_work(world.clinic.id) as session:
        mine = session.get_one(Patient, patient.id)
        return withdrawing.set_state(session, world.clinic, mine, state, actor=actor)


def now(patient: Patient) -> Patient:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(Patient, patient.id)


def busy(world: World) -> Patient:
    """A patient with a visit and its reminders, a text that waits, and an open form."""
    patient = world.patient()
    world.visit(patient, VISIT)
    with db.unit_of_work(world.clinic.id) as session:
        mine = session.get_one(Patient, patient.id)
        outbox.text_patient(
            session, world.clinic, mine, kind="reply", programme="care_team", body="See you.", dedupe="t",
            not_before=NOW + timedelta(hours=3),
        )  # fmt: skip
        links.issue(session, world.clinic, mine, ["phq9"])
    return patient


@BOTH
@pytest.mark.parametrize("state", ["inactive", "deceased"])
def test_closing_a_record_takes_back_all_that_would_still_reach_the_patient(world: World, state: str) -> None:
    patient = busy(world)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        before = withdrawing.pending(session, patient.id)
    assert before.reminders > 0
    assert (before.texts, before.forms) == (1, 1)
    assert close(world, patient, state)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert withdrawing.pending(session, patient.id) == withdrawing.Pending(0, 0, 0)
        assert session.scalars(select(Message.state)).all() == ["cancelled"]
        assert session.scalars(select(IntakeLink.state)).all() == ["withdrawn"]
        written = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "patient.state")).one()
    assert (written.actor, written.detail) == (ROSA, {"before": "active", "after": state})


def test_a_closed_record_can_be_texted_by_nobody(world: World) -> None:
    patient = busy(world)
    close(world, patient, "deceased")
    with db.unit_of_work(world.clinic.id) as session, pytest.raises(outbox.MayNotText, match="inactive"):
        outbox.text_patient(
            session, world.clinic, session.get_one(Patient, patient.id),
            kind="reply", programme="care_team", body="x", dedupe="u",
        )  # fmt: skip


def test_a_record_opened_again_has_its_reminders_back_and_nothing_else(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    planned = states_of(visit)
    close(world, patient, "inactive")
    assert states_of(visit) != planned
    assert close(world, patient, "active")
    assert states_of(visit) == planned
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Message.state)).all() == []


def test_saying_it_twice_changes_nothing_and_a_wrong_word_is_refused(world: World) -> None:
    patient = world.patient()
    assert close(world, patient, "deceased")
    assert not close(world, patient, "deceased")
    with pytest.raises(ValueError, match="no such state"):
        close(world, patient, "asleep")


def follow(world: World, patient: Patient, tmp_path: Any, **values: str) -> str:
    columns = {"record": "P1", "first_name": "Rosa", "last_name": "Vance", "birth_date": "1980-02-29"}
    row = columns | {"phone": number_of(patient)} | values
    path = tmp_path / "patients.csv"
    path.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    found = csv_import.import_file("patients", world.clinic.id, path)
    assert found.failed == 0
    return next(name for name in ("created", "updated", "unchanged") if getattr(found, name))


def number_of(patient: Patient) -> str:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(Patient, patient.id).numbers[-1].number or ""


def test_a_file_that_says_so_closes_the_record_and_opens_what_it_closed(world: World, tmp_path: Any) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    assert follow(world, patient, tmp_path, state="deceased") == "updated"
    assert now(patient).state == "deceased"
    assert "planned" not in set(states_of(visit).values())
    assert follow(world, patient, tmp_path, state="deceased") == "unchanged"
    assert follow(world, patient, tmp_path) == "unchanged"
    assert now(patient).state == "deceased"
    assert follow(world, patient, tmp_path, state="active") == "updated"
    assert now(patient).state == "active"


def test_no_file_opens_a_record_that_a_person_has_closed(world: World, tmp_path: Any) -> None:
    patient = world.patient()
    close(world, patient, "deceased")
    assert follow(world, patient, tmp_path, state="active") == "unchanged"
    assert now(patient).state == "deceased"


def test_a_new_patient_may_come_in_closed(world: World) -> None:
    patient = world.patient(state="inactive")
    visit = world.visit(patient, VISIT)
    assert now(patient).state == "inactive"
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Reminder).where(Reminder.appointment_id == visit.id)).all() == []


def choose(world: World, patient: Patient, level: Any) -> bool:
    with db.unit_of_work(world.clinic.id) as session:
        mine = session.get_one(Patient, patient.id)
        return directory.set_privacy(session, world.clinic, mine, level, actor=ROSA, source="spoken")


def test_what_the_patient_chose_outlives_every_file(world: World, tmp_path: Any) -> None:
    patient = world.patient()
    assert follow(world, patient, tmp_path, privacy="details") == "updated"
    assert follow(world, patient, tmp_path) == "unchanged"
    assert now(patient).privacy == "details"
    assert choose(world, patient, "generic")
    assert follow(world, patient, tmp_path, privacy="details") == "unchanged"
    assert now(patient).privacy == "generic"


def test_the_choice_is_written_down_with_the_words_that_were_read_out(world: World) -> None:
    patient = world.patient()
    assert choose(world, patient, "place")  # the same as before, but now the patient has said so
    assert not choose(world, patient, "place")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        line = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "patient.privacy")).one()
    assert line.detail == {
        "before": "place",
        "after": "place",
        "source": "spoken",
        "wording": "privacy-2026-11",
    }
    with pytest.raises(ValueError, match="no such privacy"):
        choose(world, patient, "everything")
