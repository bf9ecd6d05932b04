"""Items are listed without a gap, and counted as they are listed."""

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import delete, select

from config import clock, db
from messaging.inbox import counting, items, views
from messaging.inbox.models import InboxItem, ItemEvent, Timer
from messaging.models import Clinic

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


SORTS = st.lists(
    st.tuples(
        st.sampled_from(("safety", "screen", "handoff", "reply", "delivery")),
        st.integers(0, 3),
        st.sampled_from(("open", "claimed", "snoozed", "done")),
        st.booleans(),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=14,
)


@both
@time_machine.travel("2026-07-01T18:00:00Z")  # noon at the clinic: what is counted as done is what was done today
@profile(max_examples=12, deadline=None)
@given(rows=SORTS, limit=st.integers(1, 5))
def test_pages_never_skip_or_repeat_and_counts_are_what_is_listed(house, clinic, opened, new_staff, rows, limit):
    start = clock.now()
    with db.unit_of_work(db.EVERY) as session:
        for model in (Timer, ItemEvent, InboxItem):
            session.execute(delete(model))
        staff = session.merge(alba(clinic, session))
        for number, (kind, minutes, state, mine, seen, done) in enumerate(rows):
            item = items.open_item(
                session, clinic, kind=kind, about="x:1", dedupe=f"x:{number}", summary="x",
                owner_id=staff.id if mine else None, answer_by=start + timedelta(minutes=minutes),
            )  # fmt: skip
            item.state, item.acknowledged_at = state, start if seen else None
            item.done_at = start + timedelta(minutes=done) if state == "done" else None
    with db.unit_of_work(db.EVERY) as session:
        counted = counting.counts(session, clinic, staff)
        for view in views.VIEWS:
            whole = views.listing(session, clinic.id, view=view, staff=staff, limit=1000)
            assert counted[view] == len(whole)
            assert paged(session, clinic.id, view, staff, limit) == [item.id for item in whole]
            if view != "done":
                order = [(item.rank, item.urgency, item.answer_by) for item in whole]
                assert order == sorted(order)
            else:
                order = [item.done_at for item in whole]
                assert order == sorted(order, reverse=True)


def alba(clinic, session):
    from messaging.models import Staff
    from messaging.people import directory

    staff = session.scalar(select(Staff).where(Staff.email == "alba@clinic.example"))
    return staff or directory.add_staff(session, clinic, name="Alba Reyes", email="alba@clinic.example")


def paged(session, clinic_id, view, staff, limit) -> list[UUID]:
    seen: list[UUID] = []
    after = None
    while page := views.listing(session, clinic_id, view=view, staff=staff, after=after, limit=limit):
        seen += [item.id for item in page]
        after = views.cursor(page[-1])
        assert len(seen) <= 100
    return seen


def test_another_clinic_s_items_are_never_listed(opened, new_staff, clinic):
    opened()
    with db.unit_of_work(db.EVERY) as session:
        staff = new_staff()
        assert views.listing(session, db.new_id(), view="everyone", staff=staff) == []
        assert set(counting.counts(session, Clinic(id=db.new_id(), zone="UTC"), staff).values()) == {0}
