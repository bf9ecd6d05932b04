"""A registry from a spreadsheet on the page of files: looked at first, row by row, then imported, by whom it is for."""

import csv
import io
from typing import Any

import pytest
from sqlalchemy import select

from caseload.models import Episode
from config import audit, db
from reminders.imports import runs
from tests.web.caseload.seeding import with_registry
from tests.web.caseload.test_registry_import import HEAD, row
from tests.web.settings.test_imports import begin, chosen, send


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def text_of(*rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD.values())
    writer.writerows([each.get(name, "") for name in HEAD] for each in rows)
    return out.getvalue()


def test_a_care_manager_takes_over_her_registry_after_every_row_was_looked_at(scene: Any) -> None:
    patient, other = scene.house.patient(first_name="Walter"), scene.house.patient(first_name="Wrong")
    sheet = text_of(row(scene, patient), row(scene, other, last="28"), row(scene, None, record="9999", name="No One"))
    address = send(scene.browser, sheet, "caseload", "Registry").headers["Location"]
    page = scene.browser.get(address).text
    assert "Treating clinician" in page
    assert "Consent to Collaborative Care" in page
    assert "May be texted" not in page
    assert "Last score: expected a whole number from 0 to 27" in page
    columns = chosen(page)
    assert columns["column.manager"] == "BHCM"
    assert scene.browser.post(address, check="1", **columns).status_code == 303
    runs.drain()
    page = scene.browser.get(address).text
    assert "1 of 3 rows are good" in page
    assert "Record number: no patient has this record number" in page
    assert "What the first of them would be texted" not in page
    assert scene.episodes() == []
    assert scene.browser.post(f"{address}/begin").status_code == 303
    runs.drain()
    [episode] = scene.episodes()
    assert (episode.patient_id, episode.manager_id) == (patient.id, scene.rosa.id)
    assert "16 → <b>8</b>" in scene.browser.get("/caseload").text
    sheet = scene.browser.get(f"{address}/wrong.csv").data.decode("utf-8-sig")
    assert [line.split(",")[0] for line in sheet.splitlines()] == ["line", "3", "4"]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        actors = session.scalars(select(audit.AuditEntry.actor).where(audit.AuditEntry.act == "care.imported")).all()
    assert actors == [f"staff:{scene.rosa.id}"]


def test_the_same_file_again_changes_nothing(scene: Any) -> None:
    sheet = text_of(row(scene, scene.house.patient()))
    for _ in range(2):
        address = send(scene.browser, sheet, "caseload").headers["Location"]
        begin(scene.browser, address, **chosen(scene.browser.get(address).text))
        runs.drain()
    assert len(scene.rows(Episode)) == 1
    assert "Unchanged" in scene.browser.get(address).text


def test_a_registry_is_not_the_front_desks_and_patients_not_the_care_managers(scene: Any) -> None:
    address = send(scene.browser, text_of(row(scene, scene.house.patient())), "caseload").headers["Location"]
    desk = scene.house.signed_in(scene.house.staff("Dee Fall", role="front_desk"))
    page = desk.get("/settings/import").text
    assert 'value="caseload"' not in page
    assert address not in page
    assert desk.get(address).status_code == 403
    assert desk.post(f"{address}/begin").status_code == 403
    assert desk.get(f"{address}/wrong.csv").status_code == 403
    assert send(desk, "MRN\n1\n", "caseload").status_code == 422
    assert send(scene.browser, "MRN\n1\n", "patients").status_code == 422
    admin = scene.house.signed_in(scene.house.staff("Ines Moreau", role="clinic_admin"))
    assert address in admin.get("/settings/import").text


def test_where_no_registry_is_kept_the_page_says_so(house: Any) -> None:
    rosa = house.signed_in(house.staff())
    page = rosa.get("/settings/import").text
    assert "care model has no registry" in page
    assert 'type="file"' not in page
    assert send(rosa, "MRN\n1\n", "caseload").status_code == 422
