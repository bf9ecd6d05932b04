"""What stood in clear beside a patient's id is sealed by the upgrade, reads the same, and is nowhere in the file."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import inspect, select, text

from config import db, keys
from messaging.models import Clinic, Message, Patient, SavedReply
from messaging.people import directory
from reminders import appointments, planned_rows
from reminders.models import Appointment, Handoff, Reminder
from service import migrations
from tests.house.test_zz_reasons_carried_over import KINDS, drop_file, fill
from web.models import SavedFilter

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
AT = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)
# None of these may be read by whoever has the file alone.
CANARY = {
    "kind": "Canary follow-up",
    "place": "Canary room 4",
    "reading": "crisis.en.canary",
    "name": "Canary saved",
    "words": "canary words",
    "hours": "07:13",
}
WORK: dict[str, Any] = {"try_after": AT, "attempts": 0, "fence": 0}
VISIT, UNKEYED, TEXT, STEP, REPLY, FILTER = (UUID(int=number) for number in range(1, 7))


def old_schema() -> None:
    """A database as 0067 left it."""
    if db.engine().dialect.name == "sqlite":
        drop_file()
    else:
        with db.engine().begin() as connection:
            db.Base.metadata.drop_all(connection)
    command.upgrade(migrations._config(), "0067")


def key(session: Any, clinic_id: UUID, under: tuple[UUID, bytes] | None) -> tuple[UUID, bytes]:
    """A key as its row was then; return its id and the key."""
    key_id, fresh = db.new_id(), keys.new_key()
    bound = ("data_key", str(key_id), str(clinic_id))
    row: dict[str, Any] = {"id": key_id, "clinic_id": clinic_id, "created_at": AT}
    if under is None:
        row["master_id"], row["wrapped"] = keys.ring().wrap(fresh, *bound)
    else:
        row["wrapped_by"], row["wrapped"] = under[0], keys.seal(under[1], fresh, *bound)
    fill(session, "data_key", row)
    return key_id, fresh


def rows_of_before() -> tuple[UUID, UUID]:
    """One row of each kind, as it was written until now; return the ids of the clinic and of the patient."""
    KINDS.update(dict.fromkeys(("reading", "media", "wishes", "texts", "query", "rules", "sent"), KINDS["why"]))
    KINDS.update({name: db.Moment() for name in ("requested_at", "at")})
    clinic_id, patient_id, staff_id = db.new_id(), db.new_id(), db.new_id()
    with db.unit_of_work(db.EVERY) as session:
        clinic_key, above = key(session, clinic_id, None)
        own, _ = key(session, clinic_id, (clinic_key, above))
        whose: dict[str, Any] = {"clinic_id": clinic_id}
        fill(session, "clinic", {"id": clinic_id, "key_id": clinic_key, "name": "L", "zone": "UTC",
             "number": "+13035550100", "phone": "+13035550101", "rules": {}, "created_at": AT})  # fmt: skip
        sealed = {f"{name}_ct": b"" for name in ("record", "first_name", "last_name")}
        fill(session, "patient", {"id": patient_id, **whose, "key_id": own, "record_index": b"1", **sealed,
             "language": "en", "sex": "female", "privacy": "place", "state": "active", "names_indexed": True,
             "wishes": {"hours": [CANARY["hours"], "12:00"]}, "created_at": AT})  # fmt: skip
        fill(session, "staff", a_colleague(staff_id, clinic_id, clinic_key))
        visit = {"id": VISIT, **whose, "patient_id": patient_id, "source": "s", "external_id": "1", "starts_at": AT,
             "zone": "UTC", "booked_at": AT, "kind": CANARY["kind"], "state": "booked", "revision": 1,
             "created_at": AT, "updated_at": AT}  # fmt: skip
        fill(session, "appointment", visit)
        fill(session, "handoff", {"id": UNKEYED, **whose, "patient_id": patient_id, "requested_by": "operator",
             "place": CANARY["place"], "modality": "in_person", "urgent": False, "state": "met", "stage": 0,
             "requested_at": AT, **WORK})  # fmt: skip
        fill(session, "message", {"id": TEXT, **whose, "key_id": clinic_key, "direction": "in", "kind": "reply",
             "lane": "bulk", "state": "received", "body_ct": b"", "media": [], "reading": [CANARY["reading"]],
             "dedupe": "d", "created_at": AT, **WORK})  # fmt: skip
        why = {"key": "dropped", "facts": {"because": {"key": "other_kind",
               "facts": {"wanted": "group", "theirs": CANARY["kind"]}}}}  # fmt: skip
        fill(session, "reminder", {"id": STEP, **whose, "appointment_id": VISIT, "step": "s", "revision": 1,
             "state": "dropped", "why": [why], **WORK})  # fmt: skip
        fill(session, "saved_reply", {"id": REPLY, **whose, "name": CANARY["name"], "texts": {"en": CANARY["words"]},
             "updated_at": AT})  # fmt: skip
        fill(session, "saved_filter", {"id": FILTER, **whose, "staff_id": staff_id, "name": CANARY["name"],
             "query": {}, "created_at": AT})  # fmt: skip
    return clinic_id, patient_id


def a_colleague(staff_id: UUID, clinic_id: UUID, key_id: UUID) -> dict[str, Any]:
    KINDS.update(dict.fromkeys(("languages", "panels", "hours", "on_call", "notify", "hints_closed"), KINDS["why"]))
    return {"id": staff_id, "clinic_id": clinic_id, "key_id": key_id, "email": "a@b.example", "name": "A",
        "role": "care_manager", "languages": [], "panels": [], "hours": {}, "on_call": {}, "notify": {},
        "hints_closed": [], "named_to_patients": True, "active": True, "created_at": AT}  # fmt: skip


@both
def test_what_is_stored_reads_the_same_after_it_and_opens_by_its_key_alone(house: Any) -> None:
    old_schema()
    KINDS["key_id"] = KINDS["id"]
    clinic_id, patient_id = rows_of_before()
    migrations.upgrade()
    with db.unit_of_work(clinic_id, read_only=True) as session:
        patient = session.get_one(Patient, patient_id)
        assert (patient.sex, patient.wishes) == ("female", {"hours": [CANARY["hours"], "12:00"]})
        assert session.get_one(Appointment, VISIT).kind == CANARY["kind"]
        assert session.get_one(Handoff, UNKEYED).place == CANARY["place"]
        assert session.get_one(Message, TEXT).reading == [CANARY["reading"]]
        assert session.get_one(Reminder, STEP).why[0]["facts"]["because"] == {"key": "other_kind", "facts": {}}
        reply = session.get_one(SavedReply, REPLY)
        assert (reply.name, reply.texts) == (CANARY["name"], {"en": CANARY["words"]})
        kept = session.get_one(SavedFilter, FILTER)
        assert (kept.name, kept.query) == (CANARY["name"], {})
    assert_nothing_is_readable(house)


def assert_nothing_is_readable(house: Any) -> None:
    with db.engine().connect() as connection:
        for table in inspect(connection).get_table_names():
            told = repr(connection.execute(text(f"SELECT * FROM {table}")).all())
            assert [word for word in CANARY.values() if word in told] == [], table
    if db.engine().dialect.name == "sqlite":
        db.engine().dispose()
        with closing(sqlite3.connect(house.data_dir / "warmthread.sqlite3")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for file in Path(house.data_dir).glob("warmthread.sqlite3*"):
            assert [word for word in CANARY.values() if word.encode() in file.read_bytes()] == [], file.name


@both
def test_ended_in_the_middle_it_has_not_happened_and_begins_again(house: Any, monkeypatch: Any) -> None:
    old_schema()
    KINDS["key_id"] = KINDS["id"]
    clinic_id, _ = rows_of_before()
    seal, calls = keys.seal, []

    def dies(*given: Any) -> bytes:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return seal(*given)

    with monkeypatch.context() as patched:
        patched.setattr(keys, "seal", dies)
        with pytest.raises(KeyboardInterrupt):
            migrations.upgrade()
    assert migrations.current() == "0067"
    migrations.upgrade()
    with db.unit_of_work(clinic_id, read_only=True) as session:
        assert session.get_one(Appointment, VISIT).kind == CANARY["kind"]


@both
def test_a_visit_planned_from_bare_columns_knows_its_kind(house: Any, clinic: Clinic) -> None:
    with db.unit_of_work(clinic.id) as session:
        own = session.get_one(Clinic, clinic.id)
        record = directory.PatientRecord("R1", "Rosa", "Vance", None, date(1980, 2, 29))
        patient, _ = directory.save_patient(session, own, record)
        starts = datetime.now(UTC) + timedelta(days=9)
        visit = appointments.VisitRecord("1", "R1", starts, "America/Denver", datetime.now(UTC), kind=CANARY["kind"])
        appointments.save(session, own, patient, visit)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        assert [visit.kind for visit in planned_rows.visits(session)] == [CANARY["kind"]]
        assert session.scalars(select(Appointment.kind_ct)).one() != CANARY["kind"].encode()
