"""What a patient says of their medicine, by the schedule: marks on the episode, an item only where much was missed."""

from datetime import timedelta
from typing import Any

import pytest

from caseload import questionnaires as asking
from config import clock, db
from intake_links import submissions
from intake_links.models import IntakeLink
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from tests.web.caseload.seeding import enrolled, with_registry
from tests.web.caseload.test_asking import publish

SCHEDULE = {
    "asks": [{"name": "meds", "instruments": ["adherence"], "who": "active_phase", "every": "2 weeks"}],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest) -> Any:
    return with_registry(request.getfixturevalue("house" if request.param == "sqlite" else "house_on_postgresql"))


def say(scene: Any, patient: Any, days_ago: int, value: int) -> bytes:
    with db.unit_of_work(scene.house.clinic.id) as session:
        screen = submissions.accept(
            session,
            session.get_one(Clinic, scene.house.clinic.id),
            session.get_one(Patient, patient.id),
            instrument="adherence",
            answers=[value],
            language="en",
            source="forms.test",
            event=f"{patient.id}:{days_ago}",
            authored_at=clock.now() - timedelta(days=days_ago),
        )
        return screen.answers_ct


def test_the_schedule_asks_it_and_each_answer_is_a_mark_on_the_episode(scene: Any) -> None:
    publish(scene, SCHEDULE)
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=40)
    care = f"/patients/{patient.id}/care"
    assert "Medication, as they said" not in scene.browser.get(care).text
    assert asking.drain() == 1
    [link] = scene.rows(IntakeLink)
    assert link.instruments == ["adherence"]
    assert b"[1]" not in say(scene, patient, 21, 1)
    say(scene, patient, 14, 2)
    assert not [item for item in scene.rows(InboxItem) if item.kind == "screen"]
    say(scene, patient, 7, 3)
    assert [item.patient_id for item in scene.rows(InboxItem) if item.kind == "screen"] == [patient.id]
    page = scene.browser.get(care).text
    table = page[page.index("Medication, as they said") : page.index("What was done")]
    marks = [table.index(said) for said in ("missed 3 days or more", "missed 1 or 2 days", "taken each day")]
    assert marks == sorted(marks)
