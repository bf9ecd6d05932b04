"""Which of the clinic's patients an EHR means, and what of its word about a person is taken."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from config import db
from interchange.people import Person
from messaging.models import Clinic, Patient
from messaging.people import contact_details, directory

LONGEST_RECORD = 80
# A phone of these kinds is texted without another word; any other only where the EHR says that it may be.
TEXTED = ("mobile", "other", None)


class Unclear(Exception):
    """Who is meant is for a person to say: the message is the code of a problem."""


def known(session: Session, clinic: Clinic, who: dict[str, Any] | None, person: Person | None) -> Patient | None:
    """Return the patient with this number, of a merged record the one that stays; None where there is none.

    Raises Unclear where the record of that number is of somebody born on another day, or, where no day is known, of
    another last name: two EHRs may both have a patient 4711.
    """
    patient = directory.find_by_record(session, clinic, str(who["identifier"])) if who else None
    if patient is None:
        return None
    db.load_keys(session, [patient.key_id])
    if patient.record == (who or {}).get("identifier") and not _agrees(patient, person or {}):
        raise Unclear("patient_differs")
    return patient


def _agrees(patient: Patient, person: Person) -> bool:
    born, family = person.get("birth_date"), person.get("last_name")
    if born and patient.birth_date:
        return bool(born == patient.birth_date)
    return not family or not patient.last_name or family.casefold() == patient.last_name.casefold()


def added(session: Session, clinic: Clinic, who: dict[str, Any], person: Person | None, actor: str) -> Patient:
    """Return the patient, added to the clinic's where they are not yet. Raises Unclear where too little is said."""
    patient = known(session, clinic, who, person)
    if patient is not None:
        return patient
    if not person or not (person.get("first_name") or person.get("last_name")):
        raise Unclear("patient_unknown")
    return directory.save_patient(session, clinic, _record(who, person, None), source="ehr", actor=actor)[0]


def follow(session: Session, clinic: Clinic, patient: Patient, person: Person, actor: str) -> bool:
    """Bring what is known of a patient up to date; what is not said stays. False where nothing changed."""
    who = {"identifier": patient.record}
    _, change = directory.save_patient(session, clinic, _record(who, person, patient), source="ehr", actor=actor)
    return change != "unchanged"


def _record(who: dict[str, Any], person: Person, patient: Patient | None) -> directory.PatientRecord:
    number, consent = _phone(person.get("phones") or [])
    born = person.get("birth_date") or (patient.birth_date if patient else None)
    # Whoever has one name is greeted by it.
    first, last = ((person.get(name) or getattr(patient, name, "") or "")[:120] for name in ("first_name", "last_name"))
    return directory.PatientRecord(
        record=str(who["identifier"])[:LONGEST_RECORD],
        first_name=first or last,
        last_name=last if first else "",
        number=number,
        birth_date=date.fromisoformat(born) if born else None,
        language=person.get("language") or (patient.language if patient else "en"),
        zone=patient.zone if patient else None,
        panel=patient.panel if patient else None,
        sex=person.get("sex") or (patient.sex if patient else None),
        consent=consent,
        details=contact_details.of(patient) if patient else contact_details.UNKNOWN,
    )


def _phone(phones: list[dict[str, Any]]) -> tuple[str | None, bool]:
    """The number to text and whether it may be: a mobile before others, one that may be texted before one that may
    not. A "no" to a number is kept as one."""
    may = [phone for phone in phones if phone.get("number") and (phone["kind"] in TEXTED or phone["texts"])]
    may.sort(key=lambda phone: (phone["texts"] is False, phone["kind"] != "mobile"))
    return (may[0]["number"], may[0]["texts"] is not False) if may else (None, True)
