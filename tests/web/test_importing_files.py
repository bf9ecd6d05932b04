"""Files as clinics have them, handed in on the page: languages, dates, states, numbers and names of all kinds."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.models import Clinic, Patient
from messaging.people import directory
from reminders.models import Appointment
from tests.web.settings.test_imports import PATIENTS, import_, records, send


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff(role="clinic_admin"))


def test_a_language_without_texts_is_said_once_on_the_page_too(house: Any, admin: Any) -> None:
    people = "MRN,First,Last,Cell,Lang\n" + "".join(
        f"{n},Ana,Quill,(303) 555-01{n},{language}\n"
        for n, language in ((11, "spa"), (12, "Somali"), (13, "som"), (14, "Español"), (15, "Soomaali"))
    )
    page = admin.get(import_(admin, people)).text
    assert page.count("There are no texts in Somali. Patients who speak it get English: 3.") == 1
    assert "Every row was taken." in page
    with db.unit_of_work(house.clinic.id) as session:
        spoken = {patient.record: patient.language for patient in session.scalars(select(Patient))}
    assert spoken == {"11": "es", "12": "so", "13": "so", "14": "es", "15": "so"}


def test_dates_and_states_are_read_on_the_page_as_by_the_command(house: Any, admin: Any) -> None:
    people = (
        "MRN,First,Last,Cell,DOB\n11,Ana,Quill,(303) 555-0111,1/2/60\n12,Bo,Vance,(303) 555-0112,2/1/1960 12:00:00 AM\n"
    )
    people += "13,Cy,Moss,(303) 555-0113,01-Feb-1960\n"
    import_(admin, people)
    day = clock.now() - timedelta(days=20)  # over: before its day nobody has come to a visit
    visits = f"""AppointmentID,PatientId,AppointmentDay,Status
A1,11,{day:%m/%d/%y} 9:00 AM,Confirmed
A2,11,{day:%Y-%m-%d} 9:00,Checked In
A3,12,{day:%d-%b-%Y} 0900,Completed
A4,13,{day:%m/%d/%Y} 9 AM,Patient cancelled
"""
    page = admin.get(import_(admin, visits, "appointments")).text
    assert "Every row was taken." in page
    with db.unit_of_work(house.clinic.id) as session:
        born = {patient.record: patient.birth_date for patient in session.scalars(select(Patient))}
        booked = session.scalars(select(Appointment).order_by(Appointment.external_id)).all()
        assert [visit.state for visit in booked] == ["booked", "arrived", "arrived", "cancelled"]
        assert len({visit.starts_at for visit in booked}) == 1
    assert born == {"11": "1960-01-02", "12": "1960-02-01", "13": "1960-02-01"}


def test_a_number_that_cannot_be_texted_costs_the_number_and_not_the_person(house: Any, admin: Any) -> None:
    people = """MRN,First,Last,Cell
11,Ana,Quill,(679) 555-0123
12,Bo,Vance,303-555-0102 (cell)
13,Cy,,303-555-0103 x5
14,,Moss,+52 55 5555 0123
15,Di,Loss,"303-555-0104 / 303-555-0105"
"""
    address = send(admin, people).headers["Location"]
    assert admin.get(address).text.count("taken without the phone number") == 3
    page = admin.get(import_(admin, people)).text
    assert records(house) == ["11", "12", "13", "14", "15"]
    tally = dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"num\">(\d+)</dd>", page))
    assert (tally["New"], tally["Rejected"], tally["Imported, but incomplete"]) == ("5", "0", "3")
    assert "more than one number stands there" in page
    with db.unit_of_work(house.clinic.id) as session:
        patients = {patient.record: patient for patient in session.scalars(select(Patient))}
        numbers = {record: directory.textable_number(session, patient) for record, patient in patients.items()}
        assert {record: number.number for record, number in numbers.items() if number} == {
            "11": "+16795550123",
            "12": "+13035550102",
        }
        assert [(patients[record].first_name, patients[record].last_name) for record in ("13", "14")] == [
            ("Cy", ""),
            ("Moss", ""),
        ]


def test_a_row_that_was_not_whole_can_be_mended_and_sent_again(house: Any, admin: Any) -> None:
    address = import_(admin, "MRN,First,Last,Cell\n11,Ana,Quill,home 303\n")
    sheet = admin.get(f"{address}/wrong.csv").data.decode("utf-8-sig")
    assert sheet.splitlines()[1].startswith("2,taken without the phone number: ")
    page = admin.get(import_(admin, sheet.replace("home 303", "303-555-0111"))).text
    assert "Every row was taken." in page
    assert records(house) == ["11"]


def test_mobiles_of_the_countries_that_a_clinic_names_are_texted(house: Any, admin: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        clinic = session.get_one(Clinic, house.clinic.id)
        clinic.rules = {**clinic.rules, "countries": ["MX", "JM", "GB"]}
    people = """MRN,First,Last,Cell
11,Ana,Quill,+52 55 5555 0123
12,Bo,Vance,1 876 555 0123
13,Cy,Moss,+44 20 7946 0958
14,Di,Loss,+502 5555 0123
"""
    page = admin.get(import_(admin, people)).text
    assert "abroad only a mobile can get texts" in page
    assert page.count("taken without the phone number") == 2
    with db.unit_of_work(house.clinic.id) as session:
        numbers = [directory.textable_number(session, patient) for patient in session.scalars(select(Patient))]
        assert sorted(number.number or "" for number in numbers if number) == ["+18765550123", "+525555550123"]
    browser = house.signed_in(house.staff())
    assert "Quill" in browser.post("/patients", wanted="+52 55 5555 0123", within="1").text


def test_what_is_not_mapped_stands_where_the_rows_would_be_checked(house: Any, admin: Any) -> None:
    page = admin.get(send(admin, "MRN,First\n1,Ana\n").headers["Location"]).text
    assert 'name="check"' not in page
    assert '<button class="main" name="look"' in page
    assert "can be checked once this is mapped: <b>last name, phone</b>" in page
    whole = admin.get(send(admin, PATIENTS).headers["Location"]).text
    assert '<button class="main" name="check"' in whole
    assert '<button name="look"' in whole
    assert 'id="unmapped"' not in whole
