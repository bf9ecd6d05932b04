"""Why an item came to its owner, rule by rule."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config import clock, db
from messaging.inbox import escalation
from messaging.inbox.models import Absence, InboxItem, Timer
from web.presenters import assignment

reasons = st.lists(
    st.sampled_from(
        ["panel:Dr Lindqvist", "language:es", "on_duty", "off_duty", "fallback", "nobody", "answered_last"]
    ),
    unique=True,
)


def told(steps: list[assignment.Step]) -> list[tuple[str, str]]:
    return [(step.turn, step.words) for step in steps]


def test_each_rule_says_whether_it_matched() -> None:
    assert told(assignment.path(["panel:Dr Lindqvist", "language:es", "on_duty"], "Dr Lindqvist", "es")) == [
        ("yes", "In the panel of Dr Lindqvist"),
        ("yes", "Speaks Spanish"),
        ("yes", "On duty now"),
        ("no", "The clinic's fallback was not needed"),
    ]


def test_a_rule_that_did_not_apply_says_why() -> None:
    assert told(assignment.path(["fallback"], "Dr Okafor", None)) == [
        ("no", "Nobody who was asked looks after the panel of Dr Okafor"),
        ("no", "The language is not known"),
        ("no", "No care manager was on duty"),
        ("yes", "The clinic's fallback"),
    ]
    assert told(assignment.path([], None, None)) == [("no", "No rule chose an owner")]


@given(reasons, st.sampled_from([None, "Dr Lindqvist"]), st.sampled_from([None, "es"]))
def test_every_reason_that_was_given_is_told_once(
    given_reasons: list[str], panel: str | None, language: str | None
) -> None:
    steps = told(assignment.path(given_reasons, panel, language))
    assert [words for turn, words in steps if turn == "yes" and steps.count((turn, words)) != 1] == []
    assert sum(turn == "yes" for turn, _ in steps) == len(given_reasons)


def test_the_page_tells_the_way_and_who_covers(house: Any) -> None:
    rosa = house.staff(languages=("en", "es"), panels=("Dr Lindqvist",))
    ben = house.staff("Ben Carter")
    patient = house.patient(panel="Dr Lindqvist", language="es")
    item = house.item("safety", patient_id=patient.id)
    with db.unit_of_work(house.clinic.id) as session:
        escalation.fire(session, session.query(Timer).filter(Timer.kind == "route").all())
        now = clock.now()
        session.add(
            Absence(
                clinic_id=house.clinic.id,
                staff_id=rosa.id,
                cover_id=ben.id,
                starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(days=3),
                created_at=now,
                try_after=now,
            )
        )
    page = house.signed_in(ben).get(f"/inbox/{item.id}?view=everyone").text
    assert house.read(InboxItem, item.id).owner_id == rosa.id
    assert "Why this came to Rosa Delgado" in page
    assert "In the panel of Dr Lindqvist" in page
    assert "Rosa Delgado (on duty, speaks English and Spanish, 1 open)" in page
    assert "Rosa Delgado is away until" in page
    assert "Ben Carter covers" in page
