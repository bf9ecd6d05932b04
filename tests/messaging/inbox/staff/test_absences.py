"""Absence and cover: nothing anybody has not finished stays with somebody who is not here."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging import jobs
from messaging.delivery import deliver
from messaging.inbox import items
from messaging.inbox.models import Absence, InboxItem
from messaging.inbox.staff import absences, coverage_guard, roster, staffing
from messaging.models import Clinic, Staff
from tests.waiting import PATIENCE

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
HOUR = timedelta(hours=1)


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


def away(staff: Staff, by: Staff | None = None, *, start=timedelta(seconds=-1), length=8 * HOUR) -> Absence:
    with db.unit_of_work(db.EVERY) as session:
        now = clock.now()
        return absences.plan(
            session,
            session.get_one(Staff, staff.id),
            session.get_one(Staff, by.id) if by else None,
            now + start,
            now + length,
        )


def do(act, item: InboxItem, *given) -> None:
    with db.unit_of_work(db.EVERY) as session:
        act(session, session.get_one(InboxItem, item.id), *given)


@both
def test_what_is_unfinished_moves_to_the_cover_with_its_unread_state_and_clock(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    mine, done = opened(owner_id=rosa.id), opened(owner_id=rosa.id)
    do(items.resolve, done, rosa, "handled")
    away(rosa, ben)
    drain()
    stored = desk.item(mine.id)
    assert (stored.owner_id, stored.state, stored.acknowledged_at) == (ben.id, "open", None)
    assert stored.answer_by == mine.answer_by
    assert items.reasons(stored) == ["covering for Rosa"]
    assert desk.item(done.id).owner_id == rosa.id
    assert "covered" in desk.events(mine.id)


def test_claimed_is_new_again_for_who_takes_over_and_acknowledged_stays_so(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    claimed, answered = opened(), opened("safety")
    do(items.claim, claimed, rosa)
    do(items.acknowledge, answered, rosa, "reached_by_phone")
    away(rosa, ben)
    drain()
    assert desk.item(claimed.id).state == "open"
    stored = desk.item(answered.id)
    assert (stored.owner_id, stored.state) == (ben.id, "claimed")
    assert stored.acknowledged_by == rosa.id
    assert [alert.staff_id for alert in desk.alerts()] == [ben.id]  # that he covers, and no more


def test_the_cover_of_a_safety_item_is_told_at_once(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    item = opened("safety", owner_id=rosa.id)
    drain()
    away(rosa, ben)
    drain()
    assert [alert.staff_id for alert in desk.alerts()] == [rosa.id, ben.id, ben.id]
    assert len(desk.timers(item.id)) == 1  # and its policy climbs on


def test_with_nobody_named_the_team_is_asked(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    item, answered = opened(owner_id=rosa.id), opened(owner_id=rosa.id)
    do(items.acknowledge, answered, rosa, "replied")
    away(rosa)
    drain()
    assert desk.item(item.id).owner_id == ben.id
    assert desk.item(answered.id).owner_id == ben.id
    assert {"uncovered", "routed"} <= set(desk.events(item.id))


@pytest.mark.parametrize("covered", [True, False])
def test_what_may_be_a_crisis_stays_one_whoever_has_it_next(opened, desk, new_staff, covered):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    item = opened(owner_id=rosa.id, reason=["worry_phrase", "topic:medication", "panel:Dr Lind"])
    away(rosa, ben if covered else None)
    drain()
    stored = desk.item(item.id)
    assert (stored.owner_id, {"worry_phrase", "topic:medication"} - set(stored.reason)) == (ben.id, set())
    assert ("panel:Dr Lind" in stored.reason) == covered  # why she had it is no reason why the team has it
    drain(HOUR)
    assert "escalated" in desk.events(item.id)  # by the policy of a screen, as it came in


def test_what_comes_in_meanwhile_goes_to_the_cover_and_stays_with_them(opened, desk, new_staff, new_patient):
    rosa, ben, cleo = new_staff("Rosa", panels=["Dr Lind"]), new_staff("Ben"), new_staff("Cleo")
    for _ in range(3):
        opened(owner_id=ben.id)
    away(rosa, ben)
    item = opened("screen", patient_id=new_patient(panel="Dr Lind").id)
    drain()
    assert desk.item(item.id).owner_id == ben.id  # by her panel, although Cleo has less to do
    assert "covering:Rosa" in desk.item(item.id).reason
    drain(9 * HOUR)
    assert desk.item(item.id).owner_id == ben.id
    assert cleo.id != ben.id


@both
def test_what_nobody_touched_goes_back_and_what_the_cover_began_stays(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    untouched, begun = opened(owner_id=rosa.id), opened(owner_id=rosa.id)
    away(rosa, ben)
    drain()
    do(items.claim, begun, ben)
    drain(9 * HOUR)
    assert desk.item(untouched.id).owner_id == rosa.id
    assert desk.item(untouched.id).reason == []
    assert desk.item(begun.id).owner_id == ben.id


def test_coming_back_early_ends_it_and_taking_it_back_before_it_begins_moves_nothing(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    item, absence, later = opened(owner_id=rosa.id), away(rosa, ben), None
    drain()
    with db.unit_of_work(db.EVERY) as session:
        absences.come_back(session, session.get_one(Absence, absence.id), "operator")
    drain()
    assert desk.item(item.id).owner_id == rosa.id
    later = away(rosa, ben, start=HOUR)
    with db.unit_of_work(db.EVERY) as session:
        absences.come_back(session, session.get_one(Absence, later.id), "operator")
    drain(2 * HOUR)
    assert desk.item(item.id).owner_id == rosa.id


def test_an_absence_begins_by_itself_and_only_once(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    item = opened(owner_id=rosa.id)
    away(rosa, ben, start=HOUR)
    drain()
    assert desk.item(item.id).owner_id == rosa.id
    for _ in range(3):
        drain(HOUR + timedelta(seconds=1))
    assert desk.item(item.id).owner_id == ben.id
    assert desk.events(item.id).count("covered") == 1


def test_the_cover_of_the_cover_is_found(opened, desk, new_staff, clinic):
    rosa, ben, cleo = new_staff("Rosa"), new_staff("Ben"), new_staff("Cleo")
    item = opened(owner_id=rosa.id)
    away(ben, cleo)
    away(rosa, ben)
    drain()
    assert desk.item(item.id).owner_id == cleo.id
    with db.unit_of_work(clinic.id) as session:
        cover = roster.covering(session, rosa.id, clock.now())
        assert cover is not None
        assert cover.id == cleo.id
        assert roster.covering(session, cleo.id, clock.now()) is None


@pytest.mark.parametrize(
    ("given", "field", "why"),
    [
        ({"length": -HOUR}, "ends", "ends_before"),
        ({"start": -3 * HOUR, "length": -HOUR}, "ends", "past"),
        ({"length": timedelta(days=500)}, "ends", "too_long"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(new_staff, given, field, why):
    with pytest.raises(absences.MayNot) as refused:
        away(new_staff("Rosa"), **given)
    assert (refused.value.field, refused.value.why) == (field, why)


def test_a_circle_of_cover_is_refused_but_only_where_it_would_close(new_staff):
    rosa, ben, cleo = new_staff("Rosa"), new_staff("Ben"), new_staff("Cleo")
    away(rosa, ben)
    away(ben, cleo)
    for closing in (rosa, ben):
        with pytest.raises(absences.MayNot, match="loop"):
            away(cleo, closing)
    with pytest.raises(absences.MayNot, match="nobody"):
        away(cleo, cleo)
    with pytest.raises(absences.MayNot, match="overlaps"):
        away(rosa, cleo)
    away(cleo, rosa, start=9 * HOUR, length=10 * HOUR)  # they are back by then


@both
def test_whoever_leaves_the_clinic_leaves_nothing_behind(opened, desk, new_staff, network):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    item = opened("safety", owner_id=rosa.id)
    drain()
    with db.unit_of_work(db.EVERY) as session:
        gone = session.get_one(Staff, rosa.id)
        gone.active = False
        assert absences.release(session, gone) == 1
    drain()
    assert desk.item(item.id).owner_id == ben.id
    deliver.deliver("urgent")
    number = {text["to"] for text in network.accepted()}
    with db.unit_of_work(db.EVERY) as session:
        assert number == {session.get_one(Staff, ben.id).number}
    assert desk.state(desk.alerts()[0]) == "held"  # it was queued for Rosa before she left


def test_somebody_away_is_not_told_by_the_ladder_while_anybody_else_is_left(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    away(rosa, ben)
    item = opened("safety")
    drain()
    drain(timedelta(minutes=16))
    assert desk.alerts()[0].staff_id == ben.id
    assert desk.item(item.id).owner_id == ben.id


def test_where_everybody_is_away_somebody_is_told_all_the_same(opened, desk, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben", number=None)
    away(ben)
    with db.unit_of_work(db.EVERY) as session:
        # No form takes this: it is as if it had been written down before anybody asked.
        start = clock.now() - HOUR
        facts = {"starts_at": start, "ends_at": start + 8 * HOUR, "created_at": start, "try_after": start}
        session.add(Absence(clinic_id=rosa.clinic_id, staff_id=rosa.id, **facts))
    item = opened("safety")
    drain()
    assert desk.item(item.id).owner_id == rosa.id
    assert desk.item(item.id).reason == ["away"]
    assert len(desk.alerts()) == 1


def test_every_move_is_in_the_audit_log(opened, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    opened(owner_id=rosa.id)
    away(rosa, ben)
    drain()
    drain(9 * HOUR)
    with db.unit_of_work(db.EVERY) as session:
        acts = list(session.scalars(select(audit.AuditEntry.act).order_by(audit.AuditEntry.at)))
    assert [act for act in acts if act.startswith("absence")] == [
        "absence.planned",
        "absence.begun",
        "absence.over",
    ]


@both
def test_of_two_who_go_at_once_the_second_sees_the_first_and_is_refused(new_staff, clinic):
    """Either may go while the other is here. Whoever comes second waits, and reads again what it had read before."""
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    new_staff("Dana", role="clinic_admin", number=None)

    def second() -> None:
        with db.unit_of_work(clinic.id) as session:
            team = session.query(Staff).all()
            here = next(colleague for colleague in team if colleague.id == ben.id)
            absences.plan(session, here, None, clock.now(), clock.now() + HOUR)

    with ThreadPoolExecutor(1) as pool:
        with db.unit_of_work(clinic.id) as session:
            at = session.get_one(Clinic, clinic.id)
            staffing.leave(session, at, session.get_one(Staff, rosa.id), "operator")
            waiting = pool.submit(second)
            with suppress(FutureTimeout):
                waiting.result(timeout=0.3)
        with pytest.raises(coverage_guard.MakesGap):
            waiting.result(timeout=PATIENCE)
    with db.unit_of_work(clinic.id) as session:
        assert session.query(Absence).all() == []
