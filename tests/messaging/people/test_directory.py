"""Clinics, staff and patients: who a number or a record number finds, and what a change of record does."""

from datetime import date

import pytest
from sqlalchemy import func, select

from config import db
from config.audit import AuditEntry
from messaging import conversations
from messaging.consent import ledger
from messaging.models import Patient, PatientNumber
from messaging.people import directory

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NUMBER, OTHER = "+13035550117", "+13035550118"


def save(clinic, **facts) -> tuple[Patient, str]:
    fields = {
        "record": "R1",
        "first_name": "Maya",
        "last_name": "Quill",
        "number": NUMBER,
        "birth_date": date(1980, 3, 9),
    }
    with db.unit_of_work(clinic.id) as session:
        return directory.save_patient(session, clinic, directory.PatientRecord(**(fields | facts)))


def consents(clinic, number: str = NUMBER) -> set[str]:
    with db.unit_of_work(clinic.id) as session:
        return set(ledger.state(session, clinic, number).values())


def textable(clinic, patient: Patient) -> str | None:
    with db.unit_of_work(clinic.id) as session:
        number = directory.textable_number(session, patient)
        return number.number if number else None


def revoke(clinic, number: str = NUMBER) -> None:
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, number, "revoked", source="text", actor="patient:x", words="STOP")


@both
def test_a_patient_comes_in_once_and_is_brought_up_to_date(clinic):
    patient, change = save(clinic)
    assert change == "created"
    assert save(clinic)[1] == "unchanged"
    again, change = save(clinic, first_name="Mayra", panel="Dr. Okafor")
    assert (again.id, change) == (patient.id, "updated")
    with db.unit_of_work(clinic.id) as session:
        known_patient = directory.find_by_record(session, clinic, "R1")
        assert known_patient is not None
        assert (known_patient.first_name, known_patient.last_name, known_patient.panel) == (
            "Mayra",
            "Quill",
            "Dr. Okafor",
        )
        assert known_patient.birth_date == "1980-03-09"
        assert session.scalar(select(func.count()).select_from(Patient)) == 1


def test_a_record_number_nobody_has_finds_nobody(clinic, new_patient):
    new_patient()
    with db.unit_of_work(clinic.id) as session:
        assert directory.find_by_record(session, clinic, "R999") is None


def test_the_same_record_number_at_another_clinic_is_another_person(clinic):
    with db.unit_of_work(db.EVERY) as session:
        other = directory.add_clinic(session, name="Larkspur", zone="America/Denver", number="+13035550109")
    assert save(clinic)[0].id != save(other)[0].id
    with db.unit_of_work(db.EVERY) as session:
        assert len(directory.patients_with_number(session, other, NUMBER)) == 1


def test_the_clinic_is_found_by_the_number_patients_text(clinic):
    with db.unit_of_work(db.EVERY) as session:
        by_number = directory.clinic_by_number(session, clinic.number)
        assert by_number is not None
        assert by_number.id == clinic.id
        assert directory.clinic_by_number(session, NUMBER) is None


def test_staff_are_known_by_an_address_in_small_letters(clinic):
    with db.unit_of_work(clinic.id) as session:
        staff = directory.add_staff(session, clinic, name="Alba Reyes", email=" Alba@Clinic.Example ")
    assert (staff.email, staff.active, staff.number) == ("alba@clinic.example", True, None)


def test_every_change_is_audited_without_words(clinic):
    save(clinic)
    save(clinic, first_name="Mayra")
    save(clinic, first_name="Mayra")
    with db.unit_of_work(db.EVERY) as session:
        acts = list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.at)))
        audited = " ".join(str((row.about, row.detail)) for row in session.scalars(select(AuditEntry)))
    assert acts == ["clinic.created", "consent.granted", "patient.created", "patient.updated"]
    assert "May" not in audited
    assert NUMBER not in audited


def test_giving_a_number_is_consent_unless_the_clinic_says_otherwise(clinic):
    save(clinic)
    save(clinic, record="R2", number=OTHER, consent=False)
    assert consents(clinic) == {"granted"}
    assert consents(clinic, OTHER) == {"revoked"}


def test_a_clinic_s_file_may_take_consent_back(clinic):
    save(clinic)
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, NUMBER, "revoked", source="text", actor="x", programmes=("screening",))
    assert save(clinic, consent=False)[1] == "updated"
    assert consents(clinic) == {"revoked"}
    assert save(clinic, consent=False)[1] == "unchanged"


def test_consent_given_later_is_taken_in(clinic):
    save(clinic, number=None)
    assert save(clinic)[1] == "updated"
    assert consents(clinic) == {"granted"}
    assert save(clinic)[1] == "unchanged"


def test_an_import_never_takes_back_a_stop(clinic):
    save(clinic)
    revoke(clinic)
    save(clinic, first_name="Mayra")
    assert consents(clinic) == {"revoked"}


def test_a_second_patient_on_the_number_does_not_take_back_a_stop_either(clinic):
    save(clinic)
    revoke(clinic)
    save(clinic, record="R2", first_name="Milo")
    assert consents(clinic) == {"revoked"}


def test_a_shared_number_finds_everyone_who_gave_it(clinic):
    first, second = save(clinic)[0], save(clinic, record="R2", first_name="Milo")[0]
    with db.unit_of_work(clinic.id) as session:
        patients = directory.patients_with_number(session, clinic, NUMBER)
        assert [patient.id for patient in patients] == [first.id, second.id]


def test_who_was_told_apart_from_a_number_is_not_found_by_it(clinic):
    first, second = save(clinic)[0], save(clinic, record="R2")[0]
    tell_apart(first)
    with db.unit_of_work(clinic.id) as session:
        assert [patient.id for patient in directory.patients_with_number(session, clinic, NUMBER)] == [second.id]


def tell_apart(patient: Patient) -> None:
    with db.unit_of_work(db.EVERY) as session:
        for row in session.scalars(select(PatientNumber).where(PatientNumber.patient_id == patient.id)):
            row.line = "wrong_person"


@pytest.mark.parametrize("line", ["landline", "dead", "wrong_person"])
def test_a_number_that_cannot_be_texted_is_passed_over(clinic, line):
    patient = save(clinic)[0]
    save(clinic, number=OTHER)
    with db.unit_of_work(clinic.id) as session:
        directory.learn_line(session, clinic, OTHER, line, "operator")
    assert textable(clinic, patient) == NUMBER
    with db.unit_of_work(clinic.id) as session:
        directory.learn_line(session, clinic, NUMBER, line, "operator")
    assert textable(clinic, patient) is None


def test_a_new_number_takes_the_place_of_the_old_one(clinic):
    patient = save(clinic)[0]
    assert save(clinic, number=OTHER)[1] == "updated"
    assert textable(clinic, patient) == OTHER


@both
def test_who_goes_back_to_an_earlier_number_is_texted_there(clinic):
    patient = save(clinic)[0]
    save(clinic, number=OTHER)
    save(clinic, number=NUMBER)
    assert textable(clinic, patient) == NUMBER
    assert save(clinic, number=NUMBER)[1] == "unchanged"


def test_what_was_learnt_of_an_earlier_number_is_not_forgotten(clinic):
    patient = save(clinic)[0]
    with db.unit_of_work(clinic.id) as session:
        directory.learn_line(session, clinic, NUMBER, "dead", "operator")
    save(clinic, number=OTHER)
    save(clinic, number=NUMBER)
    assert textable(clinic, patient) == OTHER


def test_what_is_learnt_of_a_number_is_known_for_all_who_gave_it(clinic):
    first, second = save(clinic)[0], save(clinic, record="R2")[0]
    with db.unit_of_work(clinic.id) as session:
        directory.learn_line(session, clinic, NUMBER, "landline", "operator")
    assert textable(clinic, first) is None
    assert textable(clinic, second) is None


def test_somebody_else_s_number_stays_somebody_else_s(clinic):
    patient = save(clinic)[0]
    with db.unit_of_work(clinic.id) as session:
        directory.learn_line(session, clinic, NUMBER, "wrong_person", "operator")
        directory.learn_line(session, clinic, NUMBER, "dead", "system:carrier")
        conversation = conversations.of_number(session, clinic, NUMBER)
        assert conversation.patient_id is None
        assert [number.line for number in session.get_one(Patient, patient.id).numbers] == ["wrong_person"]


def test_a_patient_without_a_number_is_kept_all_the_same(clinic):
    patient, change = save(clinic, number=None)
    assert change == "created"
    assert textable(clinic, patient) is None
