"""Many patients saved at once become exactly what they would have become one by one, with few statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from config import db
from messaging.consent import ledger
from messaging.models import Clinic, Patient, PatientName
from messaging.people import bulk_save, directory, name_search

# Another number for the clinic of each example: the database outlives them.
SERIAL = count()
NUMBERS = ("+13035550101", "+13035550102", "+13035550103")
RECORDS = st.builds(
    directory.PatientRecord,
    record=st.sampled_from(["A", "B", "C", "D"]),
    first_name=st.sampled_from(["Ana", "Bo", "José"]),
    last_name=st.sampled_from(["Quill", "García-Márquez"]),
    number=st.sampled_from([None, *NUMBERS]),
    birth_date=st.sampled_from([None, date(1980, 2, 29)]),
    language=st.sampled_from(["en", "es"]),
    consent=st.booleans(),
)


def _clinic(number: str) -> Clinic:
    with db.unit_of_work(db.EVERY) as session:
        return directory.add_clinic(session, name="Alder", zone="America/Denver", number=number)


def _told(clinic: Clinic) -> list[Any]:
    """Everything that is known of a clinic's patients, without ids and times."""
    with db.unit_of_work(clinic.id) as session:
        people = []
        for patient in session.scalars(select(Patient).where(Patient.clinic_id == clinic.id)):
            tokens = select(PatientName.token).where(PatientName.patient_id == patient.id)
            people.append(
                (
                    patient.record,
                    [getattr(patient, name) for name in ("first_name", "last_name", "birth_date", "language")],
                    [(number.number, number.line) for number in patient.numbers],
                    len(session.scalars(tokens).all()),
                    patient.names_indexed,
                )
            )
        consents = {
            number: [(line.programme, line.event) for line in ledger.ledger(session, clinic, number)]
            for number in NUMBERS
        }
        # The lines of one consent are written at one moment: their order means nothing.
        return [sorted(people, key=lambda facts: facts[0]), {key: sorted(lines) for key, lines in consents.items()}]


@settings(max_examples=15, deadline=None)
@given(first=st.lists(RECORDS, max_size=5), second=st.lists(RECORDS, max_size=5))
def test_many_at_once_become_what_they_would_one_by_one(house: object, first: Any, second: Any) -> None:
    clinics = [_clinic(f"+1{next(SERIAL):010}") for _ in range(2)]
    for records in (first, second):
        with db.unit_of_work(clinics[0].id) as session:
            alone = [directory.save_patient(session, clinics[0], record)[1] for record in records]
        with db.unit_of_work(clinics[1].id) as session:
            together = [change for _, change in bulk_save.save_patients(session, clinics[1], records)]
        assert together == alone
    assert _told(clinics[0]) == _told(clinics[1])


@contextmanager
def _counting() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)


def test_a_hundred_patients_cost_no_more_statements_than_ten(house: object) -> None:
    counts = []
    for many, number in ((10, "+13035550198"), (100, "+13035550199")):
        clinic = _clinic(number)
        records = [
            directory.PatientRecord(f"P{place}", "Ana", "Quill", f"+1303555{place:04}", None) for place in range(many)
        ]
        with _counting() as said, db.unit_of_work(clinic.id) as session:
            bulk_save.save_patients(session, clinic, records)
        counts.append(len(said))
    assert counts[0] == counts[1]


def test_somebody_imported_with_others_is_found_by_name(house: object) -> None:
    clinic = _clinic("+13035550197")
    with db.unit_of_work(clinic.id) as session:
        bulk_save.save_patients(
            session, clinic, [directory.PatientRecord("P1", "José", "García-Márquez", NUMBERS[0], None)]
        )
        assert [patient.record for patient in name_search.search(session, clinic, "garc").patients] == ["P1"]
