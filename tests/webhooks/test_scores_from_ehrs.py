"""Scores that EHRs tell are filed as if they were answered here; a positive answer among them is never lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseload import kept_scores
from config import db
from intake_links import finding, scoring
from intake_links.models import Screen
from interchange import jobs
from interchange.models import FeedMessage
from messaging.models import Clinic, Patient
from tests.interchange.messages import visit
from tests.interchange.resources import bundle, observation, response
from tests.webhooks.ehr_world import SOON, World, both
from tests.webhooks.score_world import (
    NOW,
    SUICIDE,
    TODAY,
    TOTAL,
    answered,
    items,
    obx,
    oru,
    owed,
    record_of_another,
    screens,
    states,
    total,
)


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    world = World(clinic)
    world.hear(visit("S12", start=SOON))
    return world


@both
def test_a_positive_item_nine_stands_in_the_inbox_as_if_it_were_answered_here(world: World) -> None:
    assert world.hear(oru(*answered(1, 1, 1, 1, 1, 1, 1, 0, 1), obx(TOTAL, 8))) == ["AA"]
    (screen,), (item,) = screens(world), items(world)
    assert (screen.source, screen.instrument, screen.submitted_at, total(screen)) == ("ehr:books", "phq9", TODAY, 8)
    assert (item.kind, item.patient_id, item.about) == ("safety", screen.patient_id, f"screen:{screen.id}")
    assert item.summary == "Answered item 9 on the PHQ-9: several days. Total 8, mild"
    assert (owed(world), states(world)) == ([("safety", True)], ["done"])


@both
def test_a_total_alone_is_drawn_in_the_registry_and_asks_for_a_person_if_positive(world: World) -> None:
    world.hear(oru(obx(TOTAL, 14)))
    (screen,), (item,) = screens(world), items(world)
    assert (total(screen), screen.owed, item.kind) == (14, "screen", "screen")
    assert item.summary == "Positive screen on the PHQ-9. Total 14, moderate"
    with db.unit_of_work(db.EVERY) as session:
        forms = kept_scores.of_forms(session, session.get_one(Clinic, world.clinic.id), [screen.patient_id])
    assert [each.point.total for each in forms[screen.patient_id, "phq9"]] == [14]


def test_what_is_positive_nowhere_is_filed_and_asks_for_nobody(world: World) -> None:
    world.hear(oru(obx(TOTAL, 4), obx("70274-6", 3), obx("75626-2", 1)))
    filed = sorted((screen.instrument, total(screen)) for screen in screens(world))
    assert filed == [("audit_c", 1), ("gad7", 3), ("phq9", 4)]
    assert items(world) == []


def test_a_total_that_leaves_no_other_way_rings_for_the_item_that_was_not_sent(world: World) -> None:
    world.hear(oru(obx(TOTAL, 25)))
    (item,) = items(world)
    assert item.kind == "safety"
    assert "the answer to item 9 cannot have been 0" in (item.summary or "")


@both
def test_the_same_result_twice_is_one(world: World) -> None:
    whole = [*answered(3, 3, 3, 3, 3, 3, 3, 3, 3), obx(TOTAL, 27)]
    world.hear(oru(*whole), oru(*whole, said=60), oru(obx(SUICIDE, 3), said=90))
    assert (len(screens(world)), len(items(world))) == (1, 1)
    assert states(world) == ["done", "ignored", "ignored"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_what_comes_in_two_messages_is_one_form(world: World, order: tuple[int, int]) -> None:
    parts = [oru(obx(TOTAL, 8)), oru(*answered(1, 1, 1, 1, 1, 1, 1, 0, 1), said=1)]
    world.hear(*(parts[place] for place in order))
    (screen,), (item,) = screens(world), items(world)
    assert (total(screen), item.kind) == (8, "safety")
    assert item.summary == "Answered item 9 on the PHQ-9: several days. Total 8, mild"


@both
def test_a_correction_replaces_and_its_item_says_so(world: World) -> None:
    world.hear(oru(*answered(1, 1, 1, 1, 1, 1, 1, 0, 2), obx(TOTAL, 9)))
    world.hear(oru(obx(SUICIDE, 0, state="C"), obx(TOTAL, 7, state="C"), said=60))
    (screen,), (item,) = screens(world), items(world)
    assert (total(screen), finding.answers_of(screen)[8], item.state) == (7, 0, "open")
    assert item.summary == (
        "Answered item 9 on the PHQ-9: more than half the days. The EHR has corrected it since. Total 7, mild"
    )


def test_a_correction_that_is_positive_rings(world: World) -> None:
    world.hear(oru(*answered(0, 0, 0, 0, 0, 0, 0, 0, 0)))
    assert items(world) == []
    world.hear(oru(obx(SUICIDE, 3, state="C"), said=60))
    (item,) = items(world)
    assert item.kind == "safety"


@pytest.mark.parametrize("late", [obx(SUICIDE, 3), obx(SUICIDE, 3, state="C")])
def test_what_was_said_before_the_correction_changes_nothing(world: World, late: str) -> None:
    world.hear(oru(obx(SUICIDE, 0, state="C"), said=60), oru(late, said=30))
    (screen,) = screens(world)
    assert finding.answers_of(screen)[8] == 0
    assert "score_older" in world.problems()


def test_a_result_that_differs_and_is_no_correction_is_kept_beside_and_asked_about(world: World) -> None:
    different = oru(obx(SUICIDE, 2), said=60)
    world.hear(oru(*answered(0, 0, 0, 0, 0, 0, 0, 0, 0)), different, different.replace("|R60|", "|R61|"))
    assert len(screens(world)) == 2
    assert sorted(item.kind for item in items(world)) == ["reply", "safety"]


def test_a_withdrawn_result_is_no_score_any_more_and_its_item_stays(world: World) -> None:
    world.hear(oru(obx(TOTAL, 14)), oru(obx(TOTAL, "", state="W"), said=60))
    (screen,), (item,) = screens(world), items(world)
    assert (screen.submitted_at, screen.result, item.state) == (None, None, "open")
    assert "The EHR has corrected it since" in (item.summary or "")


def test_a_withdrawal_that_comes_first_holds(world: World) -> None:
    world.hear(oru(obx(TOTAL, "", state="W"), said=60), oru(obx(TOTAL, 14)))
    assert [screen.submitted_at for screen in screens(world)] == [None]
    assert items(world) == []


@both
def test_an_old_form_is_filed_and_put_before_a_person_as_old(world: World) -> None:
    old = NOW - timedelta(days=30)
    world.hear(oru(*answered(1, 1, 1, 1, 1, 1, 1, 1, 1), taken=old))
    (screen,), (item,) = screens(world), items(world)
    assert (screen.submitted_at, item.kind) == (old, "screen")
    assert (item.summary or "").startswith(f"On a form of {old.day} {old:%b} {old.year}, told by the EHR only now: ")
    assert owed(world) == [("screen", True)]


def test_a_form_that_was_fresh_when_it_came_rings_however_late_it_is_worked_on(world: World) -> None:
    world.post(oru(obx(SUICIDE, 1), taken=NOW - timedelta(days=6)))
    with db.unit_of_work(db.EVERY) as session:
        message = session.query(FeedMessage).order_by(FeedMessage.id.desc()).first()
        assert message is not None
        message.received_at = NOW - timedelta(days=5)
        message.said_at = NOW - timedelta(days=6)
    world.hear()
    assert [item.kind for item in items(world)] == ["safety"]


def test_a_day_without_an_hour_is_that_day_of_the_clinic(world: World) -> None:
    message = oru(obx(TOTAL, 4)).replace(f"|{TODAY:%Y%m%d%H%M%S}+0000\r", f"|{TODAY - timedelta(days=1):%Y%m%d}\r")
    world.hear(message)
    (screen,) = screens(world)
    assert screen.submitted_at is not None
    assert f"{screen.submitted_at - timedelta(hours=6):%H}" in ("12", "13")


def test_the_two_questions_of_the_short_form_belong_to_the_form_they_came_with(world: World) -> None:
    world.hear(oru(obx("44250-9", 3), obx("44255-8", 3), obx("55758-7", 6)))
    assert [(screen.instrument, total(screen)) for screen in screens(world)] == [("phq2", 6)]


def test_observations_and_responses_in_fhir_are_filed_and_ring(world: World) -> None:
    mine = {"subject": {"identifier": {"value": "4711", "system": "ELM", "type": {"coding": [{"code": "MR"}]}}}}
    at = f"{TODAY:%Y-%m-%dT%H:%M:%SZ}"
    nine = observation(SUICIDE, valueInteger=1) | mine | {"effectiveDateTime": at}
    mean = observation(TOTAL, valueString="8") | mine | {"effectiveDateTime": at}
    assert world.post(json.dumps(bundle(nine, mean))).status_code == 200
    world.hear()
    (screen,), (item,) = screens(world), items(world)
    assert (total(screen), item.kind) == (8, "safety")
    whole = response(authored=f"{TODAY - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}") | mine
    assert world.post(json.dumps(whole)).status_code == 200
    world.hear()
    assert sorted(each.kind for each in items(world)) == ["safety", "safety"]


def test_a_response_with_an_impossible_answer_rings_if_item_nine_may_be_positive(world: World) -> None:
    mine = {"subject": {"identifier": {"value": "4711", "system": "ELM", "type": {"coding": [{"code": "MR"}]}}}}
    whole = response(authored=f"{TODAY:%Y-%m-%dT%H:%M:%SZ}") | mine
    whole["item"][0]["answer"] = [{"valueInteger": 7}]
    assert world.post(json.dumps(whole)).status_code == 422
    world.hear()
    assert [item.kind for item in items(world)] == ["safety"]


def test_a_merged_record_keeps_one_form(world: World) -> None:
    world.hear(oru(obx(TOTAL, 14)))
    survivor = record_of_another(world)
    with db.unit_of_work(db.EVERY) as session:
        (screen,) = session.query(Screen)
        session.get_one(Patient, screen.patient_id).merged_into = survivor.id
        screen.patient_id = survivor.id
    world.hear(oru(obx(TOTAL, 14), obx(SUICIDE, 0), said=60))
    assert len(screens(world)) == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | st.integers(0, 3), min_size=9, max_size=9), st.none() | st.integers(0, 27))
def test_a_told_total_never_silences_an_answer(answers: list[int | None], told: int | None) -> None:
    alone, beside = scoring.score("phq9", answers), scoring.score("phq9", answers, None, told)
    assert set(alone.alerts) <= set(beside.alerts)
    assert beside.positive or not alone.positive
    if told is not None and told >= 10:
        assert beside.positive
    if beside.total is not None:
        assert beside.total in (alone.total, told)
        assert not scoring.contradicts(scoring.instrument("phq9"), answers, told)
    if answers[8] == 0:
        assert beside.alerts == ()


@both
def test_two_workers_at_once_file_one_form_and_open_one_item(world: World) -> None:
    for said in range(6):
        world.post(oru(*answered(1, 1, 1, 1, 1, 1, 1, 0, 1), obx(TOTAL, 8), said=said))
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda _: jobs.drain(), range(2)))
    world.hear()
    assert (len(screens(world)), [item.kind for item in items(world)]) == (1, ["safety"])
    assert sorted(states(world)) == ["done", *["ignored"] * 5]
