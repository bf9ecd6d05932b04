"""Few texts: caps over all visits, one text for the visits of a day,
conditions asked when a text is due, texts after a visit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from config import db
from intake_links.models import Screen
from messaging.models import Patient
from reminders import appointments, cadence_decision
from reminders.cadence import cadence_definition
from reminders.models import Appointment
from tests.reminders.conftest import NOW, World, plan_of, states_of, texts_to, why_of
from tests.reminders.sending.test_dispatch import drain, publish

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
VISIT = NOW + timedelta(days=7)
DAY_BEFORE = VISIT - timedelta(days=1)
DAY = {"name": "day", "before": "1 day", "text": "reminder_day"}
SOON = {"name": "soon", "before": "2 hours", "text": "reminder_hours"}
MISSED = {"name": "missed", "after": "1 day", "at": "10:00", "when": ["no_show"], "text": "missed_visit"}
NEXT_DAY_AT_TEN = datetime(2026, 3, 11, 16, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def mark(visit: Appointment, at: datetime, **facts: Any) -> None:
    """Write down how a visit went, as the import does when the clinic's books say it."""
    with time_machine.travel(at, tick=False), db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Appointment, visit.id)
        for name, value in facts.items():
            setattr(found, name, value)
        appointments.planner.replan(session, found)


def answer(world: World, patient: Patient, at: datetime) -> None:
    """Submit a questionnaire of the patient's."""
    with db.unit_of_work(db.EVERY) as session:
        session.add(
            Screen(
                clinic_id=world.clinic.id,
                patient_id=patient.id,
                key_id=patient.key_id,
                instrument="phq9",
                instrument_version="1",
                language="en",
                source="link",
                event=f"made up for {patient.id}",
                state="submitted",
                started_at=at,
                submitted_at=at,
                answers="[]",
            )
        )


def why(visit: Appointment, step: str) -> str:
    return why_of(plan_of(visit)[step])[-1]


@BOTH
def test_the_visits_of_a_day_share_a_text_with_every_hour(world: World) -> None:
    publish(world, {**SOON, "before": "1 day"})
    patient = world.patient()
    first, second = world.visit(patient, VISIT), world.visit(patient, VISIT + timedelta(hours=5))
    elsewhere = world.visit(world.patient(), VISIT)
    drain(DAY_BEFORE)
    drain(DAY_BEFORE + timedelta(hours=5))
    [body] = texts_to(patient)
    assert "10:00 AM, 3:00 PM" in body
    assert why(second, "soon") == "combined into the text about the visit of that day at 10:00"
    assert plan_of(second)["soon"].message_id == plan_of(first)["soon"].message_id
    assert plan_of(elsewhere)["soon"].message_id != plan_of(first)["soon"].message_id


def test_a_shared_text_that_asks_for_an_answer_numbers_the_visits(world: World) -> None:
    publish(world, DAY)
    patient = world.patient()
    world.visit(patient, VISIT)
    world.visit(patient, VISIT + timedelta(hours=5))
    drain(DAY_BEFORE)
    [body] = texts_to(patient)
    assert "1) Tue, Mar 10 10:00 AM, 2) Tue, Mar 10 3:00 PM" in body


def test_a_shared_text_carries_the_questions_and_the_hours(world: World) -> None:
    patient = world.patient()
    world.visit(patient, VISIT)
    world.visit(patient, VISIT + timedelta(hours=5))
    drain(DAY_BEFORE)
    [body] = texts_to(patient)
    assert "/i/" in body
    assert "2) Tue, Mar 10 3:00 PM" in body


def test_hours_before_two_visits_far_apart_are_said_each_in_its_time(world: World) -> None:
    publish(world, SOON)
    patient = world.patient()
    world.visit(patient, VISIT)
    world.visit(patient, VISIT + timedelta(hours=5))
    drain(VISIT - timedelta(hours=2))
    drain(VISIT + timedelta(hours=3))
    assert [("10:00 AM" in body, "3:00 PM" in body) for body in texts_to(patient)] == [
        (True, False),
        (False, True),
    ]


def test_a_clinic_may_want_a_text_for_each_visit(world: World) -> None:
    publish(world, {**SOON, "before": "1 day"}, combine_day=False)
    patient = world.patient()
    world.visit(patient, VISIT)
    world.visit(patient, VISIT + timedelta(hours=5))
    drain(DAY_BEFORE)
    drain(DAY_BEFORE + timedelta(hours=5))
    assert len(texts_to(patient)) == 2


@BOTH
@pytest.mark.parametrize("cancelled", [0, 1])
def test_when_one_of_two_visits_is_cancelled_the_other_is_still_announced(world: World, cancelled: int) -> None:
    publish(world, {**SOON, "before": "1 day"})
    patient = world.patient()
    visits = [world.visit(patient, VISIT), world.visit(patient, VISIT + timedelta(hours=5))]
    drain(DAY_BEFORE)
    with time_machine.travel(DAY_BEFORE + timedelta(seconds=5), tick=False):
        with db.unit_of_work(db.EVERY) as session:
            appointments.cancel(session, session.get_one(Appointment, visits[cancelled].id), "test")
        assert texts_to(patient) == []
    kept = visits[1 - cancelled]
    drain(kept.starts_at - timedelta(days=1) + timedelta(minutes=1))
    [body] = texts_to(patient)
    assert ("10:00 AM" if kept is visits[0] else "3:00 PM") in body
    assert ("3:00 PM" if kept is visits[0] else "10:00 AM") not in body


@BOTH
def test_no_patient_gets_more_than_the_clinic_allows_a_day(world: World) -> None:
    publish(world, DAY, SOON, cap_per_day=1)
    patient = world.patient()
    today = world.visit(patient, VISIT)
    tomorrow = world.visit(patient, VISIT + timedelta(days=1, hours=4))
    drain(VISIT - timedelta(hours=2))
    drain(VISIT + timedelta(hours=4))
    assert len(texts_to(patient)) == 1
    assert states_of(today)["soon"] == "queued"
    assert why(tomorrow, "day") == ("dropped: cap: the second reminder that day; the clinic sends a patient at most 1")


def test_the_cap_of_a_week_counts_every_visit(world: World) -> None:
    publish(world, DAY, cap_per_week=2)
    patient = world.patient()
    visits = [world.visit(patient, VISIT + timedelta(days=days)) for days in (0, 1, 2, 7)]
    for visit in visits:
        drain(visit.starts_at - timedelta(days=1))
    assert [states_of(visit)["day"] for visit in visits] == ["queued", "queued", "dropped", "queued"]
    assert (
        why(visits[2], "day") == "dropped: cap: the third reminder in seven days; the clinic sends a patient at most 2"
    )


def test_a_step_for_open_questions_is_silent_once_they_are_answered(world: World) -> None:
    publish(world, {**DAY, "when": ["intake_open"]})
    eager, late = world.patient(), world.patient()
    visits = [world.visit(eager, VISIT), world.visit(late, VISIT)]
    answer(world, eager, NOW + timedelta(hours=1))
    drain(DAY_BEFORE)
    assert [states_of(visit)["day"] for visit in visits] == ["dropped", "queued"]
    assert "the questions are answered" in why(visits[0], "day")


@BOTH
def test_a_first_visit_has_a_step_of_its_own(world: World) -> None:
    publish(world, DAY, {**DAY, "name": "welcome", "before": "3 days", "when": ["first_visit"]})
    patient = world.patient()
    first, second = world.visit(patient, VISIT), world.visit(patient, VISIT + timedelta(days=14))
    assert states_of(first)["welcome"] == "planned"
    assert why(second, "welcome") == ("dropped: this step is for a first visit, and the patient has been seen before")


def test_a_kind_of_visit_has_its_own_steps(world: World) -> None:
    publish(world, DAY, kinds={"Group visit": [SOON]})
    patient = world.patient()
    ordinary, group = world.visit(patient, VISIT), world.visit(patient, VISIT, kind="group  VISIT")
    assert (set(states_of(ordinary)), set(states_of(group))) == ({"day"}, {"soon"})
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Appointment, group.id).kind = "follow up"
        appointments.planner.replan(session, session.get_one(Appointment, group.id))
    assert states_of(group) == {"soon": "superseded", "day": "planned"}


def test_an_edition_with_a_language_and_a_place_texts_only_those(world: World) -> None:
    publish(world, {**DAY, "when": ["language:es", "place:room 4"]})
    visits = [
        world.visit(world.patient(language="es-MX"), VISIT),
        world.visit(world.patient(), VISIT),
        world.visit(world.patient(language="es"), VISIT, place=None),
    ]
    assert [states_of(visit)["day"] for visit in visits] == ["planned", "dropped", "dropped"]
    assert why(visits[2], "day") == ("dropped: this step is for place room 4, and the visit is at none that we know")


# After the visit.


@BOTH
def test_a_missed_visit_is_followed_by_a_kind_word_the_next_day(world: World) -> None:
    publish(world, DAY, MISSED)
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    assert set(states_of(visit)) == {"day"}
    mark(visit, VISIT + timedelta(hours=1), state="no_show")
    assert plan_of(visit)["missed"].due_at == NEXT_DAY_AT_TEN
    drain(NEXT_DAY_AT_TEN)
    [body] = texts_to(patient)
    assert body.startswith("Hi Rosa, Larkspur Clinic here. We missed you Tue, Mar 10, and these things happen.")
    drain(NEXT_DAY_AT_TEN + timedelta(minutes=1))
    assert len(texts_to(patient)) == 1


def test_who_did_come_after_all_hears_nothing_of_a_missed_visit(world: World) -> None:
    publish(world, DAY, MISSED)
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    mark(visit, VISIT + timedelta(hours=1), state="no_show")
    mark(visit, VISIT + timedelta(hours=2), state="arrived")
    drain(NEXT_DAY_AT_TEN)
    assert texts_to(patient) == []
    assert states_of(visit)["missed"] == "superseded"


def test_a_visit_marked_too_late_is_not_followed_up_a_week_later(world: World) -> None:
    publish(world, DAY, MISSED)
    visit = world.visit(world.patient(), VISIT)
    mark(visit, NEXT_DAY_AT_TEN + timedelta(days=5), state="no_show")
    assert why(visit, "missed") == "dropped: this step had passed when it became known how the visit went"


def test_what_was_to_be_said_before_a_visit_ends_with_it_though_a_text_follows(world: World) -> None:
    publish(world, SOON, MISSED)
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(VISIT - timedelta(hours=2))
    mark(visit, VISIT - timedelta(hours=1), state="no_show")
    assert states_of(visit) == {"soon": "superseded", "missed": "planned"}
    assert texts_to(patient) == []


def test_a_patient_who_wants_texts_to_say_nothing_is_not_told_what_was_missed(world: World) -> None:
    publish(world, DAY, MISSED)
    patient = world.patient(privacy="generic")
    visit = world.visit(patient, VISIT)
    mark(visit, VISIT + timedelta(hours=1), state="no_show")
    drain(NEXT_DAY_AT_TEN)
    [body] = texts_to(patient)
    assert "miss" not in body.lower().replace("missed call", "")
    assert "visit" not in body.lower()


def test_the_cadence_of_these_tests_is_one_that_a_clinic_may_publish() -> None:
    assert cadence_decision.unknown(cadence_definition.from_mapping({"steps": [DAY, SOON, MISSED]})) == []
    [wrong] = cadence_decision.unknown(cadence_definition.from_mapping({"steps": [{**MISSED, "text": "reminder_day"}]}))
    assert str(wrong).startswith("steps[0].text: reminder_day speaks of a visit that is still to come")
