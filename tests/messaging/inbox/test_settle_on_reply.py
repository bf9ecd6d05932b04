"""What an answer does to what waits, and what taking it back does."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db
from messaging import conversations, jobs, outbox
from messaging.inbox import items, settle_on_reply
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Message

KINDS = ("reply", "safety", "screen")


@pytest.fixture
def told(clinic, new_staff, new_patient):
    """A conversation in which something of each kind waits, and who answers."""
    rosa, patient = new_staff("Rosa"), new_patient()
    with db.unit_of_work(clinic.id) as session:
        here = conversations.of_number(session, clinic, "+13035550110")
        for kind in KINDS:
            items.open_item(
                session,
                clinic,
                kind=kind,
                about=f"patient:{patient.id}",
                dedupe=kind,
                summary="can we talk",
                patient_id=patient.id,
                conversation_id=here.id,
            )
    return clinic, rosa, here


def text(session, clinic, here, staff, at=None):
    return outbox.text_conversation(
        session,
        clinic,
        here,
        kind="reply",
        programme="care_team",
        body="Hi",
        dedupe="c",
        author_id=staff.id,
        at=at,
    )


def states(clinic):
    with db.unit_of_work(clinic.id) as session:
        by_kind = {item.kind: item for item in session.scalars(select(InboxItem))}
        return {kind: (by_kind[kind].state, by_kind[kind].disposition) for kind in KINDS}


@pytest.mark.parametrize(("settle", "reply"), [(True, ("done", "replied")), (False, ("claimed", "replied"))])
def test_an_answer_settles_replies_or_lets_them_wait_and_leaves_the_rest_alone(told, settle, reply):
    clinic, rosa, here = told
    with db.unit_of_work(clinic.id) as session:
        settle_on_reply.answered(session, session.merge(here), session.merge(rosa), settle=settle)
    assert states(clinic) == {"reply": reply, "safety": ("open", None), "screen": ("open", None)}


def test_a_text_taken_back_leaves_the_reply_waiting_with_its_clock_and_its_ladder(told):
    clinic, rosa, here = told
    with db.unit_of_work(clinic.id) as session:
        message = text(session, clinic, session.merge(here), rosa, clock.now() + timedelta(days=1))
        settle_on_reply.answered(session, session.merge(here), session.merge(rosa), settle=False)
    with time_machine.travel(clock.now() + timedelta(hours=9), tick=True):
        jobs.fire_timers()  # the deadline passes while it counts as answered
        with db.unit_of_work(clinic.id) as session:
            settle_on_reply.unanswered(session, session.get_one(Message, message.id), session.merge(rosa))
        with db.unit_of_work(clinic.id) as session:
            item = session.scalars(select(InboxItem).where(InboxItem.kind == "reply")).one()
            assert (item.state, item.acknowledged_at, item.disposition) == ("claimed", None, None)
            policy = select(Timer).where(Timer.item_id == item.id, Timer.state == "waiting")
            assert [timer.kind for timer in session.scalars(policy)] == ["escalate"]


def test_what_was_answered_otherwise_stays_answered(told):
    clinic, rosa, here = told
    with db.unit_of_work(clinic.id) as session:
        item = session.scalars(select(InboxItem).where(InboxItem.kind == "reply")).one()
        items.acknowledge(session, item, session.merge(rosa), "reached_by_phone")
        message = text(session, clinic, session.merge(here), rosa, clock.now() + timedelta(days=1))
        settle_on_reply.unanswered(session, message, session.merge(rosa))
    assert states(clinic)["reply"] == ("claimed", "reached_by_phone")


def test_an_answer_leaves_a_colleagues_words_in_a_language_its_author_cannot_read(told, new_staff):
    clinic, rosa, here = told
    luz = new_staff("Luz", languages=["en", "es"])
    with db.unit_of_work(clinic.id) as session:
        theirs = items.open_item(
            session,
            clinic,
            kind="reply",
            about="message:1",
            dedupe="spanish",
            summary="necesito más medicina",
            conversation_id=here.id,
            owner_id=luz.id,
            reason=["said_in:es"],
        )
        settle_on_reply.answered(session, here, rosa, settle=True)
        assert theirs.state == "open"
        settle_on_reply.answered(session, here, luz, settle=True)
        assert theirs.state == "done"
