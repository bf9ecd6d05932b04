"""A patient who wants no texts about a visit hears no more of it, whatever is planned, moved or published later."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select

from config import audit, db
from intake_links import links
from messaging import outbox
from messaging.models import Message, Patient
from messaging.versions.models import Version
from reminders import appointments, planner, withdrawing
from reminders.models import Appointment, FollowUp, Reminder
from reminders.sending import dispatch, followups
from tests.reminders.conftest import NOW, World, plan_of, states_of, texts_to, why_of
from tests.reminders.sending.test_dispatch import drain, publish

DAY = timedelta(days=1)
BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
SAID = "quiet: the patient wants no texts about this visit"
STEP = {"name": "30h", "before": "30 hours", "text": "reminder_day"}


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def wish(world: World, visit: Appointment, actor: str = "patient:x") -> None:
    with db.unit_of_work(world.clinic.id) as session:
        withdrawing.quiet(session, session.get_one(Appointment, visit.id), actor)


def again(world: World, patient: Patient, only: UUID | None = None, actor: str = "patient:x") -> int:
    with db.unit_of_work(world.clinic.id) as session:
        return withdrawing.text_again(session, session.get_one(Patient, patient.id), actor, only=only)


def plan_all(world: World) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        planner.plan_many(session, session.scalars(select(Appointment)).all())


def wished(visit: Appointment) -> tuple[datetime | None, str | None]:
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        row = session.get_one(Appointment, visit.id)
        return row.quiet_at, row.quiet_by


def move(world: World, patient: Patient, visit: Appointment, starts_at: datetime, **facts: object) -> None:
    given = {
        "external_id": visit.external_id, "record": "", "starts_at": starts_at, "zone": visit.zone,
        "booked_at": visit.booked_at, "place": visit.place,
    }  # fmt: skip
    with db.unit_of_work(world.clinic.id) as session:
        world.save(session, patient, **(given | facts))


def run(until: datetime) -> None:
    """Work off whatever is planned when it falls due."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        planned = session.scalars(select(Reminder.due_at).where(Reminder.state == "planned"))
        moments = {at for at in planned if at is not None and at < until}
    for at in sorted(moments | {until}):
        drain(at)


@BOTH
def test_a_step_published_after_the_wish_is_not_planned(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOW + 4 * DAY)
    wish(world, visit)
    publish(world, STEP)
    plan_all(world)
    assert states_of(visit)["30h"] == "dropped"
    assert why_of(plan_of(visit)["30h"]) == [SAID]
    run(NOW + 5 * DAY)
    assert texts_to(patient) == []


@BOTH
def test_a_wish_while_nothing_was_planned_is_kept(world: World) -> None:
    publish(world, {"name": "missed", "after": "1 day", "text": "no_show", "when": ["no_show"]})
    patient = world.patient()
    visit = world.visit(patient, NOW + 4 * DAY)
    assert plan_of(visit) == {}
    wish(world, visit)
    assert wished(visit) == (NOW, "patient:x")
    with db.unit_of_work(db.EVERY) as session:
        session.scalars(select(Version)).one().definition = {"name": "ours", "steps": [STEP]}
    plan_all(world)
    assert states_of(visit) == {"30h": "dropped"}
    run(NOW + 5 * DAY)
    assert texts_to(patient) == []


def test_who_asked_first_and_when_stays_and_is_written_down_once(world: World) -> None:
    visit = world.visit(world.patient(), NOW + 4 * DAY)
    wish(world, visit)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        wish(world, visit, "patient:y")
    assert wished(visit) == (NOW, "patient:x")
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act)).all()
        assert acts.count("appointment.quiet") == 1


@BOTH
@pytest.mark.parametrize(
    "facts",
    [{}, {"place": "Room 9"}, {"kind": "group"}, {"state": "no_show"}, {"state": "arrived"}],
    ids=["moved", "elsewhere", "kind", "missed", "came"],
)
def test_the_wish_stays_when_the_visit_moves_or_has_happened(world: World, facts: dict[str, str]) -> None:
    publish(
        world, STEP, {"name": "missed", "after": "1 day", "text": "no_show", "when": ["no_show"]},
        {"name": "thanks", "after": "1 day", "text": "no_show", "when": ["arrived"]},
    )  # fmt: skip
    patient = world.patient()
    visit = world.visit(patient, NOW + 3 * DAY)
    wish(world, visit)
    move(world, patient, visit, NOW + 3 * DAY if facts else NOW + 4 * DAY, **facts)
    assert wished(visit)[0] == NOW
    assert "planned" not in states_of(visit).values()
    run(NOW + 6 * DAY)
    assert texts_to(patient) == []


def test_the_wish_stays_when_the_visit_is_cancelled_and_booked_again(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOW + 4 * DAY)
    wish(world, visit)
    for state in ("cancelled", "booked"):
        move(world, patient, visit, NOW + 4 * DAY, state=state)
    assert "planned" not in states_of(visit).values()
    assert wished(visit)[0] == NOW


def test_a_visit_given_to_another_patient_has_nobodys_wish(world: World) -> None:
    visit = world.visit(world.patient(), NOW + 4 * DAY)
    wish(world, visit)
    other = world.patient()
    move(world, other, visit, NOW + 4 * DAY)
    assert wished(visit) == (None, None)
    assert states_of(visit)["72h"] == "planned"


def test_a_row_that_was_planned_all_the_same_does_not_leave(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOW + 4 * DAY)
    with db.unit_of_work(world.clinic.id) as session:  # as if another process had planned at this very moment
        session.get_one(Appointment, visit.id).quiet_at = NOW
    drain(NOW + DAY + timedelta(minutes=1))
    assert texts_to(patient) == []
    assert why_of(plan_of(visit)["72h"])[-1] == f"dropped: {SAID}"


def test_another_visit_of_that_day_does_not_speak_of_it(world: World) -> None:
    patient = world.patient()
    quiet, loud = (world.visit(patient, NOW + 4 * DAY + timedelta(hours=hours)) for hours in (0, 3))
    wish(world, quiet)
    run(NOW + 4 * DAY)
    assert texts_to(patient)
    assert not any("9:00" in body for body in texts_to(patient))
    assert plan_of(loud)["72h"].codes is None


def test_a_visit_spoken_of_before_gets_no_code_beside_another(world: World) -> None:
    patient = world.patient()
    first = world.visit(patient, NOW + 3 * DAY + timedelta(hours=1))
    second = world.visit(patient, NOW + 5 * DAY)
    drain(NOW + timedelta(hours=1))
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, plan_of(first)["72h"].message_id).state = "delivered"
    wish(world, first)
    drain(plan_of(second)["72h"].due_at or NOW)
    assert len(texts_to(patient)) == 2
    assert "1)" not in texts_to(patient)[1]
    assert plan_of(second)["72h"].codes is None


@pytest.mark.parametrize("issued_before", [True, False])
def test_a_link_that_goes_unanswered_is_not_followed_up(world: World, issued_before: bool) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOW + 4 * DAY)
    if not issued_before:
        wish(world, visit)
    with db.unit_of_work(world.clinic.id) as session:
        clinic, who = session.merge(world.clinic), session.get_one(Patient, patient.id)
        link, url = links.issue(session, clinic, who, ["phq9"], appointment_id=visit.id)
        text = {"kind": "reminder", "programme": "reminders", "body": url, "dedupe": "link"}
        message = outbox.text_patient(session, clinic, who, **text)
        message.state = "delivered"
        followups.expect(session, clinic, who, link, message)
    if issued_before:
        wish(world, visit)
    with time_machine.travel(NOW + 2 * DAY, tick=False):
        followups.drain()
    assert len(texts_to(patient)) == 1
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(FollowUp)).one().why == {"key": "quiet", "facts": {}}


@BOTH
def test_whoever_wants_texts_again_gets_those_still_to_come(world: World) -> None:
    patient = world.patient()
    visit, other = world.visit(patient, NOW + 4 * DAY), world.visit(patient, NOW + 9 * DAY)
    wish(world, visit)
    drain(NOW + 2 * DAY)
    with time_machine.travel(NOW + 2 * DAY, tick=False):
        assert again(world, patient) == 1
        assert again(world, patient) == 0
    assert wished(visit) == (None, None)
    assert states_of(visit) == {"72h": "dropped", "24h": "planned", "2h": "planned"}
    assert set(states_of(other).values()) == {"planned"}
    drain(NOW + 3 * DAY + timedelta(minutes=1))
    assert len(texts_to(patient)) == 1


def test_a_colleague_lifts_the_wish_of_one_visit(world: World) -> None:
    patient = world.patient()
    first, second = world.visit(patient, NOW + 4 * DAY), world.visit(patient, NOW + 9 * DAY)
    for visit in (first, second):
        wish(world, visit)
    assert again(world, patient, only=second.id, actor="staff:1") == 1
    assert wished(first)[0] == NOW
    assert wished(second) == (None, None)
    with db.unit_of_work(db.EVERY) as session:
        lifted = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "appointment.quiet_lifted"))
        assert [(act.actor, act.about) for act in lifted] == [("staff:1", f"appointment:{second.id}")]


def test_a_colleague_lifts_nothing_of_another_patient(world: World) -> None:
    visit = world.visit(world.patient(), NOW + 4 * DAY)
    wish(world, visit)
    assert again(world, world.patient(), only=visit.id) == 0
    assert wished(visit)[0] == NOW


def test_a_quiet_visit_can_still_be_confirmed_and_waits_for_no_answer(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, NOW + 3 * DAY + timedelta(hours=1))
    drain(NOW + timedelta(hours=1))
    wish(world, visit)
    with db.unit_of_work(world.clinic.id) as session:
        assert appointments.awaiting_answer(session, patient.id, NOW) == []
        assert [visit.id for visit in appointments.texted(session, patient.id, NOW)] in ([visit.id], [])
        appointments.confirm(session, session.get_one(Appointment, visit.id), "patient:x")
    dispatch.drain()
    assert "planned" not in states_of(visit).values()
