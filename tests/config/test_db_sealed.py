"""Sealed columns, on both databases: what is stored cannot be read, moved or opened without its key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select, text

from config import db, keys, runtime
from config.db import data_keys
from messaging.models import Clinic, Patient
from messaging.people import directory
from tests.queries import statements

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NewPatient = Callable[..., Patient]


def forget_opened_keys() -> None:
    runtime.forget("db.keys")


@both
def test_words_come_back_as_they_were_written(house, new_patient: NewPatient):
    odd = "Zoë \x00 \ud83d 😀 ‏"
    patient = new_patient(odd)
    forget_opened_keys()
    with db.unit_of_work(db.EVERY) as session:
        read = session.get_one(Patient, patient.id)
        assert read.first_name == odd
        assert read.birth_date == "1980-03-09"
        assert read.numbers[0].number == "+13035550110"


@both
def test_nothing_is_nothing(house, new_patient: NewPatient):
    patient = new_patient(birth_date=None)
    assert patient.birth_date_ct is None
    assert patient.birth_date is None


@both
def test_a_value_put_into_another_row_does_not_open(house, new_patient: NewPatient):
    maya, leo = new_patient("Maya"), new_patient("Leo")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, leo.id).first_name_ct = maya.first_name_ct
    with db.unit_of_work(db.EVERY) as session, pytest.raises(keys.WrongKey):
        _ = session.get_one(Patient, leo.id).first_name


@both
def test_a_value_put_into_another_column_does_not_open(house, new_patient: NewPatient):
    maya = new_patient()
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(Patient, maya.id)
        row.last_name_ct = row.first_name_ct
        with pytest.raises(keys.WrongKey):
            _ = row.last_name


@both
def test_a_row_with_another_row_s_key_does_not_open(house, new_patient: NewPatient):
    maya, leo = new_patient("Maya"), new_patient("Leo")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, maya.id).key_id = leo.key_id
    with db.unit_of_work(db.EVERY) as session, pytest.raises(keys.WrongKey):
        _ = session.get_one(Patient, maya.id).first_name


@both
def test_a_row_moved_into_another_clinic_does_not_open(house, clinic: Clinic, new_patient: NewPatient):
    maya = new_patient()
    with db.unit_of_work(db.EVERY) as session:
        other = directory.add_clinic(session, name="Elm Clinic", zone="America/Denver", number="+13035550102")
        session.get_one(Patient, maya.id).clinic_id = other.id
    with db.unit_of_work(db.EVERY) as session, pytest.raises(keys.WrongKey):
        _ = session.get_one(Patient, maya.id).first_name


@both
def test_deleting_a_patient_s_key_deletes_their_words(house, new_patient: NewPatient):
    maya, leo = new_patient("Maya"), new_patient("Leo")
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.id == maya.key_id))
    forget_opened_keys()
    with db.unit_of_work(db.EVERY) as session:
        with pytest.raises(keys.WrongKey, match="deleted"):
            _ = session.get_one(Patient, maya.id).first_name
        assert session.get_one(Patient, leo.id).first_name == "Leo"


@both
def test_a_key_is_not_held_open_for_ever(house, new_patient: NewPatient, monkeypatch: pytest.MonkeyPatch):
    patient = new_patient()
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.id == patient.key_id))
    assert patient.first_name == "Maya"
    monkeypatch.setattr(data_keys._cache(), "seconds", 0)
    with pytest.raises(keys.WrongKey, match="deleted"):
        _ = patient.first_name


@both
def test_many_keys_are_opened_with_one_question(house, new_patient: NewPatient):
    patients = [new_patient() for _ in range(5)]
    forget_opened_keys()
    with db.unit_of_work(db.EVERY) as session:
        db.load_keys(session, (patient.key_id for patient in patients))
    assert [patient.first_name for patient in patients] == ["Maya"] * 5


@both
def test_words_whose_keys_were_destroyed_cost_no_question_each(house, new_patient: NewPatient):
    patients = [new_patient() for _ in range(5)]
    with db.unit_of_work(db.EVERY) as session:
        db.destroy_keys(session, [patient.key_id for patient in patients])
    with db.unit_of_work(db.EVERY) as session, statements() as asked:
        rows = list(session.scalars(select(Patient)))
        db.load_keys(session, (patient.key_id for patient in rows))
        for patient in rows:
            with pytest.raises(keys.WrongKey, match="deleted"):
                _ = patient.first_name
    assert len([statement for statement in asked if "FROM data_key" in statement]) == 1


@both
def test_without_the_master_key_nothing_opens(house, new_patient: NewPatient):
    patient = new_patient()
    forget_opened_keys()
    runtime.forget("keys.ring")
    (house.data_dir / "master.keys").write_text(keys.new_master_line("k1"))
    with db.unit_of_work(db.EVERY) as session, pytest.raises(keys.WrongKey):
        _ = session.get_one(Patient, patient.id).first_name


@both
def test_the_same_number_has_different_indexes_in_two_clinics(house, clinic: Clinic):
    with db.unit_of_work(db.EVERY) as session:
        other = directory.add_clinic(session, name="Elm Clinic", zone="America/Denver", number="+13035550102")
        indexes = {db.clinic_index(session, owner.key_id, "number", "+13035550142") for owner in (clinic, other)}
    assert len(indexes) == 2


def test_no_name_or_number_stands_in_the_database_file(house, new_patient: NewPatient):
    new_patient("Zenobia", last_name="Canaryfield", number="+13035550142", record="RECORD-77")
    with db.engine().connect() as connection:
        connection.execute(text("SELECT 1"))
    stored = b"".join(file.read_bytes() for file in Path(house.data_dir).glob("warmthread.sqlite3*"))
    assert len(stored) > 10_000
    for canary in (b"Zenobia", b"Canaryfield", b"3035550142", b"RECORD-77", b"1980-03-09"):
        assert canary not in stored


@pytest.mark.parametrize("house", ["postgresql"], indirect=True)
def test_no_name_or_number_stands_in_a_row_of_postgresql(house, new_patient: NewPatient):
    new_patient("Zenobia", last_name="Canaryfield", number="+13035550142", record="RECORD-77")
    with db.unit_of_work(db.EVERY) as session:
        rows = [
            str(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row))
            for table in db.Base.metadata.sorted_tables
            for row in session.execute(select(table))
        ]
    assert rows
    for canary in ("Zenobia", "Canaryfield", "3035550142", "RECORD-77", "1980-03-09"):
        assert not any(canary in row for row in rows)
