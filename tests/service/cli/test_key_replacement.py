"""Data keys replaced by new ones: every sealed value of every table, while others read and write, whoever is killed."""

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from config import audit, clock, db, keys, runtime
from config.db import data_keys, replacing
from messaging.consent import ledger
from messaging.models import Clinic, Patient
from messaging.people import directory, name_search
from reminders.shredding import belonging, carrying_out
from service import key_check, migrations
from tests.reminders.shredding import conftest as filled
from tests.service.cli.test_key_rotation import environment, line, use
from tests.waiting import PATIENCE, until

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
record = filled.record
ROOT = Path(__file__).parents[3]
MANY = 300
NOBODY: Callable[[int, int], None] = lambda _done, _total: None  # noqa: E731


def fill_the_rest(whole: filled.Record) -> None:
    """A row in every table that has sealed values, also in those that say nothing of a patient."""
    made = dict(whole.rows)
    with db.unit_of_work(whole.clinic.id) as session:
        clinic, patient = session.get_one(Clinic, whole.clinic.id), session.get_one(Patient, whole.patient.id)
        for name, table in belonging.tables().items():
            if name in made or name in ("patient_number", "data_key") or not {"id", "clinic_id"} <= set(table.c.keys()):
                continue
            made[name] = db.new_id()
            session.execute(table.insert().values(filled._row(session, table, made, clinic, patient)))


def begin(clinic: Clinic) -> None:
    with db.unit_of_work(clinic.id) as session:
        assert replacing.renew_first(session, clinic.key_id)
    replacing.renew_below(clinic.id, clinic.key_id)


def pairs() -> dict[UUID, data_keys.Opened]:
    """Every key as it is stored now."""
    runtime.forget("db.keys")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return {key_id: data_keys.opened(session, key_id) for key_id in session.scalars(select(db.DataKey.id))}


def stored() -> Iterator[tuple[str, UUID, bytes, tuple[str, ...]]]:
    """Every sealed value: where, under which key, the bytes and what they are bound to."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        for place in replacing.places():
            for row in session.execute(
                select(place.table, place.by.label("its_key")).where(place.by.is_not(None))
            ).all():
                for name in place.columns:
                    value = getattr(row, name)
                    if value:
                        bound = replacing._bound(place.table, name, row.id, row.clinic_id)
                        yield f"{place.table.name}.{name}", row.its_key, value, bound


@contextmanager
def remembering(before: dict[UUID, data_keys.Opened]) -> Iterator[None]:
    """As a process is that has opened these keys before, and nothing since."""
    runtime.forget("db.keys")
    for key_id, pair in before.items():
        data_keys._cache().put(key_id, pair)
    yield
    runtime.forget("db.keys")


def old_long_ago() -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(db.DataKey).values(replaced_at=clock.now() - timedelta(days=2)))


def test_every_column_that_is_listed_as_sealed_is_sealed_anew() -> None:
    listed = tomllib.loads((ROOT / "docs/clear.toml").read_text())["tables"]
    sealed = {f"{name}.{column}" for name, lines in listed.items() for column in lines.get("sealed", "").split()}
    ours = {f"{place.table.name}.{column}" for place in replacing.places() for column in place.columns}
    # Both are sealed under the key of their own row, and made with it.
    assert sealed - ours == {"data_key.old_wrapped", "data_key.index_wrapped"}
    assert ours - sealed == set()
    assert len(ours) >= 80


@both
def test_every_value_of_every_table_opens_by_its_new_key_and_by_the_old_one_no_more(
    house: Any, record: filled.Record
) -> None:
    fill_the_rest(record)
    before, words = pairs(), record.opened()
    begin(record.clinic)
    swept = replacing.sweep(record.clinic.id, (), NOBODY)
    seen = {place.table.name for place in replacing.places()}
    assert set(swept.anew) == seen - {"data_key"}, "the keys themselves are sealed anew as the new ones are made"
    assert swept.unreadable == 0
    with db.unit_of_work(record.clinic.id) as session:
        assert replacing.throw_away_old(session, record.clinic.id) == len(before)
    after = pairs()
    assert [key_id for key_id, pair in after.items() if pair.old is not None or pair == before[key_id]] == []
    for where, key_id, value, bound in stored():
        keys.unseal(after[key_id].key, value, *bound)
        with pytest.raises(keys.WrongKey):
            keys.unseal(before[key_id].key, value, *bound)
        assert where
    assert record.opened() == words
    assert replacing.sweep(record.clinic.id, (), NOBODY, write=False).anew == {}


@both
def test_who_remembers_the_old_key_reads_what_is_new_and_what_they_write_is_found(
    house: Any, clinic: Clinic, new_patient: Any
) -> None:
    maya = new_patient("Maya")
    before = pairs()
    begin(clinic)
    replacing.sweep(clinic.id, (), NOBODY)
    with remembering(before), db.unit_of_work(clinic.id) as session:
        assert session.get_one(Patient, maya.id).first_name == "Maya"
    with remembering(before), db.unit_of_work(clinic.id) as session:
        session.get_one(Patient, maya.id).last_name = "Lindqvist"
        db.new_data_key(session, clinic.id, under=clinic.key_id)
    assert replacing.sweep(clinic.id, (), NOBODY, write=False).anew == {"data_key": 1, "patient": 1}
    with db.unit_of_work(clinic.id, read_only=True) as session:
        kept = replacing.kept_until(session, clinic.id)
        assert kept is not None
        assert kept > clock.now() + timedelta(seconds=data_keys.CACHE_SECONDS)
        assert session.get_one(Patient, maya.id).last_name == "Lindqvist"


@both
def test_what_somebody_wrote_meanwhile_is_not_written_over(house: Any, clinic: Clinic, new_patient: Any) -> None:
    maya = new_patient("Maya")
    begin(clinic)
    place = next(place for place in replacing.places() if place.table.name == "patient")
    fresh, _ = replacing._anew(clinic.id, place, [maya.id])
    with db.unit_of_work(clinic.id) as session:
        session.get_one(Patient, maya.id).first_name = "Mayari"
    assert replacing._write(clinic.id, place, fresh) == len(fresh[maya.id]) - 1
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert session.get_one(Patient, maya.id).first_name == "Mayari"


@both
def test_numbers_names_opt_outs_and_destroyed_records_are_found_as_before(
    house: Any, record: filled.Record, new_patient: Any
) -> None:
    maya = new_patient("Maya", number="+13035550144", record="R77")
    with db.unit_of_work(record.clinic.id) as session:
        clinic = session.get_one(Clinic, record.clinic.id)
        ledger.record(session, clinic, "+13035550144", "revoked", source="text", actor="carrier", patient_id=maya.id)
        marked = carrying_out.mark(session, clinic, maya.id)
    name_search.drain()
    for _ in range(2):  # the keys of indexes outlive the second new key as they do the first
        begin(record.clinic)
        replacing.sweep(record.clinic.id, (), NOBODY)
        with db.unit_of_work(record.clinic.id) as session:
            replacing.throw_away_old(session, record.clinic.id)
    with db.unit_of_work(record.clinic.id) as session:
        clinic = session.get_one(Clinic, record.clinic.id)
        by_record = directory.find_by_record(session, clinic, "R77")
        assert by_record is not None
        assert by_record.id == maya.id
        assert set(ledger.state(session, clinic, "+13035550144").values()) == {"revoked"}
        assert [found.id for found in name_search.search(session, clinic, "maya").patients] == [maya.id]
        assert carrying_out.mark(session, clinic, maya.id) == marked


@both
def test_one_patients_key_is_replaced_alone(house: Any, clinic: Clinic, new_patient: Any) -> None:
    maya, leo = new_patient("Maya"), new_patient("Leo")
    before = pairs()
    with db.unit_of_work(clinic.id) as session:
        assert replacing.renew_first(session, maya.key_id)
    swept = replacing.sweep(clinic.id, [maya.key_id], NOBODY)
    assert "data_key" not in swept.anew
    with db.unit_of_work(clinic.id) as session:
        assert replacing.throw_away_old(session, clinic.id, [maya.key_id]) == 1
    after = pairs()
    assert {key_id for key_id in before if before[key_id] != after[key_id]} == {maya.key_id}
    with db.unit_of_work(clinic.id, read_only=True) as session:
        names = {session.get_one(Patient, each.id).first_name for each in (maya, leo)}
    assert names == {"Maya", "Leo"}


def test_keys_of_an_index_that_was_never_named_are_refused(house: Any, clinic: Clinic) -> None:
    with db.unit_of_work(clinic.id) as session, pytest.raises(ValueError, match="no such kind"):
        db.clinic_index(session, clinic.key_id, "shoe size", "43")


def test_the_doctor_names_a_replacement_that_was_left_halfway(house: Any, clinic: Clinic) -> None:
    assert key_check.left_over() == []
    begin(clinic)
    assert key_check.left_over() == []
    old_long_ago()
    assert "in clinics: 1" in key_check.left_over()[0]


def run(house: Any, ring: str, *options: str) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "service.cli", "keys", *options]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(argv, env=environment(house, ring), cwd=Path.cwd(), **piped)  # type: ignore[call-overload]


def ended(process: "subprocess.Popen[str]", code: int) -> str:
    told, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, told
    return told


def at_the_head() -> None:
    with db.engine().begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": migrations.heads()[0]})


def left(clinic: Clinic) -> int:
    return sum(replacing.sweep(clinic.id, (), NOBODY, write=False).anew.values())


@both
def test_killed_in_the_middle_it_goes_on_while_others_read_and_write(
    house: Any, clinic: Clinic, new_patient: Any
) -> None:
    ring = line(house)
    maya = new_patient("Maya")
    at_the_head()
    with db.unit_of_work(clinic.id) as session:
        records = [directory.PatientRecord(f"KEY{n}", f"First{n}", f"Last{n}", None, None) for n in range(MANY)]
        patients = [directory.save_patient(session, session.get_one(Clinic, clinic.id), each)[0] for each in records]
        whose = [patient.id for patient in patients]
    before = pairs()
    begun = run(house, ring, "replace", "--no-wait")

    def some_are_anew() -> bool:
        with remembering(before), db.unit_of_work(clinic.id) as session:  # a process that has not heard of it
            mine = session.get_one(Patient, maya.id)
            assert mine.first_name
            mine.first_name = f"Maya {os.urandom(2).hex()}"
        after = pairs()
        return after[whose_key[0]] != before[whose_key[0]] or begun.poll() is not None

    whose_key = [patient.key_id for patient in patients]
    until(some_are_anew, "the first new keys")
    begun.send_signal(signal.SIGKILL)
    begun.communicate(timeout=PATIENCE)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert replacing.being_replaced(session, clinic.id) > 0
    assert left(clinic) > 0, "it was killed before its end"
    told = ended(run(house, ring, "replace", "--no-wait"), 3)
    assert "The old keys are still there" in told
    assert left(clinic) == 0
    old_long_ago()
    assert "old keys are thrown away" in ended(run(house, ring, "replace", "--no-wait"), 0)
    after = pairs()
    assert [key_id for key_id in before if after[key_id].old or after[key_id].key == before[key_id].key] == []
    use(ring)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert [session.get_one(Patient, each).first_name for each in whose] == [f"First{n}" for n in range(MANY)]
        acts = session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.act.like("keys.%"))).all()
        assert sorted(acts) == ["keys.replaced", "keys.replacing"]


def test_a_dry_run_counts_and_changes_nothing_and_a_master_key_may_change_meanwhile(
    house: Any, clinic: Clinic, new_patient: Any
) -> None:
    old, new = line(house), keys.new_master_line("k2")
    maya = new_patient("Maya", record="R5")
    at_the_head()
    before = pairs()
    whole = ended(run(house, old, "replace", "--dry-run", "--json"), 0)
    assert '"table": "patient"' in whole
    assert '"table": "data_key", "values": 1' in ended(run(house, old, "replace", "--dry-run", "--json"), 0)
    assert pairs() == before
    begin(clinic)
    ended(run(house, f"{new},{old}", "rotate"), 0)
    use(new)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert session.get_one(Patient, maya.id).first_name == "Maya"
        assert session.scalar(select(func.count()).where(db.DataKey.old_wrapped.is_not(None))) == 2
    assert "Begun already: 2 keys" in ended(run(house, new, "replace", "--dry-run"), 0)
