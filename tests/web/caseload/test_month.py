"""A month for whoever bills: what counts, what it proposes, what is missing; closed by a person."""

import csv
import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from caseload import billing, months
from caseload.models import CareEntry, CareMonth
from config import db
from reminders import stays
from tests.web.caseload.seeding import answer, enrolled, with_registry

DENVER = ZoneInfo("America/Denver")
MINUTE = timedelta(minutes=1)
# A morning in the middle of March 2026: Medicare's table of that year holds.
NOW = datetime(2026, 3, 18, 16, tzinfo=UTC)


@pytest.fixture
def march() -> Any:
    with time_machine.travel(NOW, tick=True) as traveller:
        yield traveller


@pytest.fixture
def scene(march: Any, house: Any) -> Any:
    scene = with_registry(house)
    scene.march = march
    scene.patient = house.patient(first_name="Ada", last_name="Nowak")
    scene.episode = enrolled(scene, scene.patient, days_ago=30)
    return scene


def work(scene: Any, day: int, minutes: int, hour: int = 9, staff: Any = None, **changed: Any) -> CareEntry:
    """Work of Rosa's on a day of March, kept as the page would have kept it."""
    starts = datetime(2026, 3, day, hour, tzinfo=DENVER)
    with db.unit_of_work(scene.house.clinic.id) as session:
        entry = CareEntry(
            clinic_id=scene.house.clinic.id,
            episode_id=(changed.pop("episode", None) or scene.episode).id,
            staff_id=(staff or scene.rosa).id,
            kind="call",
            live=True,
            starts_at=starts,
            ends_at=starts + timedelta(minutes=minutes),
            made_at=starts + timedelta(minutes=minutes),
        )
        session.add(entry)
        return entry


def row(page: str, name: str = "Ada Nowak") -> str:
    return next(part.split("</tr>")[0] for part in page.split("<tr ") if name in part)


def test_minutes_are_counted_and_the_next_code_is_said(scene: Any) -> None:
    work(scene, 3, 20)
    work(scene, 10, 15)
    said = row(scene.browser.get("/caseload/month?month=2026-03").text)
    assert ">35</b>" in said
    assert "<b>G2214</b>" in said
    assert "1 min short of 99492, 14 days left" in said
    for missing in ("initiating visit", "diagnosis", "a score in the month", "a review in the month"):
        assert missing in said


def test_how_many_days_are_left_for_the_next_code_is_said_while_the_month_runs(scene: Any) -> None:
    work(scene, 3, 29)
    for day, said in ((29, "7 min short of 99492, 3 days left"), (31, "7 min short of 99492, today is the last day")):
        scene.march.move_to(datetime(2026, 3, day, 23, tzinfo=DENVER))
        scene.browser = scene.house.signed_in(scene.rosa)
        assert said in row(scene.browser.get("/caseload/month?month=2026-03").text)
    scene.march.move_to(datetime(2026, 4, 1, 1, tzinfo=DENVER))
    scene.browser = scene.house.signed_in(scene.rosa)
    said = row(scene.browser.get("/caseload/month?month=2026-03").text)
    assert "7 min short of 99492<" in said


def test_the_consultant_s_time_and_time_before_consent_are_listed_and_do_not_count(scene: Any) -> None:
    work(scene, 3, 40)
    work(scene, 4, 25, staff=scene.silva)
    late = enrolled(scene, scene.house.patient(first_name="Bea", last_name="Nowak"), days_ago=0)
    work(scene, 5, 30, episode=late)
    page = scene.browser.get("/caseload/month?month=2026-03").text
    assert ">40</b>" in row(page)
    assert "25 min of the consultant" in row(page)
    assert "30 min before consent" in row(page, "Bea Nowak")
    assert "not counted: 30 min before consent" in scene.browser.get(f"/patients/{late.patient_id}/care").text


def test_the_first_month_of_work_is_the_first_and_the_next_is_later(scene: Any) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        entry = session.get_one(CareEntry, work(scene, 2, 40).id)
        entry.starts_at, entry.ends_at = (at - timedelta(days=10) for at in (entry.starts_at, entry.ends_at))
    work(scene, 3, 40)
    assert "99492" in row(scene.browser.get("/caseload/month?month=2026-02").text)
    assert "<b>99493</b>" in row(scene.browser.get("/caseload/month?month=2026-03").text)


def test_a_payer_whose_rules_nobody_has_loaded_gets_minutes_and_no_code(scene: Any) -> None:
    patient = scene.house.patient(first_name="Bea", last_name="Nowak")
    work(scene, 3, 80, hour=11, episode=enrolled(scene, patient, days_ago=30, payer="medicaid"))
    said = row(scene.browser.get("/caseload/month?month=2026-03").text, "Bea Nowak")
    assert ">80</b>" in said
    assert "no code" in said
    assert "no code table of medicaid" in said


def test_a_month_is_closed_once_it_is_over_and_a_later_change_is_said_beside_what_was_closed(scene: Any) -> None:
    work(scene, 3, 40)
    path = f"/caseload/month/{scene.episode.id}"
    ticked = {"month": "2026-03", "choice": "0", "incomplete": "on"}
    scene.browser.post(path, **ticked)
    assert scene.rows(CareMonth) == []
    scene.march.move_to(datetime(2026, 4, 2, 16, tzinfo=UTC))
    scene.browser = scene.house.signed_in(scene.rosa)
    scene.browser.post(path, month="2026-03", choice="0")
    assert "An auditor would miss something" in scene.browser.get("/caseload/month?month=2026-03").text
    assert scene.rows(CareMonth) == []
    assert scene.browser.post(path, **ticked).status_code == 303
    [closed] = scene.rows(CareMonth)
    assert closed.codes == [{"code": "99492", "units": 1}]
    scene.browser.post(path, **ticked)
    assert len(scene.rows(CareMonth)) == 1
    work(scene, 20, 50)
    said = row(scene.browser.get("/caseload/month?month=2026-03").text)
    assert "changed after export: 40 minutes then, 90 now" in said
    kept = json.loads(scene.browser.get(f"{path}.json?month=2026-03").text)
    assert (kept["minutes"], kept["codes"]) == (40, [{"code": "99492", "units": 1}])
    assert kept["changed"] == "changed after export: 40 minutes then, 90 now"
    assert kept["changed"] in scene.browser.get(f"{path}?month=2026-03").text
    scene.browser.post(path, **ticked)
    assert [each.codes for each in scene.rows(CareMonth)] == [
        [{"code": "99492", "units": 1}, {"code": "99494", "units": 1}]
    ]


def test_the_page_of_who_is_in_care_says_how_far_the_next_code_is(scene: Any) -> None:
    work(scene, 3, 25)
    page = scene.browser.get(f"/patients/{scene.patient.id}/care").text
    assert "25 min of this month count" in page
    assert "11 min short of 99492" in page
    assert "not counted" not in page
    assert "in English; cost sharing was told" in page


def test_the_evidence_holds_the_log_the_consent_and_what_was_said(scene: Any) -> None:
    work(scene, 3, 40)
    answer(scene.house, scene.patient, 5, 14)
    path = f"/patients/{scene.patient.id}/care/billing"
    facts = {"initiating_on": "2026-02-10", "initiating_code": "99214", "diagnosis": "F33.1"}
    assert scene.browser.post(path, **facts).status_code == 303
    found = json.loads(scene.browser.get(f"/caseload/month/{scene.episode.id}.json?month=2026-03").text)
    assert found["version"] == "medicare-2026.1"
    assert found["log"][0]["person"] == "Rosa Delgado, LCSW"
    assert found["consent"]["how"] == "verbal"
    assert found["initiating_visit"] == {"on": "2026-02-10", "code": "99214"}
    assert found["diagnoses"] == ["F33.1"]
    assert found["scores"][0]["total"] == 14
    assert found["missing"] == ["review"]
    assert found["plan_changes"] == []
    scene.browser.post(f"/patients/{scene.patient.id}/relapse-plan", warning_signs="I sleep badly")
    scene.browser.post(f"/patients/{scene.patient.id}/care/relapse", check_on="2026-04-10")
    address = f"/caseload/month/{scene.episode.id}"
    changes = json.loads(scene.browser.get(f"{address}.json?month=2026-03").text)["plan_changes"]
    assert [(each["on"], each["change"]) for each in changes] == [
        ("2026-03-18", "relapse_plan"),
        ("2026-03-18", "relapse_prevention"),
    ]
    page = scene.browser.get(f"{address}?month=2026-03").text
    assert "Mar 18, 2026: into relapse prevention" in page
    for said in (
        "40 min count",
        "initiating visit Feb 10, 2026, 99214",
        "diagnosis: F33.1",
        "PHQ-9 14",
        "Ada Nowak",
    ):
        assert said in page
    paper = scene.browser.get(f"{address}.pdf?month=2026-03")
    assert (paper.mimetype, paper.data[:5]) == ("application/pdf", b"%PDF-")


@pytest.mark.parametrize(
    "wrong",
    [{"initiating_on": "2026-02-10"}, {"initiating_code": "99214"}, {"initiating_on": "x"}, {"diagnosis": "x" * 201}],
)
def test_half_an_initiating_visit_is_refused(scene: Any, wrong: dict[str, str]) -> None:
    assert scene.browser.post(f"/patients/{scene.patient.id}/care/billing", **wrong).status_code == 422


def test_the_sheet_for_billing_has_a_line_a_person_and_each_day_as_a_day(scene: Any) -> None:
    def sheet() -> dict[str, str]:
        return next(csv.DictReader(io.StringIO(scene.browser.get("/caseload/month.csv?month=2026-03").text)))

    work(scene, 3, 40)
    facts = {"initiating_on": "2026-02-10", "initiating_code": "99214", "diagnosis": "F33.1"}
    assert scene.browser.post(f"/patients/{scene.patient.id}/care/billing", **facts).status_code == 303
    told = {"patient": "Ada Nowak", "payer": "Medicare", "treating clinician": "Dr. Ames", "diagnosis": "F33.1"}
    told |= {"initiating visit on": "2026-02-10", "minutes": "40", "codes proposed": "99492"}
    assert sheet().items() >= (told | {"codes": "", "closed by": "", "closed on": ""}).items()
    scene.march.move_to(datetime(2026, 4, 2, 16, tzinfo=UTC))
    scene.browser = scene.house.signed_in(scene.rosa)
    scene.browser.post(f"/caseload/month/{scene.episode.id}", month="2026-03", choice="0", incomplete="on")
    closed = {"codes": "99492", "closed by": "Rosa Delgado", "closed on": "2026-04-02"}
    assert sheet().items() >= (told | closed).items()


@pytest.mark.parametrize(
    ("role", "code"),
    [("care_manager", 200), ("clinic_admin", 200), ("clinician", 403), ("front_desk", 403), ("auditor", 403)],
)
def test_who_may_bill(scene: Any, role: str, code: int) -> None:
    browser = scene.house.signed_in(scene.house.staff("Somebody", role=role))
    assert browser.get("/caseload/month").status_code == code
    proof = 200 if role == "care_manager" else 403
    for form in ("", ".json", ".pdf"):
        assert browser.get(f"/caseload/month/{scene.episode.id}{form}").status_code == proof
    if code == 200:
        assert (">Evidence<" in browser.get("/caseload/month").text) is (role == "care_manager")


def test_a_month_that_is_none_is_the_one_that_runs(scene: Any) -> None:
    for month in ("2026-13", "x", "", "0000-01"):
        assert "March 2026" in scene.browser.get(f"/caseload/month?month={month}").text


def in_hospital(scene: Any, admitted: datetime, discharged: datetime | None, number: str = "1") -> None:
    edges = {"admitted_at": admitted, "discharged_at": discharged}
    with db.unit_of_work(scene.house.clinic.id) as session:
        stays.keep(session, scene.patient, stays.Told("ehr.general", number, NOW, edges))


def test_minutes_in_a_hospital_do_not_count_from_the_moment_of_admission_to_that_of_discharge(scene: Any) -> None:
    for day in (3, 4, 5):
        work(scene, day, 20)
    in_hospital(scene, datetime(2026, 3, 3, 9, 15, tzinfo=DENVER), datetime(2026, 3, 5, 9, 5, tzinfo=DENVER))
    said = row(scene.browser.get("/caseload/month?month=2026-03").text)
    assert ">30</b>" in said
    assert "30 min while in a hospital" in said
    assert "in a hospital from Tue Mar 3 9:15 AM to Thu Mar 5 9:05 AM, told by general" in said
    evidence = scene.browser.get(f"/caseload/month/{scene.episode.id}.json?month=2026-03").get_json()
    assert evidence["excluded"] == [{"minutes": 30, "why": "inpatient"}]
    assert "in a hospital" not in row(scene.browser.get("/caseload/month?month=2026-04").text)


def test_a_stay_without_a_discharge_lasts_until_one_is_told(scene: Any) -> None:
    work(scene, 3, 20)
    work(scene, 10, 20)
    in_hospital(scene, datetime(2026, 2, 20, 9, tzinfo=DENVER), None)
    said = row(scene.browser.get("/caseload/month?month=2026-03").text)
    assert ">0</b>" in said
    assert "in a hospital since Fri Feb 20 9:00 AM, told by general" in said
    in_hospital(scene, datetime(2026, 2, 20, 9, tzinfo=DENVER), datetime(2026, 3, 4, 9, tzinfo=DENVER))
    assert ">20</b>" in row(scene.browser.get("/caseload/month?month=2026-03").text)


@pytest.mark.parametrize("seed", range(4))
def test_minutes_and_stays_of_any_kind_count_as_minute_by_minute(scene: Any, seed: int) -> None:
    chance, first = random.Random(seed), datetime(2026, 3, 1, tzinfo=DENVER)
    worked: set[int] = set()
    for day in range(2, 18):
        hour, length = chance.randrange(8, 18), chance.randrange(1, 60)
        work(scene, day, length, hour)
        begins = int((datetime(2026, 3, day, hour, tzinfo=DENVER) - first) / timedelta(minutes=1))
        worked |= set(range(begins, begins + length))
    away: set[int] = set()
    for number in range(6):
        begins, length = chance.randrange(-3000, 25_000), chance.randrange(0, 4000)
        in_hospital(scene, first + begins * MINUTE, first + (begins + length) * MINUTE, str(number))
        away |= set(range(begins, begins + length))
    with db.unit_of_work(scene.house.clinic.id) as session:
        (billed,) = billing.of_clinic(session, scene.house.clinic, months.parse("2026-03"))
    count = billed.reckoning.count
    assert (count.minutes, count.excluded.get("inpatient", 0)) == (len(worked - away), len(worked & away))
    assert worked & away


def test_a_stay_that_is_told_of_a_closed_month_marks_it_as_changed(scene: Any) -> None:
    work(scene, 3, 40)
    scene.march.move_to(datetime(2026, 4, 2, 16, tzinfo=UTC))
    scene.browser = scene.house.signed_in(scene.rosa)
    scene.browser.post(f"/caseload/month/{scene.episode.id}", month="2026-03", choice="0", incomplete="on")
    assert "changed after export" not in row(scene.browser.get("/caseload/month?month=2026-03").text)
    in_hospital(scene, datetime(2026, 3, 3, 9, 15, tzinfo=DENVER), datetime(2026, 3, 5, 9, tzinfo=DENVER))
    said = row(scene.browser.get("/caseload/month?month=2026-03").text)
    assert "changed after export: 40 minutes then, 15 now" in said


def test_that_only_stays_which_a_feed_tells_are_known_is_said_before_a_month_is_closed(scene: Any) -> None:
    page = scene.browser.get("/caseload/month?month=2026-03").text
    assert "Only stays that a hospital’s feed tells are known here" in page
