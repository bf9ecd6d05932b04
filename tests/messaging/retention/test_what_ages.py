"""What of old texts and items is emptied, and what stays: exactly what the rules say, on both databases."""

from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select

from config import clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Media, Message
from tests.messaging.retention.conftest import DAY, NOW, Archive

YEARS = 7
OLD, YOUNG = NOW - timedelta(days=7 * 366), NOW - timedelta(days=7 * 364)
# Today a patient is 25 on NOW: of age for seven years, or one day short of it; or nobody knows.
BORN = {date(1980, 3, 9): True, date(2008, 3, 8): True, date(2008, 3, 9): False, None: True}
STATES = {
    "received": True,
    "delivered": True,
    "failed": True,
    "queued": False,
    "sending": False,
    "unknown": False,
}


def begin(archive: Archive) -> None:
    archive.keep(YEARS, NOW - 2 * DAY)


@pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
def test_only_what_is_old_over_an_adults_and_waited_for_by_nobody_is_emptied(
    archive: Archive, new_patient: Any
) -> None:
    expected = set()
    for born, waits in product(BORN, (False, True)):
        patient = new_patient(birth_date=born)
        archive.item(patient, OLD, done=not waits)
        for at, (state, over) in product((OLD, YOUNG), STATES.items()):
            message = archive.text(patient, at, state=state)
            if at == OLD and over and BORN[born] and not waits:
                expected.add(message.id)
    begin(archive)
    archive.drain(NOW)
    assert archive.emptied() == expected
    with db.unit_of_work(archive.clinic.id, read_only=True) as session:
        rows = session.scalars(select(Message)).all()
        assert {row.id for row in rows if row.body == "" and not row.reading} == expected
        assert all(row.body == "I feel low today" and row.reading for row in rows if row.id not in expected)
        assert {row.created_at for row in rows} == {OLD, YOUNG}


def test_on_a_familys_number_the_mothers_words_wait_for_the_childs_age(archive: Archive, new_patient: Any) -> None:
    mother = new_patient(number="+13035550190")
    text = archive.text(mother, OLD)
    new_patient(number="+13035550190", birth_date=date(2012, 5, 1))
    begin(archive)
    archive.drain(NOW)
    assert archive.words(text) == ["I feel low today"]


def test_an_item_about_the_number_or_the_text_keeps_its_words(archive: Archive, new_patient: Any) -> None:
    first, second, third = (new_patient() for _ in range(3))
    texts = [archive.text(patient, OLD) for patient in (first, second, third)]
    other = new_patient()
    archive.item(other, NOW - DAY, done=False, conversation_id=texts[0].conversation_id)
    archive.item(other, NOW - DAY, done=False, about=f"message:{texts[1].id}")
    begin(archive)
    archive.drain(NOW)
    assert archive.words(*texts) == ["I feel low today", "I feel low today", ""]


def test_pictures_go_with_their_text_but_not_before_the_carrier_has_forgotten_them(
    archive: Archive, new_patient: Any
) -> None:
    texts = [archive.text(new_patient(), OLD, media=[{"url": "", "type": "image/png"}]) for _ in range(3)]
    with db.unit_of_work(archive.clinic.id) as session:
        for message, state in zip(texts, ("kept", "failed", "held"), strict=True):
            of_message = {"clinic_id": message.clinic_id, "key_id": message.key_id, "message_id": message.id}
            moments = {"created_at": OLD, "try_after": clock.now()}
            session.add(Media(place=0, state=state, content=b"\x89PNG", **of_message, **moments))
    begin(archive)
    archive.drain(NOW)
    assert archive.words(*texts) == ["", "", "I feel low today"]
    with db.unit_of_work(archive.clinic.id, read_only=True) as session:
        assert session.scalars(select(Media.message_id)).all() == [texts[2].id]
        assert [session.get_one(Message, text.id).media for text in texts[:2]] == [[], []]


def test_the_summary_of_what_was_done_long_ago_goes_and_what_was_done_stays(archive: Archive, new_patient: Any) -> None:
    patient, child, waiting = new_patient(), new_patient(birth_date=date(2012, 5, 1)), new_patient()
    old, young = archive.item(patient, OLD, done=True), archive.item(patient, YOUNG, done=True)
    childs, quiet = archive.item(child, OLD, done=True), archive.item(waiting, OLD, done=True)
    open_one = archive.item(waiting, OLD, done=False)
    begin(archive)
    archive.drain(NOW)
    with db.unit_of_work(archive.clinic.id, read_only=True) as session:
        words = [session.get_one(InboxItem, item.id).summary for item in (old, young, childs, quiet, open_one)]
        assert words == ["", "feels low", "feels low", "feels low", "feels low"]
        emptied = session.get_one(InboxItem, old.id)
        assert (emptied.state, emptied.done_at) == ("done", OLD + timedelta(hours=1))
        assert session.scalar(select(func.count()).select_from(InboxItem)) == 5


def test_what_has_lost_its_key_stands_in_nobodys_way(archive: Archive, new_patient: Any) -> None:
    gone, other = new_patient(), new_patient()
    lost, old = archive.item(gone, OLD, done=True), archive.item(other, OLD, done=True)
    with db.unit_of_work(archive.clinic.id) as session:
        mine = db.new_data_key(session, archive.clinic.id, under=archive.clinic.key_id)
        session.flush()
        session.merge(lost).key_id = mine
        session.flush()
        session.delete(session.get_one(db.DataKey, mine))
    begin(archive)
    archive.drain(NOW)
    with db.unit_of_work(archive.clinic.id, read_only=True) as session:
        assert session.get_one(InboxItem, old.id).summary == ""
        assert session.get_one(InboxItem, lost.id).summary_ct == lost.summary_ct
