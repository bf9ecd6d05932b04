"""Saved replies: whose they are, what they may carry, and how they are filled."""

import pytest
from sqlalchemy import select

from config import audit, db
from messaging.wording import saved_replies


def test_places_with_a_value_are_filled_once_and_the_others_stay():
    filled = saved_replies.fill("Hi {first_name}, {day} at {time} {", {"first_name": "{day}", "time": ""})
    assert filled == "Hi {day}, {day} at {time} {"


def test_the_clinic_s_replies_and_one_s_own_are_listed_by_name(clinic, new_staff):
    rosa, ben = new_staff("Rosa"), new_staff("Ben")
    with db.unit_of_work(clinic.id) as session:
        for name, staff, own in (("b", rosa, False), ("a", rosa, True), ("c", ben, True)):
            saved_replies.save(session, clinic, staff, name=name, texts={"en": "Hello"}, own=own)
        assert [reply.name for reply in saved_replies.listing(session, clinic, rosa)] == ["a", "b"]
        assert [reply.name for reply in saved_replies.listing(session, clinic, ben)] == ["b", "c"]


def test_a_retired_reply_is_not_offered_and_not_lost(clinic, new_staff):
    rosa = new_staff("Rosa")
    with db.unit_of_work(clinic.id) as session:
        reply = saved_replies.save(session, clinic, rosa, name="a", texts={"en": "Hello"})
        saved_replies.retire(session, rosa, reply)
        assert saved_replies.listing(session, clinic, rosa) == []
        assert saved_replies.one(session, clinic, rosa, reply.id) is reply
        saved_replies.retire(session, rosa, reply, back=True)
        assert saved_replies.listing(session, clinic, rosa) == [reply]


@pytest.mark.parametrize(
    ("name", "texts", "why"),
    [
        ("", {"en": "Hello"}, "saved_name"),
        ("x" * 81, {"en": "Hello"}, "saved_name"),
        ("a", {"en": "  "}, "saved_text"),
        ("a", {"fr": "Bonjour"}, "saved_text"),
        ("a", {"en": "x" * 1601}, "saved_text"),
        ("a", {"en": "Hello", "es": "su terapia"}, "saved_problem"),
        ("a", {"en": "{codes}"}, "saved_problem"),
    ],
)
def test_what_is_not_saved_says_why(clinic, new_staff, name, texts, why):
    with db.unit_of_work(clinic.id) as session:
        with pytest.raises(saved_replies.NotSaved) as refused:
            saved_replies.save(session, clinic, new_staff("Rosa"), name=name, texts=texts)
        assert refused.value.reason == why


def test_who_changed_a_reply_is_written_down_without_its_words(clinic, new_staff):
    rosa = new_staff("Rosa")
    with db.unit_of_work(clinic.id) as session:
        saved_replies.save(session, clinic, rosa, name="a", texts={"en": "Hello there"})
    audit.seal()
    with db.unit_of_work(clinic.id) as session:
        (line,) = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "saved_reply.saved"))
        assert line.actor == f"staff:{rosa.id}"
        assert "Hello" not in str(line.detail)
