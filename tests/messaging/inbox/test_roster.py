"""Who is told what and when: before they leave, at the end of the ladder, as each wishes, by a ladder without a hole."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from config import clock, db
from messaging import jobs
from messaging.inbox import escalation, items, publishing, roster, routing
from messaging.inbox.models import InboxItem, ItemEvent
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
    assert [one.staff_id for one in desk.alerts()] == [rosa.id] * 3
    assert desk.events(item.id).count("ladder_ended") == 1


def test_every_try_is_written_down_also_of_whom_it_could_not_reach(opened, desk, new_staff):
    new_staff("Rosa")
    ben = new_staff("Ben", number=None)
    item = opened("safety")
    drain()
    drain(timedelta(minutes=16))
    with db.unit_of_work(db.EVERY) as session:
        lines = session.scalars(select(ItemEvent).where(ItemEvent.item_id == item.id)).all()
        (silent,) = [one.detail for one in lines if one.event == "nobody_reached"]
    assert (silent["told"], silent["untold"]) == ([], [str(ben.id)])


@pytest.mark.parametrize(
    ("kind", "notify", "texts"),
    [
        ("screen", {}, 1),
        ("screen", {"screen": "inbox"}, 0),
        ("safety", {"safety": "inbox", "screen": "inbox"}, 1),
        ("handoff", {"handoff": "inbox"}, 1),
        ("reply", {}, 0),
        ("reply", {"reply": "text"}, 1),
    ],
)
def test_each_is_told_as_they_wish_except_of_safety(opened, desk, new_staff, kind, notify, texts):
    rosa = new_staff("Rosa")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, rosa.id).notify = notify
    opened(kind)
    drain()
    assert len(desk.alerts()) == texts


def test_a_ladder_is_published_only_without_a_hole(clinic, new_staff):
    rosa = new_staff("Rosa")
    good = {"fallback": [rosa.email], "call": [{"name": "Dr Wu", "phone": "+13035550177"}], "repeat": 7}
    written = publishing.read(good | {"on_call": {rosa.email: "Sat all day"}})
    with pytest.raises(publishing.BadLadder), db.unit_of_work(db.EVERY) as session:
        roster.publish(session, clinic.id, publishing.read({"repeat": 7}), "operator")
    with db.unit_of_work(db.EVERY) as session:
        assert routing.Rules.of(session.get_one(Clinic, clinic.id).rules).rung_minutes == 10
        roster.publish(session, clinic.id, written, "operator")
    with db.unit_of_work(db.EVERY) as session:
        assert routing.Rules.of(session.get_one(Clinic, clinic.id).rules).rung_minutes == 7
        assert session.get_one(Staff, rosa.id).on_call == {"sat": ["00:00", "00:00"]}
        assert escalation.team(session, session.get_one(Clinic, clinic.id))[0].id == rosa.id
