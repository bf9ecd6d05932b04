"""The registry through its pages: enrolling with consent, a table of who needs what, and an end that stays."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from caseload import episodes
from caseload.models import Episode
from config import clock, db
from config.audit import AuditEntry
from messaging.inbox import items, notes_and_calls
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from reminders import merging
from tests.web.caseload.seeding import answer, back, enrolled, visit, with_registry
from web import times


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def test_without_a_registry_the_page_says_how_to_have_one_and_nothing_leads_to_it(house: Any) -> None:
    rosa = house.signed_in(house.staff())
    page = rosa.get("/caseload").text
    assert "care model has no registry" in page
    assert 'href="/caseload"' not in page
    patient = house.patient()
    assert ">Care<" not in rosa.get(f"/patients/{patient.id}").text
    refused = rosa.post(f"/patients/{patient.id}/care", consent="verbal")
    assert refused.status_code == 422
    assert "care model has no registry" in refused.text


def test_changing_the_care_model_says_how_many_episodes_would_be_out_of_sight(scene: Any) -> None:
    admin = scene.house.signed_in(scene.house.staff("Ada Chief", role="clinic_admin"))
    assert "With a model without a registry" not in admin.get("/settings/care").text
    enrolled(scene, scene.house.patient(), days_ago=3)
    assert "1 episode is open. With a model without a registry" in admin.get("/settings/care").text


def test_who_is_enrolled_stands_in_the_table_with_first_and_last_score(scene: Any) -> None:
    patient = scene.house.patient(first_name="Walter", last_name="Nowak")
    enrolled(scene, patient, days_ago=30)
    for days, points in ((29, 16), (1, 8)):
        answer(scene.house, patient, days, points)
    assert "Walter Nowak" not in scene.browser.get("/caseload?state=not_improving").text
    assert "Walter Nowak" in scene.browser.get("/caseload?state=improved").text
    page = scene.browser.get("/caseload").text
    assert "Walter Nowak" in page
    row = page.split("Walter Nowak")[1].split("</tr>")[0]
    assert re.search(r"16 → <b>8</b>", row)
    assert "improved" in row
    assert "−8 (−50 %)" in row
    assert "no contact for 30 days" in row
    assert 'aria-label="PHQ-9: 16, 8"' in row


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("consent", "", "verbally or in writing"),
        ("consent_at", "2099-01-01T10:00", "not in the future"),
        ("consent_at", "yesterday", "not in the future"),
        ("cost_told", "", "then tick that they know"),
        ("enrolled_on", "2099-01-01", "a day up to today"),
        ("manager", "", "Choose a care manager"),
        ("practitioner", "not an id", "Choose the treating clinician"),
        ("payer", "gold", "Choose who pays"),
        ("scale", "audit_c", "Choose the questionnaire"),
    ],
)
def test_what_is_missing_is_named_at_its_field_and_nothing_typed_is_lost(
    scene: Any, field: str, value: str, said: str
) -> None:
    patient = scene.house.patient()
    form = scene.form() | {"payer": "medicaid"} | {field: value}
    refused = scene.browser.post(f"/patients/{patient.id}/care", **form)
    assert refused.status_code == 422
    assert said in refused.text
    if field != "payer":
        assert '<option value="medicaid" selected>' in refused.text
    assert scene.episodes() == []


def test_two_presses_enrol_once(scene: Any) -> None:
    patient = scene.house.patient()
    assert scene.browser.post(f"/patients/{patient.id}/care", **scene.form()).status_code == 303
    again = scene.browser.post(f"/patients/{patient.id}/care", **scene.form())
    assert again.status_code == 422
    assert "an open episode already" in again.text
    assert len(scene.episodes()) == 1


def test_a_call_that_reached_them_is_a_contact_and_one_that_did_not_is_none(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    with db.unit_of_work(scene.house.clinic.id) as session:
        staff = session.get_one(Staff, scene.rosa.id)
        clinic = session.get_one(Clinic, scene.house.clinic.id)
        for outcome in ("no_answer", "voicemail"):
            notes_and_calls.log_call(session, clinic, staff, outcome=outcome, patient_id=patient.id)
    assert "no contact for 20 days" in scene.browser.get("/caseload").text
    with db.unit_of_work(scene.house.clinic.id) as session:
        staff = session.get_one(Staff, scene.rosa.id)
        clinic = session.get_one(Clinic, scene.house.clinic.id)
        notes_and_calls.log_call(session, clinic, staff, outcome="reached", patient_id=patient.id)
    page = scene.browser.get("/caseload").text
    assert "no contact" not in page
    today = episodes.today_of(scene.house.clinic)
    assert f"next by {times.date_of(today + timedelta(days=14), today)}" in page


def test_nobody_is_lost_before_ninety_days_and_a_discharge_can_be_taken_back_today(scene: Any) -> None:
    patient, path = scene.house.patient(), ""
    episode = enrolled(scene, patient, days_ago=89)
    path = f"/patients/{patient.id}/care"
    assert "before 90 days" in scene.browser.post(f"{path}/discharge", reason="lost").text
    with db.unit_of_work(db.EVERY) as session:
        back(session.get_one(Episode, episode.id), timedelta(days=1))
    assert scene.browser.post(f"{path}/discharge", reason="lost").status_code == 303
    assert scene.house.read(Episode, episode.id).end_reason == "lost"
    assert scene.browser.post(f"{path}/back").status_code == 303
    assert scene.house.read(Episode, episode.id).phase == "active"


def test_coming_back_is_a_new_episode_and_the_old_one_stays(scene: Any) -> None:
    patient = scene.house.patient()
    first = enrolled(scene, patient, days_ago=50)
    for days, points in ((49, 18), (10, 3)):
        answer(scene.house, patient, days, points)
    path = f"/patients/{patient.id}/care"
    scene.browser.post(f"{path}/discharge", reason="goals_met")
    assert scene.browser.post(path, **scene.form()).status_code == 303
    page = scene.browser.get(path).text
    assert "PHQ-9 18 → 3" in page
    assert "Goals met" in page
    assert len(scene.episodes()) == 2
    assert scene.house.read(Episode, first.id).phase == "discharged"
    # The newest discharge can be taken back only while no other episode has begun.
    assert "an open episode already" in scene.browser.post(f"{path}/back").text


def test_the_list_is_narrowed_by_reason_and_sorted_by_what_was_asked(scene: Any) -> None:
    worse, better = (scene.house.patient(first_name=name) for name in ("Ada", "Bea"))
    for patient, last in ((worse, 20), (better, 6)):
        enrolled(scene, patient, days_ago=30)
        answer(scene.house, patient, 29, 14)
        answer(scene.house, patient, 1, last)
    names = re.findall(r"care\">(Ada|Bea)", scene.browser.get("/caseload").text)
    assert names == ["Ada", "Bea"]
    assert re.findall(r"care\">(Ada|Bea)", scene.browser.get("/caseload?sort=change").text) == ["Ada", "Bea"]
    assert re.findall(r"care\">(Ada|Bea)", scene.browser.get("/caseload?sort=name").text) == ["Ada", "Bea"]
    assert re.findall(r"care\">(Ada|Bea)", scene.browser.get("/caseload?reason=worse").text) == ["Ada"]
    assert "Nobody here for that reason" in scene.browser.get("/caseload?reason=two_open").text
    # What nobody offers is taken for what is usual.
    for column in ("change", "name"):
        turned = scene.browser.get(f"/caseload?sort={column}&turned=yes").text
        assert re.findall(r"care\">(Ada|Bea)", turned) == ["Bea", "Ada"]
    assert scene.browser.get("/caseload?sort=x&reason=y&phase=z&manager=q&clinician=w").status_code == 200


def test_a_manager_begins_with_her_own_and_sees_all_when_asked(scene: Any) -> None:
    ben = scene.house.staff("Ben Okafor")
    patient = scene.house.patient(first_name="Ada")
    enrolled(scene, patient, days_ago=3, manager=str(ben.id))
    assert "Ada" not in scene.browser.get("/caseload").text.split("<main")[1]
    assert "Ada" in scene.browser.get("/caseload?manager=all").text


def test_the_spreadsheet_holds_the_same_rows_and_no_formula(scene: Any) -> None:
    patient = scene.house.patient(first_name="=HYPERLINK(1)")
    enrolled(scene, patient, days_ago=30)
    for days, points in ((29, 10), (1, 16)):
        answer(scene.house, patient, days, points)
    head, row = csv.reader(io.StringIO(scene.browser.get("/caseload.csv").text))
    said = dict(zip(head, row, strict=True))
    assert said["patient"].startswith("'=")
    assert (said["first score"], said["last score"], said["state"]) == ("10", "16", "worse")
    assert said["change"] == "'+6 (+60 %)"
    today = clock.now().astimezone(ZoneInfo(scene.house.clinic.zone)).date()
    assert (said["treating clinician"], said["payer"]) == ("Dr. Ames", "Medicare")
    for column, days in (("first assessment on", 30), ("first score on", 29), ("last score on", 1)):
        assert said[column] == (today - timedelta(days=days)).isoformat()
    for column in ("self-harm item", "last contact on", "last review on", "recommendation waits since",
                   "relapse-prevention plan on", "next check on"):  # fmt: skip
        assert said[column] == ""
    assert said["minutes this month"] == "0"


def test_the_list_is_narrowed_by_the_site_of_the_visit_that_is_nearest(scene: Any) -> None:
    north, south, nowhere = (scene.house.patient(first_name=name) for name in ("Ada", "Bea", "Cleo"))
    for patient in (north, south, nowhere):
        enrolled(scene, patient, days_ago=30)
    visits = ((north, 3, "North"), (north, 9, "South"), (south, -3, "South"), (south, -9, "North"))
    with db.unit_of_work(scene.house.clinic.id) as session:
        for patient, days, place in visits:
            session.add(visit(patient, clock.now() + timedelta(days=days), "booked", place=place))
    everybody = scene.browser.get("/caseload").text
    assert re.findall(r"<option>(North|South)", everybody) == ["North", "South"]
    for site, names in (("North", ["Ada"]), ("South", ["Bea"]), ("West", []), ("", ["Ada", "Bea", "Cleo"])):
        page = scene.browser.get(f"/caseload?sort=name&site={site}").text
        assert re.findall(r"care\">(Ada|Bea|Cleo)", page) == names
    sheet = list(csv.reader(io.StringIO(scene.browser.get("/caseload.csv?site=North").text)))
    assert [row[0].split()[0] for row in sheet[1:]] == ["Ada"]


def test_two_records_that_become_one_keep_both_histories(scene: Any) -> None:
    stays, goes = scene.house.patient(first_name="Ada"), scene.house.patient(first_name="Ada")
    for patient in (stays, goes):
        enrolled(scene, patient, days_ago=30)
    with db.unit_of_work(scene.house.clinic.id) as session:
        records = [session.get_one(Patient, patient.id) for patient in (stays, goes)]
        merging.merge(session, session.get_one(Clinic, scene.house.clinic.id), *records, f"staff:{scene.rosa.id}")
    page = scene.browser.get("/caseload").text
    assert page.count("two open episodes") == 2
    assert {episode.patient_id for episode in scene.episodes()} == {stays.id}


@pytest.mark.parametrize(
    ("role", "reads", "works"),
    [
        ("care_manager", 200, 303),
        ("clinician", 200, 303),
        ("psychiatric_consultant", 200, 403),
        ("front_desk", 403, 403),
        ("clinic_admin", 403, 403),
        ("auditor", 403, 403),
    ],
)
def test_who_may_read_the_registry_and_who_may_work_in_it(scene: Any, role: str, reads: int, works: int) -> None:
    patient, somebody = scene.house.patient(), scene.house.staff("Somebody", role=role)
    scene.house.item(patient_id=patient.id, owner_id=somebody.id)
    browser = scene.house.signed_in(somebody)
    assert browser.get("/caseload").status_code == reads
    assert browser.get("/caseload.csv").status_code == reads
    assert browser.get(f"/patients/{patient.id}/care").status_code == reads
    assert browser.post(f"/patients/{patient.id}/care", **scene.form()).status_code == works


def test_another_clinic_finds_nothing(scene: Any, another_house: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=3)
    other = with_registry(another_house())
    assert "Nobody is enrolled" in other.browser.get("/caseload").text
    assert other.browser.get(f"/patients/{patient.id}/care").status_code == 404
    assert other.browser.get(f"/caseload/reviews/{scene.episodes()[0].id}").status_code == 404


def test_relapse_prevention_has_a_day_for_its_check_and_goes_back(scene: Any) -> None:
    patient = scene.house.patient()
    episode = enrolled(scene, patient, days_ago=30)
    path, zone = f"/patients/{patient.id}/care", ZoneInfo(scene.house.clinic.zone)
    today = clock.now().astimezone(zone).date()
    assert "within a year" in scene.browser.post(f"{path}/relapse", check_on=today.isoformat()).text
    later = (today + timedelta(days=30)).isoformat()
    assert scene.browser.post(f"{path}/relapse", check_on=later).status_code == 303
    assert scene.house.read(Episode, episode.id).phase == "relapse_prevention"
    assert "Relapse prevention" in scene.browser.get("/caseload?phase=relapse_prevention").text
    assert scene.browser.post(f"{path}/active").status_code == 303
    assert scene.house.read(Episode, episode.id).phase == "active"


def test_that_the_registry_was_read_is_written_down(scene: Any) -> None:
    scene.browser.get("/caseload")
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        acts = session.scalars(select(AuditEntry.act)).all()
    assert "caseload.opened" in acts


def test_who_says_of_an_item_how_they_reached_somebody_has_spoken_with_them(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    item = scene.house.item("safety", patient_id=patient.id, owner_id=scene.rosa.id)
    with db.unit_of_work(scene.house.clinic.id) as session:
        rosa, row = session.get_one(Staff, scene.rosa.id), session.get_one(InboxItem, item.id)
        again = clock.now() + timedelta(hours=2)
        items.acknowledge(session, row, rosa, "could_not_reach", next_try=again)
    assert "no contact for 20 days" in scene.browser.get("/caseload").text
    with db.unit_of_work(scene.house.clinic.id) as session:
        rosa, row = session.get_one(Staff, scene.rosa.id), session.get_one(InboxItem, item.id)
        items.acknowledge(session, row, rosa, "reached_by_phone")
        notes_and_calls.log_call(session, scene.house.clinic, rosa, outcome="reached", patient_id=patient.id)
    page = scene.browser.get("/caseload").text
    assert "no contact" not in page
    assert "1 this month" in page
