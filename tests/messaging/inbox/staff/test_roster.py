"""Who is told what and when: before they leave, at the policy's end, as each wishes, by a policy without a gap."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from config import audit, clock, db
from messaging import jobs
from messaging.inbox import items
from messaging.inbox.models import InboxItem, ItemEvent
from messaging.inbox.routing import coverage_gaps, hours
from messaging.inbox.staff import absences, coverage_guard, staffing
from messaging.models import Clinic, Staff


@pytest.fixture
def opened(clinic):
    """Opens an item; takes what items.open_item takes."""

    def opened(kind="reply", **more) -> InboxItem:
        with db.unit_of_work(clinic.id) as session:
            return items.open_item(
                session, clinic, kind=kind, about="screen:1", dedupe=f"x:{db.new_id()}", summary="x", **more
            )

    return opened


def drain(after: timedelta = timedelta()) -> None:
    with time_machine.travel(clock.now() + after, tick=False):
        jobs.begin_and_end_absences()
        jobs.fire_timers()


def test_a_patient_in_the_building_is_met_before_they_leave(opened, desk, new_staff, new_patient, clinic):
    new_staff()
    patient, now = new_patient(), clock.now()
    rules = {"ladder": {"kinds": {"screen": {"before_leaving": True}}}}
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Clinic).values(rules=rules))
        session.get_one(type(patient), patient.id).here_until = now + timedelta(minutes=25)
        clinic.rules = rules
    item = opened("screen", patient_id=patient.id)
    drain()
    assert abs(desk.item(item.id).answer_by - (now + timedelta(minutes=15))) < timedelta(seconds=5)
    assert desk.timers(item.id)[0].try_after == desk.item(item.id).answer_by
    assert "before_leaving" in desk.events(item.id)


def test_at_the_end_of_the_ladder_the_item_says_so_and_goes_on_ringing(opened, desk, new_staff):
    rosa, item = new_staff("Rosa"), opened("safety")
    drain()
    drain(timedelta(minutes=16))
    assert desk.item(item.id).exhausted_at is not None
    first = desk.item(item.id).exhausted_at
    drain(timedelta(minutes=27))
    assert desk.item(item.id).exhausted_at == first
    assert [alert.staff_id for alert in desk.alerts()] == [rosa.id] * 3
    assert desk.events(item.id).count("ladder_ended") == 1


def test_every_try_is_written_down_also_of_whom_it_could_not_reach(opened, desk, new_staff):
    new_staff("Rosa")
    ben = new_staff("Ben", number=None)
    item = opened("safety")
    drain()
    drain(timedelta(minutes=16))
    with db.unit_of_work(db.EVERY) as session:
        lines = session.scalars(select(ItemEvent).where(ItemEvent.item_id == item.id)).all()
        (silent,) = [line.detail for line in lines if line.event == "nobody_reached"]
    assert (silent["told"], silent["untold"]) == ([], [str(ben.id)])


@pytest.mark.parametrize(
    ("kind", "notify", "texts"),
    [
        ("screen", {}, 1),
        ("screen", {"screen": {"text": False}}, 0),
        ("safety", {"safety": {"text": False}, "screen": {"text": False}}, 1),
        ("handoff", {"handoff": {"text": False}}, 1),
        ("reply", {}, 0),
        ("reply", {"reply": {"text": True}}, 1),
    ],
)
def test_each_is_told_as_they_wish_except_of_safety(opened, desk, new_staff, kind, notify, texts):
    rosa = new_staff("Rosa")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, rosa.id).notify = notify
    opened(kind)
    drain()
    assert len(desk.alerts()) == texts


WEEK = {day: ["00:00", "00:00"] for day in hours.WEEKDAYS}


@pytest.fixture
def two(clinic, new_staff):
    """Rosa with a mobile by day and Ben with one at night; nobody is the fallback."""
    day = {day: ["08:00", "20:00"] for day in hours.WEEKDAYS}
    night = {day: ["20:00", "08:00"] for day in hours.WEEKDAYS}
    return new_staff("Rosa", hours=day), new_staff("Ben", hours=night)


def set_hours(clinic, staff, **changed) -> None:
    weeks = {"hours": staff.hours, "on_call": staff.on_call} | changed
    with db.unit_of_work(db.EVERY) as session:
        staffing.set_hours(session, clinic.id, staff.id, **weeks, actor="staff:x")


def test_hours_change_and_are_written_down(clinic, two):
    rosa = two[0]
    set_hours(clinic, rosa, on_call=WEEK)
    set_hours(clinic, rosa, on_call=WEEK)
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Staff, rosa.id).on_call == WEEK
        acts = session.scalars(select(audit.AuditEntry.act)).all()
        assert (acts.count("staff.on_call"), acts.count("staff.hours")) == (1, 0)


def test_half_an_hour_less_that_leaves_nobody_is_refused_to_the_minute(clinic, two):
    rosa = two[0]
    shorter = rosa.hours | {"wed": ["08:30", "20:00"]}
    with pytest.raises(coverage_guard.MakesGap) as refused:
        set_hours(clinic, rosa, hours=shorter)
    assert [coverage_gaps.say(gap, "America/Denver") for gap in refused.value.gaps] == ["Wed 8:00 to Wed 8:30"]
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Staff, rosa.id).hours == rosa.hours


def test_what_was_a_hole_before_does_not_stand_in_the_way(clinic, new_staff):
    rosa = new_staff("Rosa", hours={"mon": ["08:00", "12:00"]})
    set_hours(clinic, rosa, hours={"mon": ["08:00", "17:00"]})
    with pytest.raises(coverage_guard.MakesGap):
        set_hours(clinic, rosa, hours={"mon": ["09:00", "17:00"]})


def test_hours_that_only_an_absence_makes_a_hole_are_refused_with_their_date(clinic, two, new_staff):
    rosa, _ = two
    finn = new_staff("Finn", hours={"mon": ["12:00", "12:30"]})
    set_hours(clinic, finn, on_call=WEEK)
    with time_machine.travel("2027-03-10 18:00:00Z", tick=False):
        with db.unit_of_work(db.EVERY) as session:
            staff = session.get_one(Staff, rosa.id)
            # Over the night in which the clocks are put forward, and with nobody named as cover.
            start = datetime(2027, 3, 14, 6, 0, tzinfo=UTC)
            absences.plan(session, staff, None, start, start + timedelta(hours=10))
        with pytest.raises(coverage_guard.MakesGap) as refused:
            set_hours(clinic, finn, on_call={})
    gaps = [coverage_gaps.say(gap, "America/Denver") for gap in refused.value.gaps]
    assert gaps == ["Sunday 14 March 2027 8:00 to 10:00"]


def test_nobody_of_another_clinic_is_changed(clinic, two):
    with pytest.raises(LookupError), db.unit_of_work(db.EVERY) as session:
        staffing.set_hours(session, clinic.id, db.new_id(), hours={}, on_call={}, actor="staff:x")
