"""Destroys a record for good: nothing is texted, visits to come are cancelled, every word is overwritten, the key goes.

What stays is a row without a name, so that counts, the audit and the consent ledger stay whole: whoever opted out by
number has opted out.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit, clock, db, live
from messaging.models import Clinic, Message, Patient
from reminders import appointments, patient_locks, planner, withdrawing
from reminders.models import Appointment
from reminders.shredding import belonging, copies, emptying
from reminders.shredding.models import Shredding

# What the carrier may still be given, or asked about: only a restored database has it beside a destroyed record.
ON_THEIR_WAY = ("queued", "sending", "unknown", "held")
INDEX = "shredded"


def mark(session: Session, clinic: Clinic, patient_id: UUID) -> bytes:
    """Return the keyed hash by which a list of destroyed records names a patient."""
    return db.clinic_index(session, clinic.key_id, INDEX, str(patient_id))


def shred(session: Session, clinic: Clinic, patient: Patient, actor: str) -> bool:
    """Destroy the record, whoever agreed to it before; False, and nothing done, where that was done already.

    The caller has asked `deciding.refusals`; a restored database does not ask.
    """
    session.flush()
    patient_locks.take(session, [patient.id])
    session.refresh(patient)
    if patient.shredded_at is not None:
        return False
    db.load_keys(session, [clinic.key_id, patient.key_id])
    _nothing_is_texted(session, clinic, patient, actor)
    session.flush()
    patients = _records(session, patient)
    rows = belonging.of_patients(session, [each.id for each in patients], _their_keys(session, clinic, patients))
    _write_down(session, clinic, patient, actor)
    key_id = db.new_data_key(session, clinic.id, under=clinic.key_id)
    session.flush()
    copied = sum(copies.empty(session, clinic.id, copies.sought(session, each, rows), key_id) for each in patients)
    emptying.destroy_keys(session, patients, clinic.key_id)
    emptying.visits_nameless(session, rows.get("appointment", ()))
    counts = emptying.empty(session, rows, key_id)
    now = clock.now()
    session.execute(update(Patient).where(Patient.id.in_(rows["patient"])).values(shredded_at=now, state="inactive"))
    audit.record(
        session, clinic.id, actor, "patient.shredded", f"patient:{patient.id}", rows=sum(counts.values()), copies=copied
    )
    live.bump(session, clinic.id, "list", f"patient:{patient.id}")
    return True


def _records(session: Session, patient: Patient) -> list[Patient]:
    """The record, and those that were found to be second ones of it."""
    seconds = select(Patient).where(Patient.merged_into == patient.id)
    return [patient, *session.scalars(seconds)]


def _their_keys(session: Session, clinic: Clinic, patients: Sequence[Patient]) -> list[UUID]:
    """The keys of these records and of their conversations. One in which somebody else has written too, as on a phone
    that a family shares, is not destroyed: it goes back under the clinic's key, and only their own words are emptied.
    """
    theirs = [each.key_id for each in patients if each.key_id != clinic.key_id]
    below = db.keys_below(session, theirs)
    shared: set[UUID] = set()
    for table in belonging.tables().values():
        if {"key_id", "patient_id"} <= set(table.c.keys()):
            others = table.c.patient_id.not_in([each.id for each in patients])
            shared |= set(session.scalars(select(table.c.key_id).where(table.c.key_id.in_(below), others).distinct()))
    for key_id in shared:
        db.move_key(session, key_id, under=clinic.key_id)
    return [*theirs, *(key_id for key_id in below if key_id not in shared)]


def _nothing_is_texted(session: Session, clinic: Clinic, patient: Patient, actor: str) -> None:
    withdrawing.set_state(session, clinic, patient, "inactive", actor=actor)
    coming = select(Appointment).where(
        Appointment.patient_id == patient.id,
        Appointment.starts_at > clock.now(),
        Appointment.state.in_(appointments.OPEN),
    )
    visits = session.scalars(coming).all()
    for visit in visits:
        visit.state, visit.updated_at = "cancelled", clock.now()
        audit.record(session, clinic.id, actor, "appointment.cancelled", f"appointment:{visit.id}", why="shredded")
    planner.plan_many(session, visits)
    leaving = update(Message).where(
        Message.patient_id == patient.id, Message.direction == "out", Message.state.in_(ON_THEIR_WAY)
    )
    session.execute(leaving.values(state="cancelled", lease_until=None, fence=Message.fence + 1))


def _write_down(session: Session, clinic: Clinic, patient: Patient, actor: str) -> None:
    marked, now = mark(session, clinic, patient.id), clock.now()
    row = session.scalar(select(Shredding).where(Shredding.clinic_id == clinic.id, Shredding.mark == marked))
    if row is None:
        row = Shredding(clinic_id=clinic.id, mark=marked, asked_by=actor, asked_at=now)
        session.add(row)
    row.patient_id, row.done_at = patient.id, row.done_at or now
