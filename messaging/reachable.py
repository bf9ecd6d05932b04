"""The facts of contactability as they stand now, for one person or for many, with the same few SELECTs."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from config import db
from messaging.consent import ledger
from messaging.contactability import Facts, Number
from messaging.models import PROGRAMMES, Conversation, Patient, PatientNumber


@dataclass(frozen=True)
class Reach:
    """What decides whether one patient may be texted, read once: of their record, and of each number by its index."""

    facts: Facts
    numbers: Mapping[bytes, Number]

    def of_number(self, index: bytes) -> Facts | None:
        """Return what decides for one of their numbers, None where it is not in their record."""
        number = self.numbers.get(index)
        return Facts(self.facts.state, [number]) if number else None

    def may_be_shared(self, index: bytes) -> bool:
        """Whether a number is somebody else's too, or not in their record, so that nothing is known of it."""
        number = self.numbers.get(index)
        return number is None or number.shared


# Of whom no record speaks.
NOBODY = Reach(Facts(None), {})

# A number as every table names it: its clinic and its blind index.
Index = tuple[UUID, bytes]


def of_patient(session: Session, patient: Patient) -> Facts:
    """Return what decides whether this patient may be texted."""
    return of_patients(session, [patient.id])[patient.id]


def reach_of(session: Session, patient: Patient) -> Reach:
    """Return what decides whether this patient may be texted, for a page that asks it of several places."""
    indexes = [(number.clinic_id, number.number_index) for number in patient.numbers]
    return _reach(_Known(session, set(indexes)), patient.id, patient.state, indexes)


def of_patients(session: Session, ids: Collection[UUID]) -> dict[UUID, Facts]:
    """Return what decides for each of these patients, in four SELECTs; nothing sealed is opened."""
    states = _states(session, ids)
    rows = select(PatientNumber.patient_id, PatientNumber.clinic_id, PatientNumber.number_index).where(
        db.among(session, PatientNumber.patient_id, ids)
    )
    numbers_of: defaultdict[UUID, list[Index]] = defaultdict(list)
    for patient_id, clinic_id, index in session.execute(rows.order_by(PatientNumber.id)):
        numbers_of[patient_id].append((clinic_id, index))
    known = _Known(session, {number for given_numbers in numbers_of.values() for number in given_numbers})
    return {who: _reach(known, who, state, numbers_of[who]).facts for who, state in states.items()}


def _reach(known: "_Known", who: UUID, state: str, indexes: Sequence[Index]) -> Reach:
    numbers = {index: known.number((clinic_id, index), who) for clinic_id, index in indexes}
    return Reach(Facts(state, list(numbers.values())), numbers)


def of_conversation(session: Session, conversation: Conversation, patient_id: UUID | None) -> Facts:
    """Return what decides whether this number may be texted about this patient (None: about nobody we know)."""
    return of_conversations(session, [(conversation, patient_id)])[conversation.id, patient_id]


def of_conversations(
    session: Session, meant: Collection[tuple[Conversation, UUID | None]]
) -> dict[tuple[UUID, UUID | None], Facts]:
    """Return what decides for each of these numbers and the patient meant, by the ids of both, in three SELECTs."""
    states = _states(session, {patient_id for _, patient_id in meant if patient_id})
    known = _Known(session, {_index(conversation) for conversation, _ in meant})
    return {
        (conversation.id, who): Facts(states.get(who) if who else None, [known.number(_index(conversation), who)])
        for conversation, who in meant
    }


def _index(conversation: Conversation) -> Index:
    return conversation.clinic_id, conversation.number_index


def _states(session: Session, ids: Collection[UUID]) -> Mapping[UUID, str]:
    if not ids:
        return {}
    return dict(session.execute(select(Patient.id, Patient.state).where(db.among(session, Patient.id, ids))).all())


class _Known:
    """What the records and the ledger say of some numbers."""

    def __init__(self, session: Session, numbers: Collection[Index]) -> None:
        self._agreed = ledger.states(session, numbers)
        self._lines: defaultdict[Index, dict[UUID, str]] = defaultdict(dict)
        for clinic_id, index, patient_id, line in _rows(session, numbers):
            self._lines[clinic_id, index][patient_id] = line

    def number(self, index: Index, patient_id: UUID | None) -> Number:
        """Return a number as it concerns this patient."""
        lines = self._lines[index]
        others = frozenset(line for whose, line in lines.items() if whose != patient_id)
        agreed = {programme: self._agreed.get((*index, programme), "unknown") for programme in PROGRAMMES}
        return Number(lines.get(patient_id) if patient_id else None, others, agreed)


def _rows(session: Session, numbers: Collection[Index]) -> Sequence[Row[UUID, bytes, UUID, str]]:
    if not numbers:
        return []
    row = PatientNumber
    lines = select(row.clinic_id, row.number_index, row.patient_id, row.line).where(
        row.clinic_id.in_({clinic_id for clinic_id, _ in numbers}),
        db.among(session, row.number_index, list({index for _, index in numbers})),
    )
    return session.execute(lines).all()
