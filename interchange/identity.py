"""Which of the clinic's patients an EHR means, and what of its word about a person is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import db
from interchange.models import Feed, FeedPatient
from interchange.people import Identifier, Person
from messaging.models import Clinic, Patient
from messaging.people import contact_details, directory
from reminders import emergency

LONGEST_RECORD = 80
# A phone of these kinds is texted without another word; any other only where the EHR says that it may be.
TEXTED = ("mobile", "other", None)


class Unclear(Exception):
    """Who is meant is for a person to say: the message is the code of a problem."""


@dataclass(frozen=True)
class Register:
    """The clinic's patients as one feed knows them, and who acts when one is added or changed."""

    session: Session
    clinic: Clinic
    feed: Feed
    actor: str

    def known(self, who: Identifier | None, person: Person | None) -> Patient | None:
        """Return the patient whom this identifier means, of a merged record the one that stays; None where there is
        none.

        It is the one whom the feed has meant by it before, else the one with this record number, else the only one of
        this number, name and birth date. Raises Unclear where the record of that number is of somebody born on another
        day, or, where no day is known, of another last name: two EHRs may both have a patient 4711.
        """
        if who is None:
            return None
        patient = self._linked(who) or self._by_record(who, person or {}) or self._alike(person or {})
        if patient is not None:
            db.load_keys(self.session, [patient.key_id])
            self._link(patient, [who])
        return patient

    def added(self, who: Identifier, person: Person | None, others: Sequence[Identifier]) -> Patient:
        """Return the patient, added to the clinic's where they are not yet, and known by the other identifiers from
        now on. Raises Unclear where too little is said to add one."""
        patient = self.known(who, person)
        if patient is None:
            if not person or not (person.get("first_name") or person.get("last_name")):
                raise Unclear("patient_unknown")
            record = _record(_number(who), person, None)
            patient, _ = directory.save_patient(self.session, self.clinic, record, source="ehr", actor=self.actor)
        self._link(patient, [who, *others])
        return patient

    def follow(self, patient: Patient, person: Person, others: Sequence[Identifier]) -> bool:
        """Bring what is known of a patient up to date; what is not said stays. False where nothing changed."""
        self._link(patient, others)
        record = _record(patient.record or "", person, patient)
        saved = directory.save_patient(self.session, self.clinic, record, source="ehr", actor=self.actor)
        return saved[1] != "unchanged"

    def _index(self, who: Identifier) -> bytes:
        named = "|".join(who.get(name) or "" for name in ("authority", "type", "identifier"))
        return db.clinic_index(self.session, self.clinic.key_id, "feed_patient", named)

    def _link_of(self, who: Identifier) -> FeedPatient | None:
        ours = select(FeedPatient).where(
            FeedPatient.feed_id == self.feed.id, FeedPatient.identifier_index == self._index(who)
        )
        return self.session.scalar(ours)

    def _linked(self, who: Identifier) -> Patient | None:
        link = self._link_of(who)
        patient = self.session.get_one(Patient, link.patient_id) if link else None
        return self.session.get_one(Patient, patient.merged_into) if patient and patient.merged_into else patient

    def _by_record(self, who: Identifier, person: Person) -> Patient | None:
        patient = directory.find_by_record(self.session, self.clinic, _number(who))
        if patient is None:
            return None
        db.load_keys(self.session, [patient.key_id])
        if patient.record == _number(who) and not _agrees(patient, person):
            raise Unclear("patient_differs")
        return patient

    def _alike(self, person: Person) -> Patient | None:
        """The only patient with one of these phones, this birth date and this whole name."""
        numbers = [phone["number"] for phone in person.get("phones") or [] if phone.get("number")]
        fitting = {
            patient.id: patient
            for number in numbers
            for patient in directory.patients_with_number(self.session, self.clinic, number)
        }
        db.load_keys(self.session, [patient.key_id for patient in fitting.values()])
        same = [patient for patient in fitting.values() if _is_same(patient, person) and not patient.merged_into]
        return same[0] if len(same) == 1 else None

    def _link(self, patient: Patient, identifiers: Sequence[Identifier]) -> None:
        for who in identifiers:
            link = self._link_of(who)
            if link is None:
                link = FeedPatient(
                    clinic_id=self.clinic.id,
                    key_id=patient.key_id,
                    feed_id=self.feed.id,
                    identifier_index=self._index(who),
                    patient_id=patient.id,
                )
                self.session.add(link)
                emergency.cover(self.session, patient, self.feed.source)
            if who.get("reference") and link.reference_ct is None:
                link.key_id, link.reference = patient.key_id, who["reference"]
            self.session.flush()


def _number(who: Identifier) -> str:
    return (who["identifier"] or "")[:LONGEST_RECORD]


def _agrees(patient: Patient, person: Person) -> bool:
    born, family = person.get("birth_date"), person.get("last_name")
    if born and patient.birth_date:
        return bool(born == patient.birth_date)
    return not family or not patient.last_name or family.casefold() == patient.last_name.casefold()


def _is_same(patient: Patient, person: Person) -> bool:
    names = [(person.get(name) or "", getattr(patient, name) or "") for name in ("first_name", "last_name")]
    alike = all(said.casefold() == known.casefold() for said, known in names)
    return alike and bool(patient.birth_date) and patient.birth_date == person.get("birth_date")


def _record(number_of_record: str, person: Person, patient: Patient | None) -> directory.PatientRecord:
    number, consent = _phone(person.get("phones") or [])
    born = person.get("birth_date") or (patient.birth_date if patient else None)
    # Whoever has one name is greeted by it.
    first, last = ((person.get(name) or getattr(patient, name, "") or "")[:120] for name in ("first_name", "last_name"))
    return directory.PatientRecord(
        record=number_of_record,
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
