"""What of an EHR's scores cannot be right, or is of nobody known, waits for a person and rings all the same."""

from typing import Any

import pytest

from config import db
from intake_links import finding
from interchange.models import FeedMessage
from messaging.models import Clinic
from tests.interchange.messages import PID, visit
from tests.webhooks.ehr_world import SOON, World, both
from tests.webhooks.score_world import (
    SUICIDE,
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
@pytest.mark.parametrize(("nine", "kind"), [(2, "safety"), (0, "screen")])
def test_a_total_that_contradicts_its_answers_is_for_a_person_and_rings_all_the_same(
    world: World, nine: int, kind: str
) -> None:
    world.hear(oru(*answered(1, 1, 1, 1, 1, 1, 1, 1, nine), obx(TOTAL, 20)))
    (screen,), (item,) = screens(world), items(world)
    assert (total(screen), item.kind, states(world)) == (None, kind, ["held"])
    assert "contradicts its answers" in (item.summary or "")
    assert "score_contradicts" in world.problems()
    assert [each.kind for each in items(world, "delivery")] == ["delivery"]


def test_once_the_total_is_corrected_the_score_is_one(world: World) -> None:
    world.hear(oru(*answered(1, 1, 1, 1, 1, 1, 1, 1, 0), obx(TOTAL, 20)))
    world.hear(oru(obx(TOTAL, 8, state="C"), said=60))
    assert [total(screen) for screen in screens(world)] == [8]


@both
@pytest.mark.parametrize(
    ("result", "kind"),
    [
        (obx(SUICIDE, 14), "safety"),
        (obx(SUICIDE, "several days", kind="ST"), "safety"),
        (obx("44249-1", 26), "safety"),
        (obx("44259-0", 26), "safety"),
        (obx("44259-0", 12), "screen"),
        (obx("44249-1", 12), "screen"),
        (obx("69725-0", 11), "screen"),
        (obx(TOTAL, 40), "screen"),
        (obx("44259-0", 4), None),
        (obx(SUICIDE, ""), None),
    ],
)
def test_what_cannot_be_right_waits_for_a_person_and_asks_for_one_if_it_may_be_an_alarm(
    world: World, result: str, kind: str | None
) -> None:
    assert world.hear(oru(result, obx("70274-6", 3))) == ["AE"]
    assert [item.kind for item in items(world)] == ([kind] if kind else [])
    assert [total(screen) for screen in screens(world) if screen.submitted_at and screen.instrument == "gad7"][:1] == [
        3
    ]
    assert states(world) == ["held"]
    assert [known for _, known in owed(world)] == ([True] if kind else [])


def test_what_was_unclear_and_is_told_rightly_is_unclear_no_more(world: World) -> None:
    world.hear(oru(obx(SUICIDE, 14)), oru(obx(SUICIDE, 0), said=60))
    (screen,) = screens(world)
    assert (screen.detail["unclear"], finding.answers_of(screen)[8], screen.state) == ({}, 0, "submitted")


@both
def test_a_positive_answer_of_somebody_whom_nobody_knows_is_in_the_inbox_once(world: World) -> None:
    message = oru(obx(SUICIDE, 1), pid=PID.replace("4711", "9999").replace("ANA", "EVA").replace("0101", "0177"))
    world.hear(message)
    (item,) = items(world)
    (held,) = world.messages[1:]
    assert (screens(world), held.state, item.kind, item.patient_id) == ([], "held", "safety", None)
    assert item.about == f"feed_message:{held.id}"
    assert "EVA, RIVER, 1980-01-02, 9999" in (item.summary or "")
    assert owed(world) == [("safety", True)]
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(FeedMessage, held.id).state = "received"
    world.hear()
    assert len(items(world)) == 1


@pytest.mark.parametrize("pid", [PID.replace("4711", "X5"), "PV1|1|O"])
def test_a_positive_answer_rings_where_it_is_not_plain_whose_it_is(world: World, pid: str) -> None:
    record_of_another(world)
    world.hear(oru(obx(SUICIDE, 1), pid=pid))
    assert [(item.kind, item.patient_id) for item in items(world)] == [("safety", None)]
