"""What is destroyed stays destroyed: by the list beside backups, whichever older backup is restored."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from messaging.models import Clinic, Patient
from reminders.shredding import carrying_out, shred_list
from tests.service.backup.test_backups import _programs, both, command, made, patients

__all__ = ["_programs", "command"]
SECRET = "Quillfeather"


def destroy(clinic: Clinic, patient: Patient) -> None:
    with db.unit_of_work(clinic.id) as session:
        at = session.get_one(Clinic, clinic.id)
        assert carrying_out.shred(session, at, session.get_one(Patient, patient.id), "operator:ada")


def keys_of(patient: Patient) -> Any:
    def there(session: Session) -> bool:
        return session.get(db.DataKey, patient.key_id) is not None

    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return there(session)


@both
def test_a_backup_from_before_brings_nobody_back(command, clinic, new_patient, tmp_path):
    patient, other = new_patient(last_name=SECRET), new_patient(last_name="Stays")
    file = made(command, tmp_path)
    destroy(clinic, patient)
    done = command("restore", str(file), "--replace")
    assert done.exit_code == 0, done.output
    assert "Of these the backup still had, and lost now: 1" in done.output
    assert patients() == ["", other.last_name]
    assert not keys_of(patient)


@both
def test_on_a_new_machine_the_list_beside_a_newer_backup_is_enough(command, house, clinic, new_patient, tmp_path):
    patient = new_patient(last_name=SECRET)
    (tmp_path / "far").mkdir()
    file = made(command, tmp_path / "far")
    destroy(clinic, patient)
    newer = tmp_path / "newer.backup"
    assert command("create", str(newer)).exit_code == 0
    with db.unit_of_work(db.EVERY) as session:  # the machine is another one: neither its database nor its folder know
        for row in session.scalars(select(shred_list.Shredding)):
            session.delete(row)
    shred_list.own().unlink()
    listed = newer.with_name(newer.name + shred_list.ENDING)
    assert len(shred_list.parse(listed)) == 1
    assert SECRET not in listed.read_text()
    shutil.copy(listed, file.parent)
    done = command("restore", str(file), "--replace")
    assert done.exit_code == 0, done.output
    assert patients() == [""]


def test_a_list_may_lie_elsewhere_and_a_wrong_one_is_refused_before_anything_changes(
    command, clinic, new_patient, tmp_path
):
    patient = new_patient(last_name=SECRET)
    (tmp_path / "far").mkdir()
    file, elsewhere = made(command, tmp_path / "far"), tmp_path / "list.txt"
    elsewhere.write_text("no list at all\n")
    refused = command("restore", str(file), "--replace", "--shredded", str(elsewhere))
    assert refused.exit_code == 4
    assert "list.txt, line 1" in refused.output
    assert patients() == [SECRET]
    destroy(clinic, patient)
    shred_list.write(elsewhere, shred_list.known())
    with db.unit_of_work(db.EVERY) as session:
        session.delete(session.scalars(select(shred_list.Shredding)).one())
    shred_list.own().unlink(missing_ok=True)
    assert command("restore", str(file), "--replace", "--shredded", str(elsewhere)).exit_code == 0
    assert patients() == [""]


@pytest.mark.parametrize("times", [1, 2])
def test_a_database_restored_by_other_means_is_told_too(command, clinic, new_patient, tmp_path, times):
    patient = new_patient(last_name=SECRET)
    with db.unit_of_work(clinic.id) as session:
        mark = carrying_out.mark(session, session.get_one(Clinic, clinic.id), patient.id)
    listed = Path(tmp_path / "elsewhere.shredded")
    listed.write_text(
        f"{clinic.id} {mark.hex()} 2026-07-01T00:00:00+00:00\n{clinic.id} {'00' * 16} 2026-07-01T00:00:00Z\n"
    )
    for _ in range(times):
        done = command("restored", "--as-of", "2026-07-01T03:00:00Z", "--shredded", str(listed))
        assert done.exit_code == 0, done.output
    assert patients() == [""]
    assert len(shred_list.known()) == 2, "who was never in this database stays on the list"
