"""What the lanes of this room find: positive forms that were left, and links whose time is over."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db
from intake_links import jobs
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem

NOW = datetime(2026, 3, 3, 16, 0, tzinfo=UTC)
SOON, LATER = timedelta(minutes=29), timedelta(minutes=31)


@pytest.fixture(autouse=True)
def at():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def items():
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        rows = session.scalars(select(InboxItem).order_by(InboxItem.id)).all()
        db.load_keys(session, {row.key_id for row in rows})
        return [(row.kind, row.summary) for row in rows]


def state_of(link_id):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return session.get_one(IntakeLink, link_id).state


def answer(phone, path, *values):
    phone.enter(path)
    for value in values:
        phone.post(answer=value)


def test_a_positive_short_form_that_is_left_midway_reaches_a_person_after_half_an_hour(ward, phone, at):
    answer(phone, ward.issue("phq2")[1], 2, 2)
    at.shift(SOON)
    assert jobs.tell_of_stopped() == 0
    at.shift(timedelta(minutes=2))
    assert jobs.tell_of_stopped() == 1
    assert jobs.tell_of_stopped() == 0
    kind, summary = items()[0]
    assert kind == "screen"
    assert "PHQ-2" in summary
    assert "stopped midway" in summary


def test_a_long_form_begun_with_a_positive_short_one_reaches_a_person_too(ward, phone, at):
    answer(phone, ward.issue("phq9")[1], 3, 1)
    at.shift(LATER)
    assert jobs.tell_of_stopped() == 1
    assert "PHQ-2" in items()[0][1]


def test_a_form_that_is_not_positive_yet_is_left_in_peace(ward, phone, at):
    answer(phone, ward.issue("phq9")[1], 1, 1, 1)
    at.shift(timedelta(hours=5))
    assert jobs.tell_of_stopped() == 0
    assert items() == []


def test_each_further_answer_begins_the_half_hour_anew(ward, phone, at):
    answer(phone, ward.issue("phq9")[1], 3, 3)
    at.shift(SOON)
    phone.post(answer=0)
    at.shift(SOON)
    assert jobs.tell_of_stopped() == 0


def test_who_takes_a_positive_answer_back_is_not_reported(ward, phone, at):
    answer(phone, ward.issue("audit_c")[1], 3)
    phone.post("/i/q/1/1?change=1", answer=0, change=1)
    at.shift(LATER)
    assert jobs.tell_of_stopped() == 0


def test_a_form_that_goes_on_after_all_says_in_its_item_how_it_ended(ward, phone, at):
    answer(phone, ward.issue("phq9")[1], 3, 3)
    at.shift(LATER)
    jobs.tell_of_stopped()
    at.shift(timedelta(minutes=5))
    phone.get("/i/q").post(day=27, month=3, year=1981)
    for _ in range(7):
        phone.post(answer=0)
    phone.post()
    assert phone.path == "/i/done"
    assert len(items()) == 1
    kind, summary = items()[0]
    assert kind == "screen"
    assert "went on later" in summary
    assert "Total 6" in summary
    assert jobs.repair_forgotten() == 0


def test_an_answer_about_self_harm_after_the_pause_is_a_safety_item_at_once(ward, phone, at):
    answer(phone, ward.issue("phq9")[1], 3, 3, 3, 3, 3, 3, 3, 3)
    at.shift(SOON + timedelta(minutes=0))
    phone.post(answer=1)
    at.shift(LATER)
    assert jobs.tell_of_stopped() == 0
    assert [kind for kind, _ in items()] == ["safety"]


def test_a_link_expires_in_time_and_its_page_says_whom_to_call_and_how_to_get_another(ward, phone, at):
    link_id, path = ward.issue("phq9")
    at.shift(timedelta(hours=71))
    assert jobs.expire_links() == 0
    at.shift(timedelta(hours=2))
    assert jobs.expire_links() == 1
    assert jobs.expire_links() == 0
    assert state_of(link_id) == "expired"
    phone.get(path)
    assert phone.response.status_code == 404
    assert "988" in phone.page
    assert 'href="tel:' in phone.page
    phone.post(path + "/new")
    assert phone.response.status_code == 200
    phone.post(path + "/new")
    assert [kind for kind, _ in items()] == ["delivery"]
    assert "asked for a new link" in items()[0][1]


def test_what_is_handed_in_after_the_links_time_is_answered_all_the_same(ward, phone, at):
    link_id, path = ward.issue("phq2", valid=timedelta(minutes=10))
    answer(phone, path, 0, 0)
    at.shift(timedelta(minutes=20))
    assert jobs.expire_links() == 1
    phone.post()
    assert phone.path == "/i/done"
    assert state_of(link_id) == "answered"


def test_the_answers_of_a_link_stay_when_it_expires(ward, phone, at):
    _, path = ward.issue("phq9")
    answer(phone, path, 1, 1)
    at.shift(timedelta(days=4))
    jobs.expire_links()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert session.scalars(select(Screen)).one().state == "started"
