"""Everybody's plans against a relapse: who has one, since when, when its next check is, and who is without."""

import csv
import importlib
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from caseload import episodes
from caseload.models import Episode, RelapsePlan
from config import db
from messaging.models import Patient
from tests.web.caseload.seeding import enrolled, with_registry

PAGE = "/caseload/relapse-plans"
PLAN = {"warning_signs": "I stay in bed", "whom_to_call": "My sister first"}


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest) -> Any:
    return with_registry(request.getfixturevalue("house" if request.param == "sqlite" else "house_on_postgresql"))


def in_care(scene: Any, name: str, check_in: int | None = None, **facts: Any) -> Patient:
    """Somebody in care; in relapse prevention where their plan is to be checked in so many days."""
    patient: Patient = scene.house.patient(first_name=name, last_name="Quill")
    episode = enrolled(scene, patient, days_ago=90)
    with db.unit_of_work(scene.house.clinic.id) as session:
        row = session.get_one(Episode, episode.id)
        if check_in is not None:
            row.phase, row.check_on = "relapse_prevention", today(scene) + timedelta(days=check_in)
        for field, value in facts.items():
            setattr(row, field, value)
    return patient


def today(scene: Any) -> Any:
    return episodes.today_of(scene.house.clinic)


def write(scene: Any, patient: Patient, **said: str) -> None:
    assert scene.browser.post(f"/patients/{patient.id}/relapse-plan", **said).status_code == 303


def names(page: str) -> list[str]:
    return re.findall(r">(\w+) Quill</a>", page.split("<main")[1])


def test_who_is_without_a_plan_stands_first_and_then_who_is_checked_next(scene: Any) -> None:
    for name, days in (("Later", 40), ("Late", -3), ("Bare", 10)):
        patient = in_care(scene, name, days)
        if name != "Bare":
            write(scene, patient, **PLAN, **({"shared": "on"} if name == "Late" else {}))
    write(scene, in_care(scene, "Active"), **PLAN)
    in_care(scene, "Neither")
    page = scene.browser.get(PAGE).text
    assert names(page) == ["Bare", "Late", "Later", "Active"]
    assert "no plan written" in page
    assert "3 days overdue" in page
    assert "My sister" not in page, "the list says that there is a plan, never what stands in it"
    for shown, expected in (("without", ["Bare"]), ("check", ["Late"]), ("unread", ["Later", "Active"])):
        assert names(scene.browser.get(f"{PAGE}?shown={shown}").text) == expected
    rows = list(csv.DictReader(io.StringIO(scene.browser.get(f"{PAGE}.csv").text)))
    assert [row["patient"].split()[0] for row in rows] == ["Bare", "Late", "Later", "Active"]
    late = rows[1]
    assert (late["plan written on"], late["written by"]) == (today(scene).isoformat(), scene.rosa.name)
    assert (late["the patient reads it"], late["days overdue"]) == ("yes", "3")
    assert late["next check on"] == (today(scene) - timedelta(days=3)).isoformat()


def test_the_day_of_a_plan_is_that_on_which_it_was_written_and_not_that_of_the_phase(house: Any) -> None:
    """Beginning relapse prevention writes no plan, and another day for its check begins the phase no second time."""
    scene = with_registry(house)
    patient = house.patient()
    episode = enrolled(scene, patient, days_ago=30)
    path = f"/patients/{patient.id}/care/relapse"
    later = [(today(scene) + timedelta(days=days)).isoformat() for days in (30, 60)]
    assert scene.browser.post(path, check_on=later[0]).status_code == 303
    began = house.read(Episode, episode.id)
    assert began.plan_on is None
    write(scene, patient, **PLAN)
    assert house.read(Episode, episode.id).plan_on == today(scene)
    assert scene.browser.post(path, check_on=later[1]).status_code == 303
    again = house.read(Episode, episode.id)
    assert (again.phase_at, again.check_on.isoformat()) == (began.phase_at, later[1])
    [version] = scene.rows(RelapsePlan)
    write(scene, patient, seen=str(version.id))
    assert house.read(Episode, episode.id).plan_on is None, "a plan that was emptied is none"
    assert "no plan written" in scene.browser.get(PAGE).text


def test_a_plan_of_which_only_a_file_told_says_so_and_is_counted_as_none_here(house: Any) -> None:
    scene = with_registry(house)
    in_care(scene, "Told", 5, plan_on=today(scene) - timedelta(days=50))
    page = scene.browser.get(f"{PAGE}?shown=without").text
    assert "from your file" in page
    assert names(page) == ["Told"]
    [row] = csv.DictReader(io.StringIO(scene.browser.get(f"{PAGE}.csv").text))
    assert row["plan of, as a file told"] == (today(scene) - timedelta(days=50)).isoformat()
    assert row["plan written on"] == ""


def test_the_days_of_plans_that_nobody_wrote_are_taken_out_of_older_databases(house: Any) -> None:
    scene = with_registry(house)
    unwritten, told = in_care(scene, "Unwritten", 5, plan_on=today(scene)), in_care(scene, "Told", 5)
    with db.unit_of_work(house.clinic.id) as session:
        row = session.scalars(select(Episode).where(Episode.patient_id == told.id)).one()
        row.plan_on, row.phase_at = today(scene), row.created_at - timedelta(days=1)
        session.flush()
        step = importlib.import_module("service.migrations.versions.0120_days_of_plans_that_nobody_wrote").STEP
        session.connection().exec_driver_sql(step)
    kept = {episode.patient_id: episode.plan_on for episode in scene.episodes()}
    assert kept == {unwritten.id: None, told.id: today(scene)}


def test_a_care_manager_begins_with_their_own_and_whoever_was_discharged_is_gone(house: Any) -> None:
    scene = with_registry(house)
    patient = in_care(scene, "Mine", 0)
    other = house.signed_in(house.staff("Olga Other"))
    assert names(other.get(PAGE).text) == []
    assert "of this care manager" in other.get(PAGE).text
    everybody = other.get(f"{PAGE}?manager=all").text
    assert names(everybody) == ["Mine"]
    assert "due today" in everybody
    assert scene.browser.post(f"/patients/{patient.id}/care/discharge", reason="goals_met").status_code == 303
    assert names(other.get(f"{PAGE}?manager=all").text) == []


@pytest.mark.parametrize(
    ("role", "code", "writes"),
    [
        ("care_manager", 200, True),
        ("clinician", 200, True),
        ("psychiatric_consultant", 200, False),
        ("front_desk", 403, False),
        ("clinic_admin", 403, False),
        ("auditor", 403, False),
    ],
)
def test_who_reads_the_registry_reads_it(house: Any, role: str, code: int, *, writes: bool) -> None:
    scene = with_registry(house)
    patient = in_care(scene, "Bare", 5)
    somebody = house.staff("Somebody", role=role)
    house.item(patient_id=patient.id, owner_id=somebody.id)
    browser = house.signed_in(somebody)
    answer = browser.get(f"{PAGE}?manager=all")
    assert answer.status_code == browser.get(f"{PAGE}.csv").status_code == code
    assert (">Write<" in answer.text) is writes


def test_another_clinic_and_a_clinic_without_a_registry_meet_nobody(house: Any, another_house: Any) -> None:
    scene = with_registry(house)
    in_care(scene, "Bare", 5)
    assert names(with_registry(another_house()).browser.get(f"{PAGE}?manager=all").text) == []
    without = with_registry(house, model="coordinated")
    assert names(without.browser.get(f"{PAGE}?manager=all").text) == []
    assert "Relapse plans" not in without.browser.get("/caseload").text
