"""An emergency visit in the registry: seen on the episode's page, due until somebody has spoken with them."""

from datetime import timedelta
from typing import Any

import pytest

from config import clock, db
from messaging.models import Patient
from reminders import emergency
from tests.web.caseload.seeding import Scene, enrolled, with_registry
from tests.web.caseload.test_due_items import choose, close, night, spoken

WAITS = "In an emergency department 4 days ago: call them"


@pytest.fixture
def scene(house: Any) -> Scene:
    return with_registry(house)


def was_there(scene: Scene, patient: Patient, days_ago: int, number: str = "E1") -> None:
    """A feed has told of an emergency visit."""
    at = clock.now() - timedelta(days=days_ago)
    with db.unit_of_work(scene.house.clinic.id) as session:
        told = emergency.Told("ehr.general", number, at, at)
        assert emergency.keep(session, session.get_one(Patient, patient.id), told)


def test_a_care_manager_sees_it_and_whom_to_call_until_somebody_has_spoken_with_them(scene: Scene) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, 20)
    was_there(scene, patient, 3)
    page = scene.browser.get("/caseload").text
    assert "emergency visit 3 days ago: call" in page
    assert 'Emergency visit <span class="num">1</span>' in page
    page = scene.browser.get(f"/patients/{patient.id}/care").text
    assert "in an emergency department" in page
    assert "told by general" in page
    spoken(scene, patient)
    assert "emergency visit" not in scene.browser.get("/caseload").text
    assert "in an emergency department" in scene.browser.get(f"/patients/{patient.id}/care").text


def test_it_is_an_item_only_where_the_clinic_says_so_and_says_when_it_is_over(scene: Scene) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, 20)
    was_there(scene, patient, 2)
    assert night(scene) == []
    choose(scene, "emergency")
    assert night(scene, 2) == [(WAITS, "open")]
    spoken(scene, patient)
    assert night(scene, 3) == [(f"No longer due: {WAITS}", "open")]
    close(scene)


def test_a_visit_of_long_ago_is_not_due_and_one_that_was_taken_back_is_nowhere(scene: Scene) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, 60)
    was_there(scene, patient, 31)
    assert "emergency visit" not in scene.browser.get("/caseload").text
    at = clock.now()
    with db.unit_of_work(scene.house.clinic.id) as session:
        told = emergency.Told("ehr.general", "E1", at, at, cancelled=True)
        assert emergency.keep(session, session.get_one(Patient, patient.id), told)
    assert "in an emergency department" not in scene.browser.get(f"/patients/{patient.id}/care").text
