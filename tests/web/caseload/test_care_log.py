"""What was done in an episode: written down once, struck by its author, and proposed from the calls one has logged."""

import re
from datetime import timedelta
from typing import Any

import pytest

from caseload.models import CareEntry
from config import clock, db
from messaging.inbox import notes_and_calls
from messaging.models import Clinic, Staff
from tests.web.caseload.seeding import at_local, enrolled, with_registry


@pytest.fixture
def scene(house: Any) -> Any:
    return with_registry(house)


def test_work_is_written_down_once_and_struck_by_its_author_alone(scene: Any) -> None:
    patient, path = scene.house.patient(), ""
    enrolled(scene, patient, days_ago=20)
    path = f"/patients/{patient.id}/care"
    work = {"kind": "call", "starts_at": at_local(scene, timedelta(hours=-2)), "minutes": "25", "reached": "on"}
    assert scene.browser.post(f"{path}/log", **work).status_code == 303
    twice = scene.browser.post(f"{path}/log", **work)
    assert twice.status_code == 422
    assert "Nobody does two things at once" in twice.text
    page = scene.browser.get(path).text
    assert "spoke with them" in page
    [entry] = scene.rows(CareEntry)
    other = scene.house.signed_in(scene.house.staff("Ben Okafor"))
    assert other.post(f"{path}/strike/{entry.id}").status_code == 422
    assert scene.browser.post(f"{path}/strike/{entry.id}").status_code == 303
    assert scene.rows(CareEntry)[0].struck_at is not None
    assert "0 min" in scene.browser.get("/caseload").text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"minutes": "0"}, "from 1 to 240"),
        ({"minutes": "1000"}, "from 1 to 240"),
        ({"minutes": "ten"}, "from 1 to 240"),
        ({"starts_at": "2001-01-01T10:00"}, "within the last three months"),
        ({"starts_at": ""}, "within the last three months"),
        ({"kind": "sleep"}, "Choose what was done"),
    ],
)
def test_work_that_cannot_have_been_is_refused(scene: Any, changed: dict[str, str], said: str) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    work = {"kind": "call", "starts_at": at_local(scene, timedelta(hours=-2)), "minutes": "25"}
    refused = scene.browser.post(f"/patients/{patient.id}/care/log", **(work | changed))
    assert refused.status_code == 422
    assert said in refused.text
    assert scene.rows(CareEntry) == []


def test_what_ends_in_the_future_has_not_been_done(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    work = {"kind": "call", "starts_at": at_local(scene, timedelta(minutes=-5)), "minutes": "30"}
    assert "only what was done" in scene.browser.post(f"/patients/{patient.id}/care/log", **work).text


def test_a_logged_call_is_proposed_to_who_made_it_and_taken_over_or_declined_once(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    with db.unit_of_work(scene.house.clinic.id) as session:
        clinic, rosa = session.get_one(Clinic, scene.house.clinic.id), session.get_one(Staff, scene.rosa.id)
        calls = [
            notes_and_calls.log_call(session, clinic, rosa, outcome="reached", patient_id=patient.id, minutes=minutes)
            for minutes in (14, 15)
        ]
        calls[0].at = clock.now() - timedelta(hours=1)
    # A call that is taken over is one contact and not two.
    before = re.findall(r"\d+ this month", scene.browser.get("/caseload").text)
    path = f"/patients/{patient.id}/care"
    page = scene.browser.get(path).text
    assert "Your call, reached: 14 min" in page
    assert "Your call" not in scene.house.signed_in(scene.house.staff("Ben Okafor")).get(path).text
    starts = re.search(r'name="starts_at" value="([^"]+)"><input type="hidden" name="minutes" value="14"', page)
    assert starts is not None
    form = {"kind": "call", "starts_at": starts[1], "minutes": "14", "reached": "on", "call": str(calls[0].id)}
    assert scene.browser.post(f"{path}/log", **form).status_code == 303
    assert scene.browser.post(f"{path}/decline/{calls[1].id}").status_code == 303
    assert scene.browser.post(f"{path}/decline/{calls[1].id}").status_code == 422
    page = scene.browser.get(path).text
    assert "Your call" not in page
    assert [(entry.live, entry.struck_at is None) for entry in scene.rows(CareEntry)] == [(True, True), (False, False)]
    assert re.findall(r"\d+ this month", scene.browser.get("/caseload").text) == before


def test_who_logs_minutes_is_told_where_they_wait(scene: Any) -> None:
    patient = scene.house.patient()
    call = {"outcome": "reached", "minutes": "20"}
    path = f"/patients/{patient.id}"
    scene.browser.post(f"{path}/call", **call)
    assert "Its minutes wait" not in scene.browser.get(path).text
    enrolled(scene, patient, days_ago=20)
    scene.browser.get(path)
    scene.browser.post(f"{path}/call", **call)
    assert "Its minutes wait on the patient’s page under Care" in scene.browser.get(path).text
