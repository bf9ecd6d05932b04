"""Three clinics bring in what their systems export, at first try: names, days and values as each writes them."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from config import audit, clock, db
from messaging.models import Patient
from reminders.imports import runs
from reminders.models import Appointment
from service.embedded.valkey import ValkeyServer
from tests.browser import kit, place
from tests.browser.place import Served, serving

pytestmark = pytest.mark.xdist_group("browser")
SHOTS = os.environ.get("WARMTHREAD_SHOTS")
NARROW, SMALL = (390, 844), (320, 640)

# As a hospital's system writes its report: one column for the name, marks before the language, dashes in the dates.
HOSPITAL = """MRN,"Pt Name (Last, First)",DOB,Pref. Lang,Text OK?,Mobile Phone,PCP
E100,"O'BRIEN, SIOBHAN M.",12-25-1990,**ENG,Y,(201) 555-0101,Wu
E101,"Quintana López, María José",03-02-1985,SPA - Spanish,Yes,201-555-0102,Wu
E102,"Moss, Jr., Cy",07-30-1971,ENGLISH,Declined,201.555.0103,Wu
E103,"Nguyen, Linh",11-11-1999,Vietnamese,Y,201-555-0104,Wu
E104,"Vance, Bo",13-45-1988,English,Y,201-555-0105,Wu
E105,"Hart, Di",1-5-2001,English,Ask first,201-555-0106,Wu
"""
# As an office's scheduling system lists a week: the day in one column, the hour in another, states in its own words.
OFFICE = """appointmentid,patientid,patientname,date,starttime,appointmenttype,appointmentstatus,department
A1,E100,SIOBHAN O'BRIEN,{one},9:00 AM,Follow Up,Scheduled,Elm House
A2,E101,MARIA QUINTANA LOPEZ,{one},10:30 AM,Follow Up,Confirmed,Elm House
A3,E102,CY MOSS,{one},1:15 PM,Group Visit,Cancelled by patient,Elm House
A4,E103,LINH NGUYEN,{two},0930,Intake,Rescheduled,Elm House
A5,E999,NOBODY KNOWN,{two},11:00 AM,Intake,Scheduled,Elm House
A6,E103,LINH NGUYEN,{two},2:00 PM,Intake,Pending Arrival,Elm House
"""
# As a system set up in Spanish writes it: semicolons, the day before the month, both in one column.
SPANISH = """Nº de expediente;Nombre completo;Fecha de nacimiento;Idioma;Celular;Acepta mensajes
S1;García Márquez, Lucía;25/12/1990;Español;(201) 555-0111;Sí
S2;Pérez, Ana;1/2/1985;Inglés;(201) 555-0112;No
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey: ValkeyServer) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("imports"), valkey) as house:
        yield house


@pytest.fixture(scope="module")
def staff(served: Served) -> Any:
    return served[0].staff("Dana Wu", role="clinic_admin", email="dana@clinic.example")


def hand_in(page: Page, served: Served, kind: str, source: str, text: str) -> None:
    page.goto(f"{served[1]}/settings/import")
    page.get_by_role("radio", name=kind).check()
    page.get_by_label("Where it comes from").fill(source)
    page.get_by_label("The file").set_input_files({"name": "f.csv", "mimeType": "text/csv", "buffer": text.encode()})
    page.get_by_role("button", name="Look at the columns").click()
    expect(page.get_by_role("heading", name="Which column is which")).to_be_visible()


def look(page: Page, name: str) -> None:
    """The rules of accessibility and of width on a desk and on phones; a picture where somebody wants to look."""
    for size in (SMALL, NARROW, kit.DESK):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        kit.check(page)
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{size[0]}.png", full_page=True)


def check_rows(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Check (all|the row)")).click()
    expect(page.get_by_text("Every row was looked at")).to_be_visible()


def run_through(page: Page) -> None:
    expect(page.locator("progress")).to_be_visible()
    runs.drain()  # the page asks again by itself
    expect(page.get_by_text("rows. Imported.")).to_be_visible()


def visits(served: Served) -> dict[str, Appointment]:
    with db.unit_of_work(served[0].clinic.id, read_only=True) as session:
        return {visit.external_id: visit for visit in session.scalars(select(Appointment))}


def coming(days: int, form: str = "%m/%d/%Y") -> str:
    return f"{clock.now() + timedelta(days=days):{form}}"


def _a_hospital_s_report_of_patients(browser: Browser, served: Served, staff: Any) -> None:
    with place.at(browser, served, staff) as page:
        hand_in(page, served, "Patients", "Hospital", HOSPITAL)
        expect(page.get_by_label("Whole name, where one column has it")).to_have_value("Pt Name (Last, First)")
        expect(page.get_by_label("May be texted", exact=False).first).to_have_value("Text OK?")
        values = page.get_by_role("region", name="What the values mean")
        expect(values.get_by_label("**ENG")).to_have_value("en")
        expect(values.get_by_label("SPA - Spanish")).to_have_value("es")
        expect(values.get_by_label("Declined")).to_have_value("no")
        expect(values.get_by_label("Ask first")).to_have_value("left_out")
        expect(page.get_by_role("cell", name="SIOBHAN", exact=True)).to_be_visible()
        look(page, "columns-patients")
        values.get_by_label("Ask first").select_option("no")
        check_rows(page)
        expect(page.get_by_role("heading", name="5 of 6 rows are good")).to_be_visible()
        expect(page.get_by_text("Birth date: expected a date")).to_be_visible()
        expect(page.get_by_text("Line 6: E104")).to_be_visible()
        expect(page.locator(".first-texts .bubble").first).to_contain_text("Hi SIOBHAN")
        expect(page.locator(".first-texts .bubble").nth(1)).to_contain_text("Hola, María José")
        expect(page.get_by_text("the file says that they may not be texted")).to_be_visible()
        look(page, "checked-patients")
        page.get_by_role("button", name="Import 5 of 6 rows").click()
        run_through(page)
        look(page, "done-patients")
        hand_in(page, served, "Patients", "Elsewhere", HOSPITAL)
        expect(page.get_by_label("Ask first")).to_have_value("no")
    with db.unit_of_work(served[0].clinic.id, read_only=True) as session:
        named = {
            patient.record: (patient.first_name, patient.last_name) for patient in session.scalars(select(Patient))
        }
    assert named["E100"] == ("SIOBHAN", "O'BRIEN")
    assert named["E102"] == ("Cy", "Moss Jr.")
    assert set(named) == {"E100", "E101", "E102", "E103", "E105"}


def _an_office_s_week(browser: Browser, served: Served, staff: Any) -> None:
    week = OFFICE.format(one=coming(8), two=coming(9))
    with place.at(browser, served, staff, script=False) as page:
        hand_in(page, served, "Visits", "Office", week)
        expect(page.get_by_label("Day, where the hour has its own column")).to_have_value("date")
        expect(page.get_by_label("Hour, where the day has its own column")).to_have_value("starttime")
        expect(page.get_by_label("Rescheduled")).to_have_value("left_out")
        page.get_by_label("Pending Arrival").select_option("booked")
        check_rows(page)
        expect(page.get_by_role("heading", name="4 of 6 rows are good")).to_be_visible()
        expect(page.get_by_text("Patient's record number: no patient has this record number")).to_be_visible()
        expect(page.get_by_text("state: expected booked, cancelled, arrived or no_show")).to_be_visible()
        page.get_by_role("button", name="Import 4 of 6 rows").click()
        run_through(page)
    found = visits(served)
    assert {name: visit.state for name, visit in found.items()} == {
        "A1": "booked", "A2": "booked", "A3": "cancelled", "A6": "booked",
    }  # fmt: skip
    local = found["A2"].starts_at.astimezone(ZoneInfo(served[0].clinic.zone))
    assert local.strftime("%m/%d/%Y %H:%M") == f"{coming(8)} 10:30"


def _a_complete_file(browser: Browser, served: Served, staff: Any) -> None:
    shorter = (
        "".join(OFFICE.splitlines(keepends=True)[:2]) + "A9,E103,LINH NGUYEN,{two},2:00 PM,Intake,Scheduled,Elm House\n"
    )
    with place.at(browser, served, staff) as page:
        hand_in(page, served, "Visits", "Office", shorter.format(one=coming(8), two=coming(9)))
        check_rows(page)
        expect(page.get_by_role("heading", name="Is this file complete?")).to_be_visible()
        everywhere = page.get_by_role("radio", name="Yes, it holds every visit of the clinic in these days")
        expect(page.get_by_text("1 of 3 to come would be cancelled").first).to_be_visible()
        page.get_by_text("Which would be cancelled").click()
        expect(page.get_by_text("(A2)")).to_be_visible()
        look(page, "checked-complete")
        everywhere.check()
        page.get_by_role("button", name="Import 2 rows").click()
        expect(page.locator("#held")).to_contain_text("would be cancelled: 1, more than 20 %")
        assert visits(served)["A2"].state == "booked"
        look(page, "held")
        page.get_by_label("Their number, if you choose “yes”").fill("1")
        page.get_by_role("button", name="Import 2 rows").click()
        run_through(page)
        expect(page.locator(".tally")).to_contain_text("Cancelled: missing from the file")
    found = visits(served)
    assert {name: visit.state for name, visit in found.items() if name != "A3"} == {
        "A1": "booked", "A2": "cancelled", "A6": "cancelled", "A9": "booked",
    }  # fmt: skip
    with db.unit_of_work(served[0].clinic.id, read_only=True) as session:
        assert session.scalar(select(audit.AuditEntry).where(audit.AuditEntry.act == "import.missing_cancelled"))


def test_what_other_systems_export_comes_in_at_first_try(browser: Browser, served: Served, staff: Any) -> None:
    _a_hospital_s_report_of_patients(browser, served, staff)
    _an_office_s_week(browser, served, staff)
    _a_complete_file(browser, served, staff)


def test_a_file_in_spanish_comes_in_with_its_days_first(browser: Browser, served: Served, staff: Any) -> None:
    with place.at(browser, served, staff, dark=True) as page:
        hand_in(page, served, "Patients", "Expediente", SPANISH)
        expect(page.get_by_label("Whole name, where one column has it")).to_have_value("Nombre completo")
        expect(page.get_by_label("Inglés")).to_have_value("en")
        page.get_by_label("Days such as 3/10/2026 are").select_option("day_first")
        check_rows(page)
        expect(page.get_by_role("heading", name="Every row is good")).to_be_visible()
        look(page, "checked-dark")
        page.get_by_role("button", name="Import 2 rows").click()
        run_through(page)
        expect(page.get_by_text("Every row was taken.")).to_be_visible()
    with db.unit_of_work(served[0].clinic.id, read_only=True) as session:
        born = {patient.record: patient.birth_date for patient in session.scalars(select(Patient))}
    assert (born["S1"], born["S2"]) == ("1990-12-25", "1985-02-01")


def test_no_green_button_stands_over_rows_of_which_none_is_good(browser: Browser, served: Served, staff: Any) -> None:
    with place.at(browser, served, staff) as page:
        hand_in(page, served, "Visits", "Bad", "Appt ID,MRN,Appt DateTime\nX1,none,12-01-2030 9:00 AM\n")
        check_rows(page)
        expect(page.get_by_role("heading", name="No row is good")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("^Import"))).to_have_count(0)
        page.get_by_role("button", name="Back to the columns").click()
        page.get_by_label("Date and time needed").select_option("")
        page.get_by_role("button", name="Show the rows and values again").click()
        expect(page.get_by_role("cell", name="not mapped: date and time")).to_be_visible()
        expect(page.get_by_text(": is empty")).to_have_count(0)
        expect(page.get_by_role("button", name=re.compile("^Check"))).to_have_count(0)
        look(page, "not-mapped")
        page.get_by_role("link", name="All files").click()
        look(page, "files")


def test_a_long_file_is_looked_at_with_a_bar(browser: Browser, served: Served, staff: Any) -> None:
    rows = "".join(f"L{n},Ana,Quill,(201) 555-01{n % 100:02},1/2/1990\n" for n in range(60))
    with place.at(browser, served, staff, script=False) as page:
        hand_in(page, served, "Patients", "Long", "MRN,First,Last,Cell,DOB\n" + rows)
        page.get_by_role("button", name="Check all 60 rows").click()
        expect(page.locator("progress")).to_be_visible()
        expect(page.get_by_text("nothing is imported yet")).to_be_visible()
        runs.drain()  # the page asks again by itself
        expect(page.get_by_role("heading", name="Every row is good")).to_be_visible()
        unsaid = page.get_by_role("region", name="What the file does not say")
        expect(unsaid).to_contain_text("whoever is new is taken to have agreed")
        expect(unsaid).to_contain_text("whoever is new gets English texts")
