"""Address and emergency contact as files have them: read, kept, and never taken away by an empty field."""

import pytest

from config import db
from messaging.models import Patient
from messaging.people import bulk_save, contact_details
from reminders.imports import column_mapping, records
from tests.reminders.conftest import World

ROW = {
    "record": "P1", "first_name": "Ana", "last_name": "Vance", "phone": "201-555-0150", "address": " 12 Elm\nDenver ",
    "emergency_name": "Luis", "emergency_relation": "brother", "emergency_phone": "(201) 555-0144",
}  # fmt: skip


def kept(world: World, *rows: dict[str, str]) -> contact_details.ContactDetails:
    for row in rows:
        with db.unit_of_work(world.clinic.id) as session:
            bulk_save.save_patients(session, world.clinic, [records.patient(row, world.clinic)])
    with db.unit_of_work(world.clinic.id) as session:
        (patient,) = bulk_save.find_by_records(session, world.clinic, ["P1"]).values()
        return contact_details.of(session.get_one(Patient, patient.id))


def test_a_file_says_where_they_live_and_whom_to_call(world: World) -> None:
    expected = contact_details.ContactDetails("12 Elm, Denver", "Luis", "brother", "+12015550144")
    assert kept(world, ROW) == expected
    assert kept(world, {**ROW, "address": "", "emergency_phone": ""}) == expected, "an empty field takes nothing away"
    assert kept(world, {**ROW, "address": "7 Oak Ave"}).address == "7 Oak Ave"


@pytest.mark.parametrize(("typed", "read"), [("ext. 12 at work", "ext. 12 at work"), ("x" * 300, "x" * 240)])
def test_what_is_no_number_or_too_long_costs_no_patient(world: World, typed: str, read: str) -> None:
    assert kept(world, {**ROW, "emergency_phone": typed}).emergency_phone == read


def test_the_columns_are_guessed_by_their_names() -> None:
    headers = [
        "MRN",
        "First",
        "Last",
        "Cell",
        "Home Address",
        "Emergency Contact Name",
        "Relationship",
        "Emergency Contact Phone",
    ]
    guessed = column_mapping.guess("patients", headers).columns
    assert [guessed[name] for name in contact_details.FIELDS] == headers[4:]
