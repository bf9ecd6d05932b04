"""Saves many patients at once: what `people.save_patient` does for one, in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, db
from messaging import conversations
from messaging.consent import ledger
from messaging.models import PROGRAMMES, Clinic, Conversation, Patient, PatientName, PatientNumber
from messaging.people import directory, name_search
from messaging.people.directory import Change, PatientRecord


def save_patients(
    session: Session,
    clinic: Clinic,
    records: Sequence[PatientRecord],
    *,
    source: str = "import",
    actor: str = audit.OPERATOR,
) -> list[tuple[Patient, Change]]:
    """Add these patients or bring what is known of them up to date, in order; each as `people.save_patient` would."""
    saved: list[tuple[Patient, Change]] = []
    for some in _apart(records):
        saved += _Batch(session, clinic, some, source, actor).save()
    return saved


def find_by_records(session: Session, clinic: Clinic, records: Collection[str]) -> dict[str, Patient]:
    """Return the patients with these record numbers of the clinic, by record number; who is not known is left out.

    Of a merged record it is the one that stays.
    """
    of_index = {db.clinic_index(session, clinic.key_id, "record", record): record for record in records}
    ours = (Patient.clinic_id == clinic.id, db.among(session, Patient.record_index, of_index))
    rows = session.scalars(select(Patient).where(*ours)).all()
    return {
        of_index[row.record_index]: session.get_one(Patient, row.merged_into) if row.merged_into else row
        for row in rows
    }


def _apart(records: Sequence[PatientRecord]) -> Iterator[list[PatientRecord]]:
    """Split where a record or a number comes again: what follows must see what the one before has changed."""
    some: list[PatientRecord] = []
    seen: set[str] = set()
    for record in records:
        marks = {f"record:{record.record}", *([f"number:{record.number}"] if record.number else [])}
        if marks & seen:
            yield some
            some, seen = [], set()
        some.append(record)
        seen |= marks
    if some:
        yield some


class _Batch:
    """Records of which no two are of one patient or have one number, with all that is known, read at once."""

    def __init__(
        self, session: Session, clinic: Clinic, records: Sequence[PatientRecord], source: str, actor: str
    ) -> None:
        self.session, self.clinic, self.records = session, clinic, records
        self.source, self.actor = source, actor
        self.of_number = {
            record.number: db.clinic_index(session, clinic.key_id, "number", record.number)
            for record in records
            if record.number
        }
        self.by_record = find_by_records(session, clinic, [record.record for record in records])
        db.load_keys(session, (patient.key_id for patient in self.by_record.values()))
        unknown = sum(record.record not in self.by_record for record in records)
        self.fresh_keys = db.new_data_keys(session, clinic.id, unknown, under=clinic.key_id)
        self.numbers = self._numbers()
        ours = [(clinic.id, index) for index in self.of_number.values()]
        self.agreed, self.vouched = ledger.states(session, ours), ledger.lines_of(session, ours)
        self.learnt = directory.learnt(session, clinic, self.of_number.values())
        self.spoken_to = self._spoken_to()
        self.renamed: list[Patient] = []

    def save(self) -> list[tuple[Patient, Change]]:
        with self.session.no_autoflush:
            saved = [self._save(record) for record in self.records]
            found_by = [row for patient in self.renamed for row in name_search.rows(self.session, self.clinic, patient)]
            # What refers to a patient by an id alone comes after them.
            self.session.flush()
            self._write_down(saved)
            self._index_names(found_by)
        for record in self.records:
            if record.number in self.spoken_to:
                conversations.attribute(self.session, self.clinic, record.number)
        return saved

    def _numbers(self) -> dict[UUID, list[PatientNumber]]:
        by_patient: defaultdict[UUID, list[PatientNumber]] = defaultdict(list)
        ids = [patient.id for patient in self.by_record.values()]
        rows = (
            select(PatientNumber)
            .where(db.among(self.session, PatientNumber.patient_id, ids))
            .order_by(PatientNumber.id)
        )
        for row in self.session.scalars(rows) if ids else ():
            by_patient[row.patient_id].append(row)
        return by_patient

    def _spoken_to(self) -> set[str]:
        """The numbers with which there is a conversation already, whose patient it may be to find anew."""
        rows = select(Conversation.number_index).where(
            Conversation.clinic_id == self.clinic.id,
            db.among(self.session, Conversation.number_index, self.of_number.values()),
        )
        there = set(self.session.scalars(rows)) if self.of_number else set()
        return {number for number, index in self.of_number.items() if index in there}

    def _save(self, record: PatientRecord) -> tuple[Patient, Change]:
        patient = self.by_record.get(record.record)
        change: Change = "unchanged"
        if patient is None:
            patient = directory.new_patient(self.session, self.clinic, record, key_id=self.fresh_keys.pop())
            change = "created"
            self.renamed.append(patient)
        elif patient.record != record.record:
            return patient, change  # a record that was merged: the one that stays says who they are
        elif changed := directory.update(patient, record):
            change = "updated"
            if changed & name_search.INDEXED:
                self.renamed.append(patient)
        if record.number:
            news = [self._add_number(patient, record.number), self._says(record, patient) is not None]
            change = "updated" if change == "unchanged" and any(news) else change
        return patient, change

    def _add_number(self, patient: Patient, number: str) -> bool:
        numbers, index = self.numbers.get(patient.id, []), self.of_number[number]
        if numbers and numbers[-1].number_index == index:
            return False
        if any(row.number_index == index for row in numbers):
            self.session.flush()
            return directory.add_number(self.session, self.clinic, patient, number)
        self.session.add(
            PatientNumber(
                clinic_id=self.clinic.id, key_id=patient.key_id, patient_id=patient.id, number_index=index,
                number=number, line=self.learnt.get(index, "unknown"),
            )
        )  # fmt: skip
        return True

    def _says(self, record: PatientRecord, patient: Patient) -> ledger.Event | None:
        """What the file adds to what the number has said so far; a merged record's line adds nothing."""
        if patient.record != record.record:
            return None
        index = self.of_number[record.number or ""]
        states = {self.agreed.get((self.clinic.id, index, programme), "unknown") for programme in PROGRAMMES}
        return ledger.vouched(record.consent, states, known=(index, patient.id) in self.vouched)

    def _write_down(self, saved: Sequence[tuple[Patient, Change]]) -> None:
        changes = [(record, *outcome) for record, outcome in zip(self.records, saved, strict=True)]
        statements = [
            ledger.Said(self.of_number[record.number], patient.id, event)
            for record, patient, _ in changes
            if record.number and (event := self._says(record, patient))
        ]
        acts = ledger.record_many(self.session, self.clinic, statements, source=self.source, actor=self.actor)
        acts += [
            (f"patient.{change}", f"patient:{patient.id}", {"source": self.source})
            for _, patient, change in changes
            if change != "unchanged"
        ]
        audit.record_many(self.session, self.clinic.id, self.actor, acts)

    def _index_names(self, rows: Sequence[dict[str, Any]]) -> None:
        ids = [patient.id for patient in self.renamed]
        self.session.execute(delete(PatientName).where(db.among(self.session, PatientName.patient_id, ids)))
        db.write_rows(self.session, PatientName, rows)
