"""Tasks: owed by a time, covered like everything else, closed by what came of them, left with nobody by nobody."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db
from messaging.inbox import items, reopening, undoing
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import staffing
from messaging.models import Staff
from messaging.team import outcome_tasks, task_templates, tasks
from messaging.team.models import Task

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
HOUR = timedelta(hours=1)


@both
def test_a_task_is_an_item_with_its_own_time_and_texts_nobody(team):
    due = clock.now() + 2 * HOUR
    wanted = tasks.Wanted("Call back", due, team.ben, team.rosa, team.patient, "after three")
    item = team.do(tasks.make, team.clinic, team.rosa, wanted)
    team.drain()
    team.drain(3 * HOUR)
    assert (item.kind, item.owner_id, item.patient_id, item.answer_by) == ("task", team.ben.id, team.patient.id, due)
    assert team.texts() == 0
    with db.unit_of_work(team.clinic.id) as session:
        task = session.scalars(select(Task)).one()
        assert (task.words, task.key_id, task.watcher_id) == ("after three", team.patient.key_id, team.rosa.id)
        assert [each.id for each, _ in tasks.owned(session, team.ben)] == [item.id]
        assert [each.id for each, _ in tasks.watched(session, team.rosa)] == [item.id]
        assert [each.id for each, _ in tasks.made_by(session, team.rosa)] == [item.id]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"title": "  "}, "task_title"),
        ({"title": "x" * 121}, "task_title"),
        ({"due": None}, "task_due"),
        ({"due": -HOUR}, "task_due"),
        ({"due": timedelta(days=500)}, "task_due"),
        ({"owner": "clinic_admin"}, "task_owner"),
        ({"watcher": "auditor"}, "task_watcher"),
    ],
)
def test_what_no_task_can_be_is_refused(team, new_staff, more, why):
    wanted = {"title": "Call back", "due": HOUR, "owner": team.ben, "patient": team.patient} | more
    wanted["due"] = clock.now() + wanted["due"] if wanted["due"] else None
    for field in ("owner", "watcher"):
        if isinstance(wanted.get(field), str):
            wanted[field] = new_staff("Odd One", role=wanted[field])
    with pytest.raises(tasks.Refused) as refused:
        team.do(tasks.make, team.clinic, team.rosa, tasks.Wanted(**wanted))
    assert refused.value.why == why
    with db.unit_of_work(team.clinic.id) as session:
        assert session.scalars(select(InboxItem)).all() == []


@both
def test_it_is_closed_by_an_outcome_and_by_nothing_else(team):
    item = team.task(patient=team.patient)
    with pytest.raises(items.Refused) as refused:
        team.do(items.resolve, item, team.ben)
    assert refused.value.why == "outcome_owed"
    with pytest.raises(ValueError):
        team.do(items.resolve, item, team.ben, "handled")
    with pytest.raises(tasks.Refused):
        team.do(tasks.end, team.clinic, item, team.ben, "task_not_possible")
    team.do(tasks.end, team.clinic, item, team.ben, "task_not_possible", "her line is dead")
    stored = team.item(item.id)
    assert (stored.state, stored.disposition, stored.done_by) == ("done", "task_not_possible", team.ben.id)
    assert team.do(tasks.end, team.clinic, item, team.rosa, "task_done") is None


def test_closing_is_taken_back_with_its_note(team, unhurried):
    item = team.task(patient=team.patient)
    done = team.do(tasks.end, team.clinic, item, team.ben, "task_done", "spoke with her")
    team.do(undoing.undo, team.clinic.id, team.ben, done.id)
    assert team.item(item.id).state != "done"
    assert len([each for each in (team.item(item.id),) if each.owner_id == team.ben.id]) == 1


def wants_texts(team, staff):
    with db.unit_of_work(team.clinic.id) as session:
        session.get_one(Staff, staff.id).notify = {"assigned": {"text": True}}


def test_whoever_is_given_a_task_is_told_and_whoever_makes_their_own_is_not(team):
    for each in (team.rosa, team.ben):
        wants_texts(team, each)
    mine = team.task(owner=team.rosa)
    team.drain()
    assert team.texts() == 0
    team.task(owner=team.ben)
    team.drain()
    assert team.texts() == 1
    team.do(tasks.hand_on, mine, team.rosa, team.ben)
    team.drain()
    assert team.texts() == 1  # it can be taken back still
    team.drain(timedelta(seconds=20))
    assert team.texts() == 2


@both
def test_what_a_colleague_asked_is_overdue_once_and_climbs_no_further(team):
    item = team.task()
    for hours in range(1, 30, 4):
        team.drain(hours * HOUR)
    with db.unit_of_work(team.clinic.id) as session:
        events = [event.event for event in items.history(session, session.get_one(InboxItem, item.id))]
    assert events.count("overdue") == 1
    assert team.item(item.id).level == 1


def test_opened_again_it_keeps_its_time_and_past_it_has_a_working_day(team):
    item = team.task()
    due = team.item(item.id).answer_by
    team.do(tasks.end, team.clinic, item, team.ben, "task_done")
    team.do(reopening.reopen, item, team.ben)
    assert team.item(item.id).answer_by == due
    with time_machine.travel(clock.now() + 5 * HOUR, tick=False):
        team.do(tasks.end, team.clinic, item, team.ben, "task_done")
        team.do(reopening.reopen, item, team.ben)
        assert team.item(item.id).answer_by == clock.now() + 8 * HOUR  # the clinic of this test is always open


def test_only_who_made_it_takes_it_back(team):
    item = team.task()
    with pytest.raises(tasks.Refused):
        team.do(tasks.withdraw, item, team.ben)
    team.do(tasks.withdraw, item, team.rosa)
    assert (team.item(item.id).state, team.item(item.id).disposition) == ("done", "withdrawn")


@both
def test_it_goes_to_who_covers_and_comes_back(team, new_staff):
    cleo, item = new_staff("Cleo Ruiz"), team.task()
    team.away(team.ben, cleo)
    team.drain()
    assert team.item(item.id).owner_id == cleo.id
    later = team.task("Another")
    assert team.item(later.id).owner_id == cleo.id
    team.drain(9 * HOUR)
    assert team.item(item.id).owner_id == team.ben.id


def test_without_an_owner_routing_chooses_one(team):
    wanted = tasks.Wanted("Obtain consent", clock.now() + HOUR, None, patient=team.patient)
    item = team.do(tasks.make, team.clinic, team.rosa, wanted)
    team.drain()
    assert team.item(item.id).owner_id in (team.rosa.id, team.ben.id)


@both
def test_who_leaves_leaves_nothing_with_nobody(team, new_staff):
    cleo, admin = new_staff("Cleo Ruiz"), new_staff("Ada Chief", role="clinic_admin")
    mine, watched = team.task(), team.task("Watched", owner=team.rosa, watcher=team.ben)
    note = team.note(people=[team.ben])
    assert note
    moved = team.do(staffing.leave, team.clinic, team.ben, f"staff:{admin.id}", cleo)
    team.do(tasks.leave_watching, team.ben, cleo)
    assert moved == 2
    assert {team.item(mine.id).owner_id, team.asked()[0].owner_id} == {cleo.id}
    assert team.item(watched.id).owner_id == team.rosa.id
    with db.unit_of_work(team.clinic.id) as session:
        assert [each.id for each, _ in tasks.watched(session, cleo)] == [watched.id]
        left = select(InboxItem).where(InboxItem.state != "done", InboxItem.owner_id == team.ben.id)
        assert session.scalars(left).all() == []


def test_a_successor_must_be_able_to_do_the_work(team, new_staff):
    desk, admin = new_staff("Dana Price", role="front_desk"), new_staff("Ada Chief", role="clinic_admin")
    team.task()
    with pytest.raises(staffing.MayNot):
        team.do(staffing.leave, team.clinic, team.ben, f"staff:{admin.id}", desk)
    with db.unit_of_work(team.clinic.id) as session:
        assert session.merge(team.ben).active


def test_one_form_sent_twice_is_one_task(team):
    once = db.new_id()
    first, second = team.task(once=once), team.task(once=once)
    assert first.id == second.id


@both
def test_an_outcome_makes_the_task_that_the_clinic_wants_after_it_once(team):
    facts = task_templates.Facts("Book a follow-up", "Find a time", "24", ["assessed_follow_up"])
    team.do(task_templates.save, team.clinic, team.rosa, facts)
    with db.unit_of_work(team.clinic.id) as session:
        about = {"kind": "screen", "about": "screen:1", "dedupe": "d", "summary": "s", "patient_id": team.patient.id}
        item = items.open_item(session, session.merge(team.clinic), **about)
    assert team.do(outcome_tasks.after_outcome, team.clinic, team.rosa, item, "reached_by_phone") == []
    [made] = team.do(outcome_tasks.after_outcome, team.clinic, team.rosa, item, "assessed_follow_up")
    assert team.do(outcome_tasks.after_outcome, team.clinic, team.rosa, item, "assessed_follow_up") == []
    assert (made.owner_id, made.patient_id) == (team.rosa.id, team.patient.id)
    assert timedelta(hours=23) < made.answer_by - clock.now() <= timedelta(hours=24)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (("", "", "4"), "template_name"),
        (("x" * 81, "", "4"), "template_name"),
        (("Call", "w" * 1001, "4"), "template_words"),
        (("Call", "", "soon"), "template_hours"),
        (("Call", "", "0"), "template_hours"),
        (("call back", "", "4"), "template_taken"),
    ],
)
def test_what_no_template_can_be_is_refused(team, facts, why):
    team.do(task_templates.add_defaults, team.clinic, team.rosa)
    with pytest.raises(task_templates.NotSaved) as refused:
        team.do(task_templates.save, team.clinic, team.rosa, task_templates.Facts(*facts))
    assert refused.value.why == why


def test_the_defaults_are_added_once_and_a_retired_one_does_not_come_back(team):
    team.do(task_templates.add_defaults, team.clinic, team.rosa)
    first = team.do(lambda session: task_templates.listing(session, team.clinic.id))
    assert [each.name for each in first] == ["Book a follow-up", "Call back", "Close the loop", "Obtain consent"]
    team.do(task_templates.retire, team.rosa, first[0])
    team.do(task_templates.add_defaults, team.clinic, team.rosa)
    assert len(team.do(lambda session: task_templates.listing(session, team.clinic.id))) == 3
