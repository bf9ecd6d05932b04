"""A clinic brings in its patients and visits by itself: columns told apart, rows looked at, imported, sent again."""

import csv
import io
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config import audit, clock, db
from messaging.models import Patient
from reminders.imports import csv_files, runs, take_in
from reminders.imports.models import ImportPart, ImportRun
from reminders.models import Appointment, Reminder
from tests.reminders.conftest import cadence_version
from web.settings import imports

PATIENTS = """MRN,First,Last,Cell,DOB,Lang
11,Ana,Quill,(303) 555-0101,2/29/1980,es
12,Bo,Vance,303-555-0102,1/2/1990,en
13,,,303-555-0103,1/2/1990,en
"""


def send(browser: Any, text: str | bytes, kind: str = "patients", source: str = "Epic") -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    page = browser.get("/settings/import").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = {
        "kind": kind,
        "source": source,
        "file": (io.BytesIO(data), "f.csv"),
        "csrf_token": token and token[1],
    }
    return browser.client.post("/settings/import", data=form, content_type="multipart/form-data")


def chosen(page: str) -> dict[str, str]:
    """The columns as the page has them selected."""
    fields = re.findall(r'<select id="column\.(\w+)".*?</select>', page, re.S)
    picked = {}
    for name in fields:
        part = page.split(f'<select id="column.{name}"')[1].split("</select>")[0]
        option = re.search(r'<option value="([^"]+)" selected', part)
        if option:
            picked[f"column.{name}"] = option[1]
    return picked


def import_(browser: Any, text: str, kind: str = "patients") -> str:
    address = send(browser, text, kind).headers["Location"]
    begin(browser, address, **chosen(browser.get(address).text))
    runs.drain()
    return str(address)


def begin(browser: Any, address: str, **form: str) -> None:
    """Have every row looked at with these columns, and import those that are good."""
    assert browser.post(address, check="1", **form).status_code == 303
    runs.drain()
    assert browser.post(f"{address}/begin").status_code == 303


def records(house: Any) -> list[str | None]:
    with db.unit_of_work(house.clinic.id) as session:
        patients = session.scalars(select(Patient).where(Patient.clinic_id == house.clinic.id)).all()
        return sorted(patient.record or "" for patient in patients)


@pytest.fixture
def admin(house: Any) -> Any:
    return house.signed_in(house.staff(role="clinic_admin"))


def test_a_foreign_file_is_looked_at_before_anything_is_imported(house: Any, admin: Any) -> None:
    address = send(admin, PATIENTS).headers["Location"]
    page = admin.get(address).text
    assert chosen(page)["column.record"] == "MRN"
    assert chosen(page)["column.birth_date"] == "DOB"
    assert "Last name: is empty" in page
    assert records(house) == []


def test_what_is_right_is_imported_and_what_is_wrong_comes_back_as_a_file(house: Any, admin: Any) -> None:
    address = import_(admin, PATIENTS)
    page = admin.get(address).text
    assert records(house) == ["11", "12"]
    assert "Last name: is empty" in page
    sheet = admin.get(f"{address}/wrong.csv").data.decode("utf-8-sig")
    assert sheet.splitlines() == [
        "line,reason,MRN,First,Last,Cell,DOB,Lang",
        "4,last_name: is empty,13,,,303-555-0103,1/2/1990,en",
    ]
    import_(admin, sheet.replace("13,,,", "13,Cy,Moss,"))
    assert records(house) == ["11", "12", "13"]


VISITS = """Cita,Expediente,Fecha,Tipo de cita
V1,11,DAYT14:00,Group  VISIT
V2,12,DAYT14:00,Follow-up with a name that is far longer than forty characters
V3,12,DAYT16:00,
"""


def test_the_kind_of_a_visit_comes_with_the_file_and_decides_its_steps(house: Any, admin: Any) -> None:
    day = {"name": "day", "before": "1 day", "text": "reminder_day"}
    cadence = {"name": "ours", "steps": [day], "kinds": {"Group visit": [{**day, "name": "group_day"}]}}
    version = cadence_version(house.clinic, cadence, clock.now())
    with db.unit_of_work(house.clinic.id) as session:
        session.add(version)
    import_(admin, PATIENTS)
    in_a_week = f"{clock.now() + timedelta(days=7):%Y-%m-%d}"
    import_(admin, VISITS.replace("DAY", in_a_week), "appointments")
    with db.unit_of_work(house.clinic.id) as session:
        rows = session.execute(
            select(Appointment, Reminder.step)
            .join(Reminder, Reminder.appointment_id == Appointment.id)
            .order_by(Appointment.external_id)
        )
        planned = [(visit.external_id, visit.kind, step) for visit, step in rows]
    assert planned == [
        ("V1", "Group  VISIT", "group_day"),
        ("V2", "Follow-up with a name that is far longer", "day"),
        ("V3", None, "day"),
    ]


def test_the_same_file_again_changes_nothing(house: Any, admin: Any) -> None:
    import_(admin, PATIENTS)
    page = admin.get(import_(admin, PATIENTS)).text
    tally = dict(re.findall(r"<dt>([^<]+)</dt><dd class=\"num\">(\d+)</dd>", page))
    assert tally == {"New": "0", "Updated": "0", "Unchanged": "2", "Rejected": "1"}


def test_the_columns_chosen_for_a_source_are_remembered(admin: Any) -> None:
    address = send(admin, PATIENTS).headers["Location"]
    form = chosen(admin.get(address).text) | {"column.panel": "Lang", "all.language": "es"}
    form.pop("column.language")
    begin(admin, address, **form)
    again = admin.get(send(admin, PATIENTS).headers["Location"]).text
    assert chosen(again)["column.panel"] == "Lang"
    alike = admin.get(send(admin, PATIENTS, source="Another").headers["Location"]).text
    assert chosen(alike)["column.panel"] == "Lang"
    other = admin.get(send(admin, PATIENTS.replace("DOB", "Born"), source="Another").headers["Location"]).text
    assert "column.panel" not in chosen(other)


def test_a_file_without_a_needed_column_is_not_begun_and_says_which(house: Any, admin: Any) -> None:
    address = send(admin, "MRN,First\n1,Ana\n").headers["Location"]
    answer = admin.post(address, check="1", **{"column.record": "MRN", "column.first_name": "First"})
    assert answer.status_code == 422
    assert "last name, phone" in answer.text
    assert records(house) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04rest", "spreadsheet"),
        ("a;b\n1;2".encode("utf-16"), "UTF-16"),
        (b"", "no line of column names"),
        (b"MRN,MRN\n1,2\n", "same name"),
        (b"MRN,First\n", "no row below them"),
    ],
)
def test_what_is_no_table_is_refused_in_words_and_nothing_is_kept(
    admin: Any, house: Any, data: bytes, said: str
) -> None:
    answer = send(admin, data)
    assert answer.status_code == 422
    assert said in answer.text
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalars(select(ImportPart.rows_ct).where(ImportPart.rows_ct.is_not(None))).all() == []


def test_semicolons_and_tabs_are_read_too(house: Any, admin: Any) -> None:
    import_(admin, PATIENTS.replace(",", ";"))
    import_(admin, PATIENTS.replace(",", "\t").replace("11\t", "21\t"))
    assert records(house) == ["11", "12", "21"]


def test_visits_come_after_their_patients(house: Any, admin: Any) -> None:
    import_(admin, PATIENTS)
    when = f"{clock.now():%Y}-12-30T15:00"
    visits = f"AppointmentID,PatientId,AppointmentDay\nA1,11,{when}\nA2,99,{when}\n"
    page = admin.get(import_(admin, visits, "appointments")).text
    assert "no patient has this record number" in page
    with db.unit_of_work(house.clinic.id) as session:
        assert [visit.external_id for visit in session.scalars(select(Appointment))] == ["A1"]


def test_a_run_that_was_stopped_forgets_the_rest_of_the_file(house: Any, admin: Any) -> None:
    address = send(admin, PATIENTS).headers["Location"]
    assert admin.post(f"{address}/stop").status_code == 303
    assert "Stopped" in admin.get(address).text
    runs.drain()
    assert records(house) == []


def test_names_stand_nowhere_unsealed_while_a_file_waits(house: Any, admin: Any) -> None:
    send(admin, PATIENTS)
    with db.unit_of_work(house.clinic.id) as session:
        (part,) = session.scalars(select(ImportPart)).all()
        (run,) = session.scalars(select(ImportRun)).all()
        assert b"Quill" not in (part.rows_ct or b"")
        assert b"First" not in run.header_ct


def test_a_run_goes_on_where_a_worker_died(house: Any, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_in, "PART", 1)
    address = send(admin, PATIENTS).headers["Location"]
    begin(admin, address, **chosen(admin.get(address).text))
    with db.unit_of_work(house.clinic.id) as session:
        (run,) = session.scalars(select(ImportRun)).all()
        runs._next_part(session, run)
        assert (run.parts, run.parts_done) == (3, 1)
    with db.unit_of_work(house.clinic.id) as session:
        (run,) = session.scalars(select(ImportRun)).all()
        runs._next_part(session, run)
        session.rollback()  # as when it is killed before the commit
    runs.drain()
    assert records(house) == ["11", "12"]
    assert admin.get(address).text.count("Last name: is empty") == 1


@pytest.mark.parametrize(
    ("role", "status"), [("clinic_admin", 200), ("front_desk", 200), ("clinician", 403), ("auditor", 403)]
)
def test_who_may_bring_patients_in(house: Any, role: str, status: int) -> None:
    assert house.signed_in(house.staff(role=role)).get("/settings/import").status_code == status


def test_another_clinic_s_file_is_not_there(house: Any, another_house: Any, admin: Any) -> None:
    address = send(admin, PATIENTS).headers["Location"]
    other = another_house()
    assert other.signed_in(other.staff(role="clinic_admin")).get(address).status_code == 404


FORMULAS = ['=HYPERLINK("https://x")', "+13035550104", "-2+3", "@SUM(1)", "\tx", "\rx", "=1", "\r=1", "\n-1"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_what_a_spreadsheet_would_work_out_comes_back_as_text_and_is_read_as_it_was(
    house: Any, admin: Any, cell: str
) -> None:
    quoted = cell.replace('"', '""')
    address = import_(admin, f'MRN,First,Last,Cell,DOB,Lang\n13,"{quoted}",,303-555-0103,2/30/1990,en\n')
    sheet = admin.get(f"{address}/wrong.csv").data.decode("utf-8-sig")
    (row,) = list(csv.DictReader(io.StringIO(sheet, newline="")))
    assert row["First"] == "'" + cell.replace("\r", "\n")
    with csv_files.opened(_written(sheet), ()) as table:
        assert [read.fields[3] for read in table] == [cell.replace("\r", "\n")]


def _written(sheet: str) -> Path:
    path = Path(tempfile.mkdtemp()) / "sheet.csv"
    path.write_bytes(sheet.encode())
    return path


def test_a_number_with_its_plus_can_be_mended_and_sent_again(house: Any, admin: Any) -> None:
    address = import_(admin, "MRN,First,Last,Cell,DOB,Lang\n13,Cy,Moss,+13035550103,2/30/1990,en\n")
    sheet = admin.get(f"{address}/wrong.csv").data.decode("utf-8-sig")
    assert "'+13035550103" in sheet
    import_(admin, sheet.replace("2/30/1990", "1/2/1990"))
    assert records(house) == ["13"]
    with db.unit_of_work(house.clinic.id) as session:
        assert session.scalars(select(Patient)).one().numbers[0].number == "+13035550103"


def test_an_apostrophe_of_ones_own_stays(house: Any, admin: Any) -> None:
    address = import_(admin, "MRN,First,Last,Cell,DOB,Lang\n13,'t Hooft,,303-555-0103,2/30/1990,en\n")
    assert "13,'t Hooft,," in admin.get(f"{address}/wrong.csv").text


def test_another_clinics_rows_are_not_there(house: Any, admin: Any, another_house: Any) -> None:
    address = import_(admin, PATIENTS)
    other = another_house()
    stranger = other.signed_in(other.staff("Ana Ruiz", email="ana@other.example", role="clinic_admin"))
    for path in (f"{address}/wrong.csv", address, f"{'/settings/import/'}{house.clinic.id}/wrong.csv"):
        assert stranger.get(path).status_code == 404


def test_who_fetched_the_rows_is_written_down(house: Any, admin: Any) -> None:
    address = import_(admin, PATIENTS)
    admin.get(f"{address}/wrong.csv")
    with db.unit_of_work(house.clinic.id) as session:
        fetched = select(audit.AuditEntry).where(audit.AuditEntry.act == "import.rows_fetched")
        assert session.scalars(fetched).one().actor.startswith("staff:")


def test_only_whoever_is_signed_in_may_send_a_large_file(house: Any, admin: Any) -> None:
    cookie = admin.client.get_cookie("wt_session").value
    assert imports.may_send_large({"HTTP_COOKIE": f"wt_session={cookie}"})
    for made_up in ("", "wt_session=x", f"wt_sessio={cookie}", f"wt_session={cookie}x"):
        assert not imports.may_send_large({"HTTP_COOKIE": made_up})
