"""`warmthread patients shred`, `hold` and `shredded`, as an operator types them."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from config import db
from messaging.models import Patient
from reminders.shredding import shred_list
from service.cli import opening, records
from service.cli.visits import patients


@pytest.fixture(autouse=True)
def _open(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "begin", lambda: house)


def typed(*words: str, answer: str = "") -> Result:
    return CliRunner().invoke(patients, list(words), input=answer)


def is_destroyed(patient: Patient) -> bool:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(Patient, patient.id).shredded_at is not None


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_a_record_is_destroyed_when_asked_twice_and_once(new_patient: Any, new_staff: Any) -> None:
    patient = new_patient(record="R-900")
    new_staff(role="clinic_admin")
    assert typed("shred", "R-900", answer="n\n").exit_code == 1
    assert not is_destroyed(patient)
    done = typed("shred", "R-900", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "The record is destroyed" in done.output
    assert is_destroyed(patient)
    assert len(shred_list.parse(shred_list.own())) == 1
    again = typed("shred", "R-900", "--yes")
    assert again.exit_code == 1
    assert "No record has this number" in again.output


def test_with_two_administrators_it_only_asks_and_an_operator_cannot_agree(new_patient: Any, new_staff: Any) -> None:
    patient = new_patient(record="R-900")
    new_staff(role="clinic_admin"), new_staff(role="clinic_admin")
    assert "Asked." in typed("shred", "R-900", "--yes").output
    again = typed("shred", "R-900", "--yes")
    assert again.exit_code == records.REFUSED
    assert not is_destroyed(patient)


def test_under_legal_hold_it_is_refused(new_patient: Any) -> None:
    patient = new_patient(record="R-900")
    assert "under legal hold" in typed("hold", "R-900").output
    assert "nothing has changed" in typed("hold", "R-900").output
    refused = typed("shred", "R-900", "--yes")
    assert (refused.exit_code, "legal hold" in refused.output) == (records.REFUSED, True)
    assert not is_destroyed(patient)
    assert "has ended" in typed("hold", "R-900", "--end").output
    assert typed("shred", "R-900", "--yes").exit_code == 0


def test_the_list_is_written_where_it_is_wanted(new_patient: Any, tmp_path: Any) -> None:
    new_patient(record="R-900")
    typed("shred", "R-900", "--yes")
    assert "on the list: 1" in typed("shredded", str(tmp_path / "list")).output
    assert (tmp_path / "list").stat().st_mode & 0o077 == 0
    assert shred_list.parse(tmp_path / "list") == shred_list.known()
