"""Clinics, staff and patients: how they come in, and how a number or a record number finds them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging import conversations, second_people
from messaging.consent import ledger
from messaging.contactability import TEXTABLE as TEXTABLE
from messaging.models import Clinic, Patient, PatientNumber, Staff
from messaging.people import contact_details, name_search
from messaging.people.privacy import LEVELS as LEVELS
from messaging.people.privacy import STATES as STATES
from messaging.people.privacy import Privacy as Privacy
from messaging.people.privacy import State as State
from messaging.people.privacy import set_privacy as set_privacy
from messaging.people.privacy import set_state as set_state

Change = Literal["created", "updated", "unchanged"]
LEARNT = ("dead", "landline")


@dataclass(frozen=True)
class PatientRecord:
    """A patient as the clinic's own system knows them. `number` is E.164; `consent` whether the clinic may text.

    `privacy` and `state` are None where the system does not say; `left_out` says in words what could not be used.
    """

    record: str
    first_name: str
    last_name: str
    number: str | None
    birth_date: date | None
    language: str = "en"
    zone: str | None = None
    panel: str | None = None
    sex: str | None = None
    privacy: Privacy | None = None
    consent: bool = True
    state: State | None = None
    left_out: str | None = None
    details: contact_details.ContactDetails = contact_details.UNKNOWN


def add_clinic(
    session: Session,
    *,
    name: str,
    zone: str,
    number: str,
    phone: str | None = None,
    rules: Mapping[str, Any] | None = None,
) -> Clinic:
    """Add a clinic with a key of its own. `number` is the one patients text, `phone` the one they call."""
    clinic_id = db.new_id()
    clinic = Clinic(
        id=clinic_id,
        key_id=db.new_data_key(session, clinic_id),
        name=name,
        zone=zone,
        number=number,
        phone=phone or number,
        rules=dict(rules or {}),
        created_at=clock.now(),
    )
    session.add(clinic)
    session.flush()
    audit.record(session, clinic_id, audit.OPERATOR, "clinic.created", f"clinic:{clinic_id}")
    return clinic


def clinic_by_number(session: Session, number: str) -> Clinic | None:
    """Return the clinic whose patients text `number` (E.164), if there is one."""
    return session.scalar(select(Clinic).where(Clinic.number == number))


def add_staff(
    session: Session,
    clinic: Clinic,
    *,
    name: str,
    email: str,
    role: str = "care_manager",
    languages: Sequence[str] = ("en",),
    panels: Sequence[str] = (),
    hours: Mapping[str, Any] | None = None,
    number: str | None = None,
    credential: str = "",
    actor: str = audit.OPERATOR,
) -> Staff:
    """Add someone who works at the clinic; they cannot sign in before they have used an invitation."""
    staff = Staff(
        clinic_id=clinic.id,
        key_id=clinic.key_id,
        email=email.strip().lower(),
        name=name,
        credential=credential,
        role=role,
        languages=list(languages),
        panels=list(panels),
        hours=dict(hours or {}),
        number=number,
        active=True,
        created_at=clock.now(),
    )
    second_people.begin_to_settle(staff, actor)
    session.add(staff)
    session.flush()
    audit.record(session, clinic.id, actor, "staff.created", f"staff:{staff.id}", role=role)
    return staff


def find_by_record(session: Session, clinic: Clinic, record: str) -> Patient | None:
    """Return the patient with the clinic's record number, if known; of a merged record the one that stays."""
    index = db.clinic_index(session, clinic.key_id, "record", record)
    patient = session.scalar(select(Patient).where(Patient.clinic_id == clinic.id, Patient.record_index == index))
    return session.get_one(Patient, patient.merged_into) if patient and patient.merged_into else patient


def patients_with_number(session: Session, clinic: Clinic, number: str) -> list[Patient]:
    """Return every patient, of whatever state, who gave this number and was not told apart from it, oldest first."""
    index = db.clinic_index(session, clinic.key_id, "number", number)
    patients = (
        select(Patient)
        .join(PatientNumber)
        .where(
            PatientNumber.clinic_id == clinic.id,
            PatientNumber.number_index == index,
            PatientNumber.line != "wrong_person",
        )
        .order_by(Patient.id)
    )
    return list(session.scalars(patients))


def textable_number(session: Session, patient: Patient) -> PatientNumber | None:
    """Return the number last given that can be texted: not a landline, not dead, not somebody else's."""
    return session.scalar(
        select(PatientNumber)
        .where(PatientNumber.patient_id == patient.id, PatientNumber.line.in_(TEXTABLE))
        .order_by(PatientNumber.id.desc())
        .limit(1)
    )


def save_patient(
    session: Session,
    clinic: Clinic,
    record: PatientRecord,
    *,
    source: str = "import",
    actor: str = audit.OPERATOR,
) -> tuple[Patient, Change]:
    """Add the patient or bring what is known up to date; the record number says who it is."""
    patient = find_by_record(session, clinic, record.record)
    change: Change = "unchanged"
    if patient is None:
        patient, change = new_patient(session, clinic, record), "created"
        session.flush()
        name_search.index(session, clinic, patient)
    elif patient.record != record.record:
        return patient, "unchanged"  # a record that was merged: the one that stays says who they are
    elif changed := update(patient, record):
        change = "updated"
        if changed & name_search.INDEXED:
            name_search.index(session, clinic, patient)
    if record.number:
        added = add_number(session, clinic, patient, record.number)
        vouched = ledger.vouch(
            session, clinic, record.number, record.consent, patient_id=patient.id, source=source, actor=actor
        )
        change = "updated" if change == "unchanged" and (added or vouched) else change
    if change != "unchanged":
        audit.record(session, clinic.id, actor, f"patient.{change}", f"patient:{patient.id}", source=source)
    return patient, change


def new_patient(session: Session, clinic: Clinic, record: PatientRecord, *, key_id: UUID | None = None) -> Patient:
    """Return a patient with a key of their own, made now if not before, added to the session and not yet flushed."""
    patient = Patient(
        clinic_id=clinic.id,
        key_id=key_id or db.new_data_key(session, clinic.id, under=clinic.key_id),
        record_index=db.clinic_index(session, clinic.key_id, "record", record.record),
        record=record.record,
        state=record.state or "active",
        privacy=record.privacy or "place",
        created_at=clock.now(),
        **_facts(record),
    )
    session.add(patient)
    return patient


def _facts(record: PatientRecord) -> dict[str, Any]:
    return {
        "first_name": record.first_name,
        "last_name": record.last_name,
        "birth_date": record.birth_date.isoformat() if record.birth_date else None,
        "language": record.language,
        "zone": record.zone,
        "panel": record.panel,
        "sex": record.sex,
        **contact_details.told(record.details),
    }


def update(patient: Patient, record: PatientRecord) -> set[str]:
    """Bring a patient up to date; return the names of what changed. The state is reminders.withdrawing's to change."""
    # What patients have chosen for themselves outlives every file, as a STOP does; so does what a colleague wrote.
    kept = {*patient.wishes, *(contact_details.FIELDS if patient.details_by else ())}
    facts = {name: value for name, value in _facts(record).items() if name not in kept}
    if record.privacy is not None and patient.privacy_by is None:
        facts["privacy"] = record.privacy
    changed = {name: value for name, value in facts.items() if getattr(patient, name) != value}
    for name, value in changed.items():
        setattr(patient, name, value)
    return set(changed)


def openness(session: Session, patient: Patient) -> str:
    """Return how much a text may say now: details only once the patient has answered from the number texted.

    Until then the number may be a stranger's: mistyped in a file, or given on by the telephone company.
    """
    if patient.privacy != "details":
        return patient.privacy
    number = textable_number(session, patient)
    return "details" if number is not None and conversations.has_answered(session, number) else "place"


def add_number(session: Session, clinic: Clinic, patient: Patient, number: str) -> bool:
    """Make `number` (E.164) the one the patient has given last; False if it already is. Consent is not touched."""
    index = db.clinic_index(session, clinic.key_id, "number", number)
    rows = select(PatientNumber).where(PatientNumber.patient_id == patient.id).order_by(PatientNumber.id)
    numbers = session.scalars(rows).all()
    earlier = next((row for row in numbers if row.number_index == index), None)
    if earlier is not None and earlier is numbers[-1]:
        return False
    if earlier is not None:  # they have gone back to an earlier number: it is the last given again
        session.delete(earlier)
        session.flush()
    session.add(
        PatientNumber(
            clinic_id=clinic.id,
            key_id=patient.key_id,
            patient_id=patient.id,
            number_index=index,
            number=number,
            line=earlier.line if earlier is not None else learnt(session, clinic, [index]).get(index, "unknown"),
        )
    )
    session.flush()
    conversations.attribute(session, clinic, number)
    return True


def learnt(session: Session, clinic: Clinic, indexes: Iterable[bytes]) -> dict[bytes, str]:
    """Return what others' texts to these numbers have taught us: a dead one given again may be a stranger's by now."""
    rows = select(PatientNumber.number_index, PatientNumber.line).where(
        PatientNumber.clinic_id == clinic.id,
        db.among(session, PatientNumber.number_index, list(indexes)),
        PatientNumber.line.in_(LEARNT),
    )
    return dict(session.execute(rows).all())


def mark_number(session: Session, clinic: Clinic, number: PatientNumber, line: str, actor: str) -> None:
    """Say of one patient's number that it is somebody else's (wrong_person), or theirs after all (unknown).

    Whoever says it is theirs has spoken with them there, so a number learnt to be dead or a landline is tried again.
    """
    if line == "unknown" and number.line in LEARNT:
        learn_line(session, clinic, number.number or "", line, actor)
    number.line = line
    audit.record(session, clinic.id, actor, "number.line", f"patient:{number.patient_id}", line=line)
    session.flush()
    conversations.attribute(session, clinic, number.number or "")


def learn_line(session: Session, clinic: Clinic, number: str, line: str, actor: str) -> None:
    """Remember what was learnt about a number (landline, dead, wrong_person), for everyone who gave it.

    Somebody else's number stays somebody else's, whatever is learnt of it later.
    """
    index = db.clinic_index(session, clinic.key_id, "number", number)
    rows = select(PatientNumber).where(
        PatientNumber.clinic_id == clinic.id,
        PatientNumber.number_index == index,
        PatientNumber.line != "wrong_person",
    )
    for row in session.scalars(rows):
        row.line = line
        audit.record(session, clinic.id, actor, "number.line", f"patient:{row.patient_id}", line=line)
