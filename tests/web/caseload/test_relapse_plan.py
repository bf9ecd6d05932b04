"""The plan against a relapse: written with the patient, kept sealed version by version, printed, never texted."""

from typing import Any

import pytest
from sqlalchemy import text

from caseload import relapse_plans
from caseload.models import RelapsePlan
from config import db
from messaging.models import Message
from tests.web.caseload.seeding import enrolled, with_registry

PLAN = {"warning_signs": "I stay in bed\nI skip calls", "whom_to_call": "My sister first"}


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest) -> Any:
    return with_registry(request.getfixturevalue("house" if request.param == "sqlite" else "house_on_postgresql"))


def test_it_is_written_on_the_episode_kept_sealed_shared_by_choice_and_printed(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=30)
    page = f"/patients/{patient.id}/relapse-plan"
    assert page in scene.browser.get(f"/patients/{patient.id}/care").text
    assert scene.browser.get(f"{page}.pdf").status_code == 404
    assert scene.browser.post(page, **PLAN).status_code == 303
    [first] = scene.rows(RelapsePlan)
    assert not first.shared
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        kept = session.execute(text("SELECT sections_ct FROM relapse_plan")).scalar_one()
        assert b"sister" not in bytes(kept)
        assert relapse_plans.KIND.shared(session, patient.id) == {}
    # The same words, now to be read by the patient too, are another version.
    for _ in range(2):
        assert scene.browser.post(page, **PLAN, seen=str(first.id), shared="on").status_code == 303
    assert [row.shared for row in scene.rows(RelapsePlan)] == [False, True]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert relapse_plans.KIND.shared(session, patient.id) == PLAN
    printed = scene.browser.get(f"{page}.pdf")
    assert printed.data.startswith(b"%PDF")
    assert printed.headers["Content-Type"] == "application/pdf"
    assert scene.rows(Message) == []


def test_of_two_who_write_at_once_the_second_sees_both_and_loses_nothing(scene: Any) -> None:
    patient = scene.house.patient()
    page = f"/patients/{patient.id}/relapse-plan"
    scene.browser.post(page, **PLAN)
    answer = scene.browser.post(page, what_helps="A walk each day", shared="on")
    assert answer.status_code == 409
    assert "A walk each day" in answer.text
    assert "I stay in bed" in answer.text
    assert 'name="shared" checked' in answer.text
    assert scene.browser.post(page, what_helps="x" * 1501).status_code == 422
    assert len(scene.rows(RelapsePlan)) == 1


def test_who_has_no_part_in_care_neither_reads_nor_writes_it(house: Any) -> None:
    scene = with_registry(house)
    patient = house.patient()
    page = f"/patients/{patient.id}/relapse-plan"
    desk = house.signed_in(house.staff("Dana Desk", role="front_desk"))
    assert {desk.get(each).status_code for each in (page, f"{page}.pdf")} == {403}
    consultant = house.signed_in(scene.silva)
    assert consultant.post(page, **PLAN).status_code == 403
    assert scene.rows(RelapsePlan) == []
