"""Columns are guessed from what others call them, remembered as they were chosen,
and days are read in the file's order."""

import string
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.imports import column_mapping, dates

KAGGLE = [
    "PatientId", "AppointmentID", "Gender", "ScheduledDay", "AppointmentDay", "Age", "Neighbourhood", "SMS_received",
]  # fmt: skip


def test_a_foreign_file_of_visits_is_told_apart_by_its_headers():
    guessed = column_mapping.guess("appointments", KAGGLE)
    assert guessed.columns == {
        "visit": "AppointmentID",
        "patient": "PatientId",
        "starts_at": "AppointmentDay",
        "booked_at": "ScheduledDay",
        "place": "Neighbourhood",
    }
    assert column_mapping.missing("appointments", guessed) == []


def test_a_spanish_file_of_patients_is_told_apart():
    headers = ["Expediente", "Nombre", "Apellidos", "Teléfono", "Fecha de nacimiento", "Idioma", "Médico"]
    guessed = column_mapping.guess("patients", headers)
    assert [guessed.columns[name] for name in column_mapping.NEEDED["patients"]] == headers[:4]
    assert (guessed.columns["birth_date"], guessed.columns["panel"]) == (headers[4], headers[6])


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        (["Appt ID", "MRN", "Start", "Visit Type", "Status"], "Visit Type"),
        (["appointment_id", "patient_id", "date", "AppointmentType"], "AppointmentType"),
        (["Cita", "Expediente", "Fecha y hora", "Tipo de cita", "Estado"], "Tipo de cita"),
        (["Cita", "Expediente", "Fecha", "TIPO"], "TIPO"),
    ],
)
def test_what_the_books_call_a_visit_is_found_in_both_languages(headers: list[str], kind: str):
    guessed = column_mapping.guess("appointments", headers)
    assert guessed.columns["kind"] == kind
    assert guessed.columns["visit"] == headers[0]


def test_one_column_is_never_taken_for_two_fields():
    for kind in column_mapping.KINDS:
        for headers in (KAGGLE, ["id", "date", "phone", "first", "last"], ["MRN", "DOB", "Cell"]):
            chosen = list(column_mapping.guess(kind, headers).columns.values())
            assert len(chosen) == len(set(chosen))


def test_what_was_chosen_last_time_comes_before_a_guess():
    last = {
        "columns": {"record": "Chart", "phone": "Gone"},
        "constants": {"language": "es"},
        "order": "day_first",
    }
    guessed = column_mapping.guess("patients", ["Chart", "MRN", "Phone", "First", "Last"], column_mapping.of(last))
    assert (guessed.columns["record"], guessed.columns["phone"]) == ("Chart", "Phone")
    assert (guessed.constants, guessed.order) == ({"language": "es"}, "day_first")


@pytest.mark.parametrize(
    ("order", "written", "read"),
    [
        ("month_first", "3/10/2026 2:30 PM", "2026-03-10T14:30"),
        ("day_first", "10/3/2026 14:30", "2026-03-10T14:30"),
        ("day_first", "10-3-2026", "3/10/2026"),
        ("month_first", "3/10/2026 12:05 am", "2026-03-10T00:05"),
        ("month_first", "3/10/2026 13:05 pm", "3/10/2026 13:05 pm"),
        ("day_first", "2026-03-10T09:00", "2026-03-10T09:00"),
    ],
)
def test_moments_are_read_in_the_order_of_the_file(order: str, written: str, read: str):
    columns = column_mapping.Columns({"starts_at": "When"}, order=order)
    assert columns.values({"when": written}) == {"starts_at": read}


def test_what_all_rows_share_fills_only_what_is_empty():
    columns = column_mapping.Columns({"zone": "TZ"}, {"zone": "America/Denver", "place": "Suite 2"})
    assert columns.values({"tz": ""}) == {"zone": "America/Denver", "place": "Suite 2"}
    assert columns.values({"tz": "America/Boise"})["zone"] == "America/Boise"


@given(
    st.lists(st.text(string.ascii_letters + " _ñ", max_size=8), max_size=5),
    st.sampled_from(column_mapping.KINDS),
)
def test_whatever_the_headers_are_a_guess_names_only_them(headers: list[str], kind: str):
    assert set(column_mapping.guess(kind, headers).columns.values()) <= set(headers)


@pytest.mark.parametrize(
    ("kind", "headers", "columns"),
    [
        (
            "patients",
            ["MRN", "Pt Name (Last, First)", "Pref. Lang", "Text OK?", "Cell Ph.", "PCP"],
            {
                "record": "MRN", "full_name": "Pt Name (Last, First)", "language": "Pref. Lang", "consent": "Text OK?",
                "phone": "Cell Ph.", "panel": "PCP",
            },
        ),
        (
            "patients",
            ["Patient ID", "Patient Last Name", "Patient First Name", "Home Phone", "Mobile Phone", "Patient DOB"],
            {
                "record": "Patient ID", "first_name": "Patient First Name", "last_name": "Patient Last Name",
                "phone": "Mobile Phone", "birth_date": "Patient DOB",
            },
        ),
        (
            "appointments",
            ["Appt ID", "MRN", "Appt DateTime", "Appt Status"],
            {"visit": "Appt ID", "patient": "MRN", "starts_at": "Appt DateTime", "state": "Appt Status"},
        ),
        (
            "appointments",
            ["CSN", "MRN", "Patient", "Appt Date", "Appt Time", "Dept", "Prov"],
            {
                "visit": "CSN", "patient": "MRN", "start_day": "Appt Date", "start_hour": "Appt Time", "place": "Dept",
                "clinician": "Prov",
            },
        ),
        (
            "appointments",
            ["Nº de cita", "Expediente", "Fecha", "Hora", "Estado"],
            {"visit": "Nº de cita", "patient": "Expediente", "start_day": "Fecha", "start_hour": "Hora",
             "state": "Estado"},
        ),
    ],
)  # fmt: skip
def test_what_is_written_short_and_what_stands_in_two_columns_is_found(
    kind: str, headers: list[str], columns: dict[str, str]
):
    guessed = column_mapping.guess(kind, headers)
    assert guessed.columns == columns
    assert column_mapping.missing(kind, guessed) == []


def test_one_column_for_both_names_is_taken_apart_however_it_was_chosen():
    whole = column_mapping.Columns({"full_name": "Name"})
    both = column_mapping.Columns({"first_name": "Name", "last_name": "Name"})
    for columns in (whole, both):
        assert columns.values({"name": "O'Brien, Siobhan"}) == {"first_name": "Siobhan", "last_name": "O'Brien"}
        assert not {"first_name", "last_name"} & set(column_mapping.missing("patients", columns))


def test_what_somebody_said_a_word_means_comes_before_the_tables():
    columns = column_mapping.Columns({"state": "St"}, meanings={"state": {"rescheduled": "cancelled", "": "no_show"}})
    assert columns.values({"st": " Rescheduled "})["state"] == "cancelled"
    assert columns.values({"st": ""})["state"] == "no_show"
    assert columns.values({"st": "Kept"})["state"] == "Kept"


def test_every_field_of_a_file_of_ours_is_read_by_its_own_name():
    for kind in column_mapping.KINDS:
        names = [name for name in column_mapping.fields(kind) if name not in column_mapping.PARTS]
        assert column_mapping.guess(kind, names).columns == {name: name for name in names}


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)),
    st.sampled_from(["%m/%d/%Y", "%Y-%m-%d", "%m-%d-%Y", "%d-%b-%Y", "%Y%m%d", "%m/%d/%Y 00:00:00"]),
    st.sampled_from(["%H:%M", "%I:%M %p", "%H%M", "1899-12-30 %H:%M:00", "%I:%M:00 %p"]),
)
def test_a_day_and_an_hour_in_two_columns_are_one_moment(moment: datetime, day: str, hour: str):
    at = moment.replace(second=0, microsecond=0)
    columns = column_mapping.Columns({"start_day": "Day", "start_hour": "Hour"})
    row = {"day": f"{at:{day}}", "hour": f"{at:{hour}}"}
    assert columns.values(row)["starts_at"] == at.isoformat(timespec="minutes")


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_is_no_day_or_no_hour_comes_back_as_it_stands(day: str, hour: str):
    joined = dates.joined(day, hour)
    assert dates.moment(joined) or joined == " ".join(filter(None, (day.strip(), hour.strip())))
