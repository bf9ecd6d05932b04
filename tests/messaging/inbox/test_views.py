"""The views of the list: counted up to a bound, done today as the clinic's clock says it, read from an index."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import event, text

from config import clock, db
from messaging.inbox import counting, views
from messaging.inbox.models import URGENCY, InboxItem, Told
from messaging.models import Clinic, Staff

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
NOON = datetime(2026, 7, 1, 18, tzinfo=UTC)  # in Denver


def add(clinic: Clinic, count: int, **more: object) -> list[UUID]:
    """Add items of one kind; takes columns of InboxItem."""
    now = clock.now()
    fields: dict[str, object] = {"kind": "reply", "state": "open", "created_at": now, "answer_by": now} | more
    with db.unit_of_work(clinic.id) as session:
        made = [
            InboxItem(
                clinic_id=clinic.id, key_id=clinic.key_id, about="x:1", dedupe=f"x:{db.new_id()}", summary="x",
                reason=[], urgency=URGENCY[str(fields["kind"])], **fields,
            )
            for _ in range(count)
        ]  # fmt: skip
        session.add_all(made)
        return [item.id for item in made]


def counted(clinic: Clinic, staff: Staff) -> dict[str, int]:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return counting.counts(session, clinic, staff)


@both
def test_each_view_counts_what_stands_in_it(clinic, new_staff):
    alba, ben = new_staff(), new_staff("Ben Ito")
    now = clock.now()
    add(clinic, 1, owner_id=alba.id)
    add(clinic, 2, owner_id=alba.id, state="claimed", acknowledged_at=now, disposition="replied")
    add(clinic, 3, owner_id=alba.id, state="snoozed")
    add(clinic, 4)
    add(clinic, 5, owner_id=alba.id, state="done", done_at=now)
    add(clinic, 6, owner_id=ben.id)
    assert counted(clinic, alba) == {
        "mine": 1, "waiting": 2, "snoozed": 3, "unassigned": 4, "done": 5, "everyone": 16,
    }  # fmt: skip


@both
def test_what_is_more_than_anybody_counts_is_said_to_be_more(clinic, new_staff):
    alba = new_staff()
    add(clinic, views.MOST, owner_id=alba.id)
    assert counted(clinic, alba)["mine"] == views.MOST
    add(clinic, 2, owner_id=alba.id)
    assert counted(clinic, alba)["mine"] == counted(clinic, alba)["everyone"] == views.MOST + 1


@both
def test_done_counts_what_was_done_since_midnight_at_the_clinic(clinic, new_staff):
    alba, midnight = new_staff(), datetime(2026, 7, 1, 6, tzinfo=UTC)
    add(clinic, 1, state="done", done_at=midnight - timedelta(seconds=1))
    add(clinic, 2, state="done", done_at=midnight)
    with time_machine.travel(NOON, tick=False):
        assert counted(clinic, alba)["done"] == 2
        with db.unit_of_work(clinic.id, read_only=True) as session:
            assert len(views.listing(session, clinic.id, view="done", staff=alba)) == 3
    with time_machine.travel(NOON + timedelta(hours=12), tick=False):
        assert counted(clinic, alba)["done"] == 0


@contextmanager
def overheard() -> Iterator[list[tuple[str, object]]]:
    statements: list[tuple[str, object]] = []

    def hear(_connection, _cursor, statement, given, _context, _many) -> None:
        statements.append((statement, given))

    event.listen(db.engine(), "before_cursor_execute", hear)
    yield statements
    event.remove(db.engine(), "before_cursor_execute", hear)


def plan(statement: str, given: object) -> str:
    """Return how the database goes about a statement when it has no reason to fear a small table's index."""
    with db.engine().connect() as connection:
        if connection.dialect.name == "sqlite":
            return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all())
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
        return str(connection.exec_driver_sql(f"EXPLAIN {statement}", given).all())


def listed(clinic: Clinic, staff: Staff, view: str, sort: str = "urgent") -> list[UUID]:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return [item.id for item in views.listing(session, clinic.id, view=view, staff=staff, sort=sort)]


@both
@pytest.mark.parametrize("sort", views.SORTS)
def test_what_nobody_has_answered_stands_above_what_is_in_hand_in_every_order(clinic, new_staff, sort):
    alba, now = new_staff(), clock.now()
    seen = {"acknowledged_at": now, "disposition": "assessed_low", "state": "claimed", "owner_id": alba.id}
    (in_hand,) = add(clinic, 1, kind="safety", answer_by=now - timedelta(hours=1), **seen)
    (late,) = add(clinic, 1, kind="safety", answer_by=now, owner_id=alba.id)
    (text,) = add(clinic, 1, answer_by=now + timedelta(hours=3), owner_id=alba.id)
    asleep = {"state": "snoozed", "snoozed_until": now + timedelta(hours=9), "owner_id": alba.id}
    (sleeper,) = add(clinic, 1, answer_by=now - timedelta(hours=2), **asleep)
    assert listed(clinic, alba, "mine", sort) == [late, text, in_hand]
    assert listed(clinic, alba, "everyone", sort) == [late, text, in_hand, sleeper]
    assert counted(clinic, alba)["waiting"] == 0


@both
def test_a_patient_has_one_row_in_each_view_led_by_what_is_most_urgent(clinic, new_staff, new_patient):
    alba, ben, joy, now = new_staff(), new_staff("Ben Ito"), new_patient().id, clock.now()
    (text,) = add(clinic, 1, patient_id=joy, owner_id=alba.id, answer_by=now)
    (crisis,) = add(clinic, 1, kind="safety", patient_id=joy, owner_id=ben.id, answer_by=now + timedelta(hours=1))
    (screen,) = add(clinic, 1, kind="screen", patient_id=joy, owner_id=alba.id, answer_by=now + timedelta(hours=2))
    assert listed(clinic, alba, "everyone") == [crisis]
    assert listed(clinic, alba, "mine") == [screen]
    assert listed(clinic, ben, "mine") == [crisis]
    assert (counted(clinic, alba)["mine"], counted(clinic, alba)["everyone"]) == (1, 1)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        stacked = views.beside(session, clinic.id, [joy])[joy]
        assert [item.id for item in stacked] == [crisis, screen, text]
        only_texts = {"where": lambda item: (item.kind == "reply",)}
        found = views.listing(session, clinic.id, view="everyone", staff=alba, **only_texts)
        assert [item.id for item in found] == [text]


@both
def test_what_came_by_escalation_stands_on_top_of_mine_until_somebody_acknowledges(clinic, new_staff):
    alba, ben, now = new_staff(), new_staff("Ben Ito"), clock.now()
    (own,) = add(clinic, 1, kind="safety", owner_id=alba.id, answer_by=now)
    (his,) = add(clinic, 1, kind="safety", owner_id=ben.id, answer_by=now, escalated_at=now)
    assert listed(clinic, alba, "mine") == [own]
    with db.unit_of_work(clinic.id) as session:
        session.add(Told(clinic_id=clinic.id, item_id=his, staff_id=alba.id, at=now))
    assert listed(clinic, alba, "mine") == [his, own]
    assert listed(clinic, ben, "mine") == [his]
    with db.unit_of_work(clinic.id) as session:
        assert counting.counts(session, clinic, alba, ("mine", "came")) == {"mine": 2, "came": 1}
        assert views.told_at(session, alba, [his, own]) == {his: now}
        session.get_one(InboxItem, his).acknowledged_at = now
    assert listed(clinic, alba, "mine") == [own]


@both
@pytest.mark.parametrize("view", views.VIEWS)
def test_pages_and_counts_are_read_in_order_from_the_index_of_their_view(clinic, new_staff, view):
    alba = new_staff()
    (last,) = add(clinic, 1, state="done" if view == "done" else "open", done_at=clock.now())
    with overheard() as said, db.unit_of_work(clinic.id, read_only=True) as session:
        views.listing(session, clinic.id, view=view, staff=alba)
        views.listing(session, clinic.id, view=view, staff=alba, after=(0, 0, clock.now(), last))
        counting.counts(session, clinic, alba, [view])
    of_items = [
        plan(*statement)
        for statement in said
        if "FROM inbox_item" in statement[0] and not re.search(r"inbox_item\.id = [?%]", statement[0])
    ]
    assert any("ix_inbox_item_escalated" in way for way in of_items) == (view == "mine")
    own = [way for way in of_items if f"ix_inbox_item_{view}" in way]
    assert len(own) == 3
    for way in of_items:
        # The thousand that are counted at most may be sorted to tell one patient from another.
        assert way.count("Sort Key") == way.count("Sort Key: anon")
        assert "B-TREE FOR ORDER BY" not in way
    if view != "done":  # who leads a row is looked up by the patient
        assert all("ix_inbox_item_thread" in way for way in own[:2])


@both
def test_a_safety_item_of_ones_own_stands_above_a_handoff_that_came_by_escalation(clinic, new_staff):
    alba, ben = new_staff(), new_staff("Ben Ito")
    now = clock.now()
    (own,) = add(clinic, 1, kind="safety", owner_id=alba.id)
    (reply,) = add(clinic, 1, owner_id=alba.id)
    came = [add(clinic, 1, kind=kind, owner_id=ben.id, escalated_at=now)[0] for kind in ("handoff", "safety")]
    with db.unit_of_work(clinic.id) as session:
        session.add_all(Told(clinic_id=clinic.id, item_id=item_id, staff_id=alba.id, at=now) for item_id in came)
    with db.unit_of_work(clinic.id, read_only=True) as session:
        listed = views.listing(session, clinic.id, view="mine", staff=alba)
        assert [item.id for item in listed] == [came[1], own, came[0], reply]
        # A page that is full of what nobody has answered goes on after one's own last row, whatever came.
        page = views.listing(session, clinic.id, view="mine", staff=alba, limit=3)
        assert [item.id for item in page] == [came[1], came[0], own]
        onward = views.listing(session, clinic.id, view="mine", staff=alba, after=views.cursor(page[-1]))
        assert [item.id for item in onward] == [reply]
