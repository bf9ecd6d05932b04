"""Who is in no episode and may belong into one: a positive screen beside a visit, a handoff that met, a referral."""

from datetime import timedelta
from typing import Any

import pytest

from config import clock, db
from messaging.models import Patient
from reminders.models import Appointment, Handoff
from tests.web.caseload.seeding import answer, enrolled, with_registry

DAY = timedelta(days=1)


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def somebody(scene: Any, name: str) -> Patient:
    return scene.house.patient(first_name=name, last_name="Quill")


def visit(scene: Any, patient: Patient, days: int, state: str = "booked") -> None:
    """A visit of theirs so many days from now."""
    with db.unit_of_work(scene.house.clinic.id) as session:
        facts = {
            "clinic_id": scene.house.clinic.id,
            "patient_id": patient.id,
            "source": "test",
            "state": state,
            "zone": "America/Denver",
        }
        at = clock.now() + days * DAY
        session.add(
            Appointment(
                external_id=f"{patient.id}:{days}", starts_at=at, booked_at=at, created_at=at, updated_at=at, **facts
            )
        )


def handoff(scene: Any, patient: Patient, days_ago: int, **facts: Any) -> None:
    at = clock.now() - days_ago * DAY
    with db.unit_of_work(scene.house.clinic.id) as session:
        whose = {"clinic_id": scene.house.clinic.id, "patient_id": patient.id, "requested_by": "staff"}
        session.add(Handoff(requested_at=at, try_after=at, **whose, **facts))


def proposed(scene: Any) -> str:
    return scene.browser.get("/caseload/proposed").text.split("<main")[1]


def test_a_positive_screen_beside_a_visit_proposes_somebody_until_they_are_enrolled(scene: Any) -> None:
    ana, bea, cora = (somebody(scene, name) for name in ("Ana", "Bea", "Cora"))
    for patient, points in ((ana, 14), (bea, 4), (cora, 14)):
        answer(scene.house, patient, 3, points)
    visit(scene, ana, 5)
    visit(scene, bea, 5)
    visit(scene, cora, 5, state="cancelled")
    page = proposed(scene)
    assert "Ana Quill" in page
    assert "positive questionnaire" in page
    assert "Bea Quill" not in page, "was not positive"
    assert "Cora Quill" not in page, "has no visit"
    enrolled(scene, ana, 0)
    assert "Nobody at the moment" in proposed(scene)


def test_a_handoff_that_met_and_a_referral_propose_and_others_do_not(scene: Any) -> None:
    now = clock.now()
    told = {
        "Met": {"days_ago": 4, "met_at": now - 3 * DAY, "state": "met"},
        "Sent": {"days_ago": 2, "modality": "later"},
        "Lost": {"days_ago": 4, "outcome": "lost"},
        "Taken": {"days_ago": 2, "modality": "later", "outcome": "cancelled"},
        "Old": {"days_ago": 70, "met_at": now - 61 * DAY},
    }
    for name, facts in told.items():
        handoff(scene, somebody(scene, name), **facts)
    page = proposed(scene)
    assert page.index("Sent Quill") < page.index("Met Quill"), "the latest first"
    assert "referred to a colleague" in page
    assert "met the care team" in page
    for name in ("Lost", "Taken", "Old"):
        assert f"{name} Quill" not in page


def test_what_was_before_the_end_of_an_episode_proposes_nobody_again(scene: Any) -> None:
    dora = somebody(scene, "Dora")
    handoff(scene, dora, 5, met_at=clock.now() - 5 * DAY)
    enrolled(scene, dora, 4)
    scene.browser.post(f"/patients/{dora.id}/care/discharge", reason="declined")
    assert "Dora Quill" not in proposed(scene)
    handoff(scene, dora, 0, met_at=clock.now())
    assert "Dora Quill" in proposed(scene)


def test_whoever_is_no_active_patient_is_not_proposed(scene: Any) -> None:
    eva = somebody(scene, "Eva")
    handoff(scene, eva, 1, met_at=clock.now())
    with db.unit_of_work(scene.house.clinic.id) as session:
        session.get_one(Patient, eva.id).state = "deceased"
    assert "Eva Quill" not in proposed(scene)


@pytest.mark.parametrize(("role", "code"), [("care_manager", 200), ("clinician", 200), ("psychiatric_consultant", 403)])
def test_who_may_enrol_sees_it(scene: Any, role: str, code: int) -> None:
    browser = scene.house.signed_in(scene.house.staff("Somebody", role=role))
    assert browser.get("/caseload/proposed").status_code == code
    assert ("To enroll" in browser.get("/caseload").text) is (code == 200)


def test_a_clinic_without_a_registry_meets_nobody_there(house: Any) -> None:
    scene = with_registry(house, model="coordinated")
    handoff(scene, somebody(scene, "Fay"), 1, met_at=clock.now())
    assert "Fay Quill" not in proposed(scene)
