"""The coming week under two cadences, counted by hand on a small clinic;
what is counted is what the planner then does."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from config import db
from messaging.models import Patient
from messaging.reasons import Reason
from reminders import appointments, planner, reasons, withdrawing
from reminders.cadence import cadence_definition
from reminders.models import Appointment, Reminder
from reminders.trials import coming_week
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.sending.test_dispatch import drain, publish
from tests.reminders.sending.test_last_checks import answer

LIVE = cadence_definition.default()
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def cadence(*lengths: str) -> cadence_definition.Cadence:
    steps = [{"name": length.replace(" ", "_"), "before": length, "text": "reminder_far"} for length in lengths]
    return cadence_definition.from_mapping({"steps": steps})


def simulate(world: World, draft: cadence_definition.Cadence | None = None) -> coming_week.Week:
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        return coming_week.of_week(session, session.merge(world.clinic), LIVE, draft, NOW)


def book(world: World, patient: Patient, after: timedelta, **facts: Any) -> Appointment:
    return world.visit(patient, NOW + after, **facts)


def test_a_week_is_counted_by_what_leaves_waits_and_does_not(world: World) -> None:
    # 72 and 24 hours before and 2 hours before, all at 9:00 and 7:00: three texts, the last held from 7:00 to 8:00.
    book(world, world.patient(), 4 * DAY)
    # 48 hours ahead: 72 hours before is over; 24 hours before leaves at 9:00, 2 hours before is held.
    book(world, world.patient(), 2 * DAY)
    # Whoever has not agreed is not texted: three that would have left.
    book(world, world.patient(consent=False), 4 * DAY)
    # In nine days: only 72 hours before lies in the week.
    book(world, world.patient(), 9 * DAY)
    cancelled = book(world, world.patient(), 4 * DAY)
    with db.unit_of_work(world.clinic.id) as session:
        appointments.cancel(session, session.merge(cancelled), "operator:test")
    week = simulate(world)
    assert week.visits == 4
    assert (week.live.sent, week.live.held) == (2 + 1 + 1, 1 + 1)
    assert dict(week.live.skipped) == {"opted_out": 3}
    assert (week.draft.texts, dict(week.difference)) == (0, {})


def test_who_gets_one_more_and_who_one_less_is_named(world: World) -> None:
    near, far, same = (world.patient() for _ in range(3))
    book(world, near, timedelta(hours=47))  # live: 24 h, 2 h; draft: 24 h
    book(world, far, 8 * DAY)  # live: 72 h (in five days); draft: 4 days and 2 days before
    book(world, same, 6 * DAY + timedelta(hours=3))  # live: 72 h, 24 h, 2 h; draft: 4 days, 2 days, 24 hours
    week = simulate(world, cadence("4 days", "2 days", "24 hours"))
    assert (week.live.texts, week.draft.texts) == (2 + 1 + 3, 1 + 2 + 3)
    assert week.people(1) == [(far.id, 1)]
    assert week.people(-1) == [(near.id, 1)]


def sent_in_the_week(patients: list[Patient]) -> int:
    """Let the coming week pass, every reminder worked on when it falls due; return how many texts were written."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        moments = set(session.scalars(select(Reminder.due_at).where(Reminder.state == "planned")))
    for at in sorted(moment for moment in moments if moment and moment < NOW + 7 * DAY):
        drain(at)
    return sum(len(texts_to(patient)) for patient in patients)


STEPS = [
    {"name": "week", "before": "3 days", "at": "10:00", "text": "reminder_far"},
    {"name": "day", "before": "1 day", "at": "10:00", "text": "reminder_day"},
    {"name": "open", "before": "26 hours", "text": "reminder_day", "when": ["intake_open"]},
    {"name": "soon", "before": "3 hours", "text": "reminder_hours"},
]


@pytest.mark.parametrize("combine", [True, False])
def test_what_it_says_of_caps_shared_texts_and_conditions_is_what_happens(world: World, combine: bool) -> None:
    publish(world, *STEPS, cap_per_day=2, cap_per_week=3, combine_day=combine)
    several, answered, lone = (world.patient() for _ in range(3))
    for hours in (75, 77, 80, 99, 150):
        book(world, several, timedelta(hours=hours))
    for hours in (75, 100):
        book(world, answered, timedelta(hours=hours))
    book(world, lone, timedelta(hours=75))
    answer(world, answered, NOW - timedelta(hours=1))
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        clinic = session.merge(world.clinic)
        rules = planner.cadence_of(session, clinic.id)
        week = coming_week.of_week(session, clinic, rules, rules, NOW)
    assert week.live == week.draft
    assert not any(week.difference.values())
    assert week.live.skipped["answered"] == 2
    assert week.live.skipped["cap_week"] > 0
    assert (week.live.skipped["combined"] > 0) == combine
    assert sent_in_the_week([several, answered, lone]) == week.live.texts


def test_texts_of_the_week_before_count_towards_the_cap(world: World) -> None:
    publish(world, STEPS[1], cap_per_day=1, cap_per_week=1)
    patient = world.patient()
    book(world, patient, DAY)
    later = book(world, patient, 3 * DAY)
    drain(NOW + timedelta(hours=1))
    assert len(texts_to(patient)) == 1
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        clinic = session.merge(world.clinic)
        rules = planner.cadence_of(session, clinic.id)
        week = coming_week.of_week(session, clinic, rules, None, NOW + timedelta(hours=2))
    assert (week.live.texts, dict(week.live.skipped)) == (0, {"cap_week": 1})
    drain(later.starts_at - DAY + timedelta(hours=1))
    assert len(texts_to(patient)) == 1


def test_a_visit_the_patient_wants_no_texts_about_counts_as_their_wish(world: World) -> None:
    visit = book(world, world.patient(), 4 * DAY)
    with db.unit_of_work(world.clinic.id) as session:
        withdrawing.quiet(session, session.merge(visit), "patient:test")
    week = simulate(world)
    assert (week.live.texts, dict(week.live.skipped)) == (0, {"their_wish": 3})


def test_what_was_sent_is_not_counted_again(world: World) -> None:
    visit = book(world, world.patient(), 4 * DAY)
    with time_machine.travel(NOW + 2 * DAY, tick=False), db.unit_of_work(world.clinic.id) as session:
        there = session.merge(world.clinic)
        assert coming_week.of_week(session, there, LIVE, None, NOW + 2 * DAY).live.texts == 2
    # The same step under a later hour: it has been decided, and the planner would leave it as it is.
    later = {"name": "72h", "before": "30 hours", "text": "reminder_far"}
    with time_machine.travel(NOW + 2 * DAY, tick=False), db.unit_of_work(world.clinic.id) as session:
        row = session.scalars(select(Reminder).where(Reminder.appointment_id == visit.id, Reminder.step == "72h"))
        row.one().state = "done"
        session.flush()
        draft = cadence_definition.from_mapping({"steps": [later]})
        assert coming_week.of_week(session, session.merge(world.clinic), LIVE, draft, NOW + 2 * DAY).draft.texts == 0


def test_it_says_what_the_planner_does_and_writes_nothing(world: World) -> None:
    visits = [book(world, world.patient(), timedelta(hours=7 * hour)) for hour in range(1, 20)]
    draft = cadence("3 days", "30 hours", "90 minutes")
    before = _planned(world, NOW + 7 * DAY)
    week = simulate(world, draft)
    assert _planned(world, NOW + 7 * DAY) == before == week.live.texts
    with db.unit_of_work(world.clinic.id) as session:
        rows = list(session.scalars(select(Appointment).where(Appointment.id.in_([visit.id for visit in visits]))))
        plans = planner.plans_of(
            session, rows, NOW, known=[visit.id for visit in rows], cadence={world.clinic.id: draft}
        )
    planned = sum(step.at is not None for plan in plans.values() for step in plan.values())
    assert week.draft.texts == planned


def test_a_week_larger_than_can_be_looked_at_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coming_week, "MOST", 3)
    monkeypatch.setattr(coming_week, "BATCH", 2)
    for day in range(1, 6):
        book(world, world.patient(), day * DAY)
    week = simulate(world)
    assert (week.visits, week.capped) == (3, True)


AT = Reason("clock_in", {"at": "06:30", "zone": "America/Denver"})


def only_quiet_hours(early: Reason) -> Reason:
    late = Reason("short_notice", {"notice": "60 minutes"})
    return Reason("only_quiet_hours", {"until": "08:00", "late": late, "back": "19:45", "early": early})


@pytest.mark.parametrize(
    ("why", "name"),
    [
        (Reason("confirmed"), "confirmed"),
        (
            Reason("at_time", {"at": "07:00", "objection": Reason("too_close", {"gap": "3 hours"})}),
            "too_close",
        ),
        (Reason("booked_after"), "past"),
        (only_quiet_hours(Reason("short_notice", {"notice": "60 minutes"})), "quiet"),
        (only_quiet_hours(Reason("too_close", {"gap": "3 hours"})), "too_close"),
        (only_quiet_hours(Reason("before_booking")), "past"),
        (
            Reason("at_time", {"at": AT, "objection": Reason("short_notice", {"notice": "60 minutes"})}),
            "notice",
        ),
        (Reason("own_time", {"objection": Reason("not_before_visit")}), "notice"),
        (Reason("quiet"), "their_wish"),
        (Reason("seen_before"), "this step is for a first visit, and the patient has been seen before"),
    ],
)
def test_reasons_are_gathered_under_what_is_behind_them(why: Reason, name: str) -> None:
    assert coming_week.behind(reasons.dropped(why)) == name


def _planned(world: World, until: datetime) -> int:
    with db.unit_of_work(world.clinic.id, read_only=True) as session:
        statement = select(func.count()).where(Reminder.state == "planned", Reminder.due_at < until)
        return session.scalar(statement) or 0
