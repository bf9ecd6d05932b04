"""Whose texts leave next where several clinics wait."""

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from config import db
from messaging.delivery import deliver, turns
from messaging.models import Message, Patient
from messaging.people import directory
from tests.messaging.conftest import Desk

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
LEASE = timedelta(seconds=60)


def another(number: int) -> tuple[Desk, Patient]:
    """Another clinic on this host, with one patient."""
    with db.unit_of_work(db.EVERY) as session:
        line = f"+13035550{number}"
        clinic = directory.add_clinic(session, name=f"Clinic {number}", zone="America/Denver", number=line, phone=line)
        record = directory.PatientRecord("R1", "Ana", "Quill", f"+13035551{number}", date(1980, 3, 9))
        patient = directory.save_patient(session, clinic, record)[0]
    return Desk(clinic), patient


def claimed(limit: int) -> Counter[object]:
    """How many texts of each clinic one batch takes."""
    with db.unit_of_work(db.EVERY) as session:
        claims = turns.claim(session, deliver.due_in("bulk"), "bulk", limit=limit, lease=LEASE)
        rows = session.execute(select(Message.clinic_id).where(Message.id.in_([claim.id for claim in claims])))
        return Counter(clinic_id for (clinic_id,) in rows)


@both
def test_two_texts_of_one_clinic_do_not_wait_for_fifty_of_another(desk: Desk, new_patient: object) -> None:
    patient = new_patient()  # type: ignore[operator]
    for _ in range(50):
        desk.text(patient)
    other, theirs = another(210)
    for _ in range(2):
        other.text(theirs)
    assert claimed(12) == {desk.clinic.id: 10, other.clinic.id: 2}
    assert claimed(12) == {desk.clinic.id: 12}


@both
def test_a_clinic_alone_has_the_whole_batch_oldest_first(desk: Desk, new_patient: object) -> None:
    patient = new_patient()  # type: ignore[operator]
    texts = [desk.text(patient) for _ in range(5)]
    another(210)
    with db.unit_of_work(db.EVERY) as session:
        claims = turns.claim(session, deliver.due_in("bulk"), "bulk", limit=3, lease=LEASE)
    assert {claim.id for claim in claims} == {message.id for message in texts[:3]}


def test_where_more_clinics_wait_than_a_batch_serves_all_are_served_in_the_end(
    desk: Desk, new_patient: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "CLINICS", 2)
    desk.text(new_patient())  # type: ignore[operator]
    clinics = {desk.clinic.id}
    for number in range(210, 214):
        other, theirs = another(number)
        other.text(theirs)
        clinics.add(other.clinic.id)
    served: Counter[object] = Counter()
    while batch := claimed(2):
        served += batch
    assert served == dict.fromkeys(clinics, 1)


def test_the_queued_texts_of_a_clinic_are_found_by_their_own_index(desk: Desk, new_patient: object) -> None:
    desk.text(new_patient())  # type: ignore[operator]
    with db.unit_of_work(db.EVERY) as session:
        assert turns.waiting(session, "bulk") == [desk.clinic.id]
        bind = session.get_bind()
        asked = turns.waiting_query("bulk").compile(bind, compile_kwargs={"literal_binds": True})
        plan = str(session.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all())
    assert "ix_message_turns" in plan
