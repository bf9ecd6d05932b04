"""Whom an item finds as it comes, and what they are told."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from config import db
from messaging.inbox import views
from messaging.models import Message
from tests.messaging.inbox.acting import tick, told

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


DEAD = "+13035550190"  # the network refuses it


@both
def test_an_item_finds_its_owner_who_is_told_at_once(opened, desk, new_staff):
    alba, item = new_staff(), opened()
    assert tick() == 1
    stored = desk.item(item.id)
    assert (stored.owner_id, stored.reason) == (alba.id, ["on_duty"])
    assert stored.routed_at is not None
    assert stored.notified_at is not None
    assert told(desk) == [alba.id]
    assert desk.events(item.id) == ["opened", "routed"]


def test_the_text_to_a_colleague_carries_a_link_and_nothing_else(opened, desk, new_staff):
    new_staff()
    item = opened()
    tick()
    with db.unit_of_work(db.EVERY) as session:
        body = session.scalars(select(Message)).one().body
    assert body == f"Warmthread: a new item needs you now. https://clinic.example/inbox/{item.id}"


@pytest.mark.parametrize("kind", ["reply", "delivery"])
def test_what_can_wait_in_the_list_rings_no_phone(opened, desk, new_staff, kind):
    new_staff()
    item = opened(kind)
    tick()
    tick(item.answer_by + timedelta(seconds=1))
    assert told(desk) == []
    assert desk.events(item.id) == ["opened", "routed", "overdue"]


def test_work_is_shared_out_by_load(opened, desk, new_staff):
    alba, ben = new_staff(), new_staff("Ben Ito")
    opened_items = [opened() for _ in range(6)]
    tick()
    owners = Counter(desk.item(item.id).owner_id for item in opened_items)
    assert owners == {alba.id: 3, ben.id: 3}


def test_an_owner_given_is_kept_and_told(opened, desk, new_staff):
    new_staff()
    ben = new_staff("Ben Ito")
    item = opened(owner_id=ben.id)
    tick()
    assert desk.item(item.id).owner_id == ben.id
    assert told(desk) == [ben.id]


def test_with_nobody_to_own_it_the_item_is_everyone_s_and_says_so(opened, desk, clinic, new_staff):
    clerk, item = new_staff(role="front_desk"), opened()
    tick()
    assert (desk.item(item.id).owner_id, desk.item(item.id).reason) == (None, ["nobody"])
    with db.unit_of_work(clinic.id) as session:
        assert len(views.listing(session, clinic.id, view="everyone", staff=clerk)) == 1
    assert len(desk.timers(item.id)) == 1  # and it goes on escalating
