"""A destroyed record: no word opens, nothing is texted, nobody who opted out is forgotten, and pages still open."""

import sqlite3
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, db, keys
from messaging.consent import ledger
from messaging.models import Clinic, Message, Patient
from messaging.people import directory
from reminders.models import Appointment, Reminder
from reminders.shredding import belonging, carrying_out
from tests.reminders.shredding.conftest import NUMBER, SECRET, Record

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def shred(record: Record) -> bool:
    with db.unit_of_work(record.clinic.id) as session:
        clinic = session.get_one(Clinic, record.clinic.id)
        return carrying_out.shred(session, clinic, session.get_one(Patient, record.patient.id), "operator:ada")


@both
def test_no_word_about_them_opens_any_more_in_any_table(house: Any, record: Record) -> None:
    before = record.opened()
    said = {place.rpartition(":")[0] for place, plain in before.items() if SECRET.encode() in plain}
    assert len(said) > 30
    assert shred(record)
    for place, plain in record.opened().items():
        for word in (SECRET, "Teresita", "Quintanilla", "MRN-4471", NUMBER):
            assert word.encode() not in plain, place


@both
def test_the_key_itself_opens_nothing_that_is_stored(house: Any, record: Record) -> None:
    shred(record)
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.get(db.DataKey, record.patient.key_id) is None
        for table in belonging.tables().values():
            for column in db.sealed_columns(table):
                for row in session.execute(select(table).where(table.c[column].is_not(None))).all():
                    assert row.key_id != record.patient.key_id, table.name
                    with pytest.raises(keys.WrongKey):
                        keys.unseal(
                            record.key, getattr(row, column), table.name, column, str(row.id), str(row.clinic_id)
                        )


@both
def test_whoever_is_beside_them_keeps_every_word(house: Any, record: Record, new_patient: Any) -> None:
    other = new_patient("Beatriz", number=NUMBER)  # a family with one phone
    before = {place: plain for place, plain in record.opened().items() if str(other.id) in place}
    shred(record)
    after = record.opened()
    assert before
    assert {place: after[place] for place in before} == before
    with db.unit_of_work(record.clinic.id, read_only=True) as session:
        number = directory.textable_number(session, session.get_one(Patient, other.id))
        assert number is not None
        assert number.number == NUMBER


@both
def test_visits_to_come_are_cancelled_and_nothing_is_texted(house: Any, record: Record) -> None:
    shred(record)
    with db.unit_of_work(record.clinic.id, read_only=True) as session:
        visits = session.scalars(select(Appointment).where(Appointment.patient_id == record.patient.id)).all()
        assert {visit.state for visit in visits} == {"arrived", "cancelled"}
        assert session.scalars(select(Reminder).where(Reminder.state.in_(("planned", "queued")))).all() == []
        assert session.scalars(select(Message.id).where(Message.state == "queued")).all() == []
        patient = session.get_one(Patient, record.patient.id)
        assert (patient.state, patient.first_name, patient.sex, patient.wishes) == ("inactive", "", None, {})


@both
def test_who_opted_out_by_that_number_stays_opted_out_under_a_new_record(house: Any, record: Record) -> None:
    with db.unit_of_work(record.clinic.id) as session:
        clinic = session.get_one(Clinic, record.clinic.id)
        ledger.record(session, clinic, NUMBER, "revoked", source="text", actor="carrier", patient_id=record.patient.id)
    shred(record)
    with db.unit_of_work(record.clinic.id) as session:
        clinic = session.get_one(Clinic, record.clinic.id)
        again = directory.PatientRecord("MRN-4471", "Somebody", "Else", NUMBER, birth_date=date(1990, 1, 2))
        patient, how = directory.save_patient(session, clinic, again)
        assert patient.id != record.patient.id, "a file that names the record again makes a new one"
        assert how == "created"
        assert set(ledger.state(session, clinic, NUMBER).values()) == {"revoked"}


@both
def test_doing_it_twice_changes_nothing_and_it_is_in_the_audit_once(house: Any, record: Record) -> None:
    assert shred(record)
    stored = record.stored()
    assert not shred(record)
    assert record.stored() == stored
    with db.unit_of_work(record.clinic.id, read_only=True) as session:
        acts = session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.act == "patient.shredded")).all()
    assert len(acts) == 1


def test_on_sqlite_not_even_a_freed_page_holds_the_key(house: Any, record: Record) -> None:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        wrapped = session.get_one(db.DataKey, record.patient.key_id).wrapped
    shred(record)
    db.engine().dispose()
    with closing(sqlite3.connect(house.data_dir / "warmthread.sqlite3")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in house.data_dir.iterdir():
        assert not file.is_file() or wrapped not in file.read_bytes(), file.name


def test_every_table_with_words_is_destroyed_or_says_why_not(house: Any) -> None:
    facts = belonging.facts()
    reached, tables = {"patient"}, belonging.tables()
    for _ in tables:
        reached |= {
            name for name, table in tables.items() if reached & {k.column.table.name for k in table.foreign_keys}
        }
    named = {*facts["of_threads"], *facts["not_of_patients"], *(copy["table"] for copy in facts["copies"])}
    sealed = {name for name, table in tables.items() if db.sealed_columns(table)}
    assert sealed - reached - named == set()
    assert named | set(facts["deleted"]) <= set(tables)
    assert set(facts["not_of_patients"]) & reached == set()
