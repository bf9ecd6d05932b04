"""Totals kept beside an episode are those of its forms, whatever happened, and nobody sees an old one."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from caseload import kept_scores, listing
from caseload.models import Episode
from config import db
from intake_links import submissions
from intake_links.models import Screen
from messaging.models import Clinic, Patient
from reminders import merging
from tests.web.caseload.seeding import answer, back, enrolled, with_registry


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def agree(scene: Any, imported: int = 0) -> int:
    """Read everybody, and compare with every form opened anew, now and once more; return how many totals there are.

    `imported` of them have no form.
    """
    for _ in range(2):
        with db.unit_of_work(scene.house.clinic.id) as session:
            clinic = session.get_one(Clinic, scene.house.clinic.id)
            standings = listing.standings(session, clinic)
            anew = kept_scores.of_forms(session, clinic, {each.patient_id for each in standings})
            episodes = {each.id: session.get_one(Episode, each.id) for each in standings}
            for each in standings:
                until = episodes[each.id].ended_on or each.facts.today
                every = anew.get((each.patient_id, episodes[each.id].scale), [])
                kept = list(each.scores) if not episodes[each.id].imported_ct else []
                assert kept == [scored for scored in every if scored.point.on <= until]
            assert sum(len(each.scores) for each in standings if episodes[each.id].imported_ct) == imported
    return sum(len(each.scores) for each in standings)


def _answered_otherwise(scene: Any, patient: Patient, days_ago: int) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        submissions.accept(
            session,
            session.get_one(Clinic, scene.house.clinic.id),
            session.get_one(Patient, patient.id),
            instrument="phq9",
            answers=[3] * 9,
            language="en",
            source="forms.test",
            event=f"{patient.id}:{days_ago}",
        )


def _merged(scene: Any, stays: Patient, goes: Patient) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        records = [session.get_one(Patient, patient.id) for patient in (stays, goes)]
        merging.merge(session, session.get_one(Clinic, scene.house.clinic.id), *records, f"staff:{scene.rosa.id}")


def _moved(scene: Any, zone: str) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Clinic, scene.house.clinic.id).zone = zone


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_what_is_kept_is_what_the_forms_say(scene: Any, seed: int) -> None:
    by_chance = random.Random(seed)
    patients = [scene.house.patient(first_name=name) for name in ("Ada", "Bea", "Cleo")]
    for patient in patients:
        enrolled(scene, patient, days_ago=40)
    for _ in range(14):
        patient, days = by_chance.choice(patients), by_chance.randrange(60)
        act = by_chance.choice(["answer", "answer", "otherwise", "discharge", "zone", "merge"])
        if act == "answer":
            answer(scene.house, patient, days, by_chance.randrange(28))
        elif act == "otherwise":
            _answered_otherwise(scene, patient, days)
        elif act == "discharge":
            scene.browser.post(f"/patients/{patient.id}/care/discharge", reason="goals_met")
        elif act == "zone":
            _moved(scene, by_chance.choice(["America/New_York", "Pacific/Honolulu", "UTC"]))
        elif len(patients) > 2:
            _merged(scene, patients[0], patients.pop())
        if by_chance.random() < 0.6:
            agree(scene)
    answer(scene.house, patients[0], 1, 9)
    assert agree(scene) >= 1


def test_forms_that_go_leave_no_total_and_those_that_come_in_late_are_seen(scene: Any) -> None:
    patient, other = scene.house.patient(), scene.house.patient()
    enrolled(scene, patient, days_ago=30)
    answer(scene.house, patient, 3, 12)
    assert agree(scene) == 1
    answer(scene.house, patient, 20, 18)  # an older form, entered later
    assert agree(scene) == 2
    with db.unit_of_work(db.EVERY) as session:
        moved = update(Screen).values(patient_id=other.id)
        session.execute(moved.where(Screen.patient_id == patient.id))
    assert agree(scene) == 0


def test_reading_opens_no_form_that_was_read_before(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=30)
    answer(scene.house, patient, 29, 12)
    scene.browser.get("/caseload")
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Screen).values(result_ct=b"opens no more"))
    assert "<b>12</b>" in scene.browser.get("/caseload").text


def test_what_is_kept_is_sealed(scene: Any) -> None:
    patient = scene.house.patient()
    episode = enrolled(scene, patient, days_ago=30)
    answer(scene.house, patient, 29, 12)
    scene.browser.get("/caseload")
    kept = scene.house.read(Episode, episode.id)
    assert kept.scores_ct
    assert b"12]" not in kept.scores_ct
    assert b",12," not in kept.scores_ct


def test_more_than_a_page_holds_are_pages_and_each_is_on_one(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.caseload.registry_page.A_PAGE", 2)
    for number, name in enumerate(("Ada", "Bea", "Cleo", "Dora", "Edda")):
        episode = enrolled(scene, scene.house.patient(first_name=name), days_ago=number)
        with db.unit_of_work(db.EVERY) as session:
            back(session.get_one(Episode, episode.id), timedelta(0))
    pages = [scene.browser.get(f"/caseload?sort=name&page={page}").text for page in (1, 2, 3, 99, "x", -1)]
    shown = [[name for name in ("Ada", "Bea", "Cleo", "Dora", "Edda") if f">{name}" in page] for page in pages]
    assert shown == [["Ada", "Bea"], ["Cleo", "Dora"], ["Edda"], ["Edda"], ["Ada", "Bea"], ["Ada", "Bea"]]
    assert "1 to 2 of 5" in pages[0]
    assert 'rel="prev"' not in pages[0]
    assert 'rel="next"' not in pages[2]
    assert "page=2" in pages[0]
    assert scene.browser.get("/caseload.csv").text.count("\n") == 6
