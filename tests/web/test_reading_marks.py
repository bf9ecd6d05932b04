"""What is new to whom: an item is unread until its owner has opened it since the last text in."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from config import clock, db
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.team import colleague_notes, tasks, thread
from tests.queries import statements
from tests.web.conftest import House
from web import reading_marks


def unread(house: House, *shown: InboxItem) -> list[bool]:
    """Of each item whether it is still to be read."""
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        held = [session.get_one(InboxItem, item.id) for item in shown]
        new = reading_marks.unread(session, house.clinic, held)
    return [item.id in new for item in shown]


def reply_of(house: House, **facts: Any) -> tuple[Any, InboxItem]:
    patient = house.patient()
    conversation = house.text_from(patient, "Is there parking?")
    return patient, house.item(patient_id=patient.id, conversation_id=conversation.id, **facts)


def test_what_its_owner_saw_outside_of_the_inbox_is_read_and_nothing_else_of_the_patient(house: House) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    patient, reply = reply_of(house, owner_id=rosa.id)
    with db.unit_of_work(house.clinic.id) as session:
        db.load_keys(session, {house.clinic.key_id, patient.key_id})
        at, hers, his = (session.merge(each) for each in (house.clinic, rosa, ben))
        due = clock.now() + timedelta(hours=2)
        task = tasks.make(session, at, his, tasks.Wanted("Call back", due, hers, patient=session.merge(patient)))
        thread.write(session, at, his, session.merge(patient), thread.Draft("Look", [hers]))
        note = session.get_one(InboxItem, colleague_notes.send(session, at, his, hers, "Friday?").item_id)
        mention = session.scalars(select(InboxItem).where(InboxItem.kind == "mention")).one()
    assert unread(house, reply, task, mention, note) == [True] * 4
    browser = house.signed_in(rosa)
    for path in (f"/tasks/{task.id}", f"/patients/{patient.id}/team", "/notes"):
        assert browser.get(path).status_code == 200
    assert unread(house, reply, task, mention, note) == [True, False, False, False]


def read_and_written_to_again(house: House) -> None:
    rosa, ben = house.staff(), house.staff("Ben Okafor")
    patient, item = reply_of(house, owner_id=rosa.id)
    _, nobodys = reply_of(house)
    hers, his = house.signed_in(rosa), house.signed_in(ben)
    assert unread(house, item, nobodys) == [True, True]
    his.get(f"/inbox/{item.id}?view=everyone")  # a colleague has read it, its owner has not
    assert unread(house, item) == [True]
    hers.get(f"/inbox/{item.id}?unattended=1")  # a page in a window that nobody looks at
    assert unread(house, item) == [True]
    hers.get(f"/inbox/{item.id}")
    hers.get(f"/inbox/{nobodys.id}?view=everyone")
    assert unread(house, item, nobodys) == [False, True]
    house.text_from(patient, "And a lift?")
    assert unread(house, item) == [True]
    hers.get(f"/inbox/{item.id}?unattended=1&seen=1")
    assert unread(house, item) == [False]
    with db.unit_of_work(house.clinic.id) as session:  # with its unread state: the colleague opened it before the text
        items.hand_over(session, session.get_one(InboxItem, item.id), session.merge(rosa), session.merge(ben))
    assert unread(house, item) == [True]


def test_an_item_is_unread_until_its_owner_has_opened_it_since_the_last_text(house: House) -> None:
    read_and_written_to_again(house)


def test_the_same_on_postgresql(house_on_postgresql: House) -> None:
    read_and_written_to_again(house_on_postgresql)


def test_the_row_says_it_in_words_and_when_it_came_in(house: House) -> None:
    rosa = house.staff()
    _, item = reply_of(house, owner_id=rosa.id)
    browser = house.signed_in(rosa)
    assert '<span class="unseen"> unread</span>' in browser.get("/inbox").text
    assert re.search(r'class="foot"><span><span class="num">\d+:\d\d [AP]M</span>', browser.get("/inbox").text)
    browser.get(f"/inbox/{item.id}")
    assert '<span class="unseen"> unread</span>' not in browser.get("/inbox").text


@pytest.mark.parametrize("count", [1, 30])
def test_many_rows_are_asked_about_at_once(house: House, count: int) -> None:
    rosa = house.staff()
    shown = [reply_of(house, owner_id=rosa.id)[1] for _ in range(count)]
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        held = [session.get_one(InboxItem, item.id) for item in shown]
        with statements() as sent:
            assert len(reading_marks.unread(session, house.clinic, held)) == count
    assert len(sent) == 2
