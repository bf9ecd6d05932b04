"""Drift between our ledger and the carrier: found, set right one way only, and none where all is well."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from sqlalchemy import select

from config import audit, clock, db
from messaging import conversations
from messaging.consent import asking, ledger
from messaging.delivery import consent_drift
from messaging.models import PROGRAMMES, Attempt, ConsentEntry, Conversation, Message

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
START = datetime(2026, 3, 2, 16, tzinfo=UTC)
NUMBER = "+13035550117"


@pytest.fixture
def day():
    """A clock that stands at an hour and can be moved on by minutes."""
    with time_machine.travel(START, tick=False) as traveller:
        yield lambda minutes: traveller.move_to(START + timedelta(minutes=minutes))


def say(clinic, event, number=NUMBER, **more) -> None:
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, number, event, **({"source": "spoken", "actor": "staff:x"} | more))


def keyword(clinic, number=NUMBER) -> None:
    say(clinic, "revoked", number, source="text", wording=asking.present("text", "revoked_keyword"))


def text(clinic, number=NUMBER, *, state="delivered", left=True, **more):
    """A text of ours as it stands after the carrier has had its say."""
    now = clock.now()
    fields = {"kind": "reminder", "programme": "reminders", "dedupe": f"t{db.new_id()}", "body": "See you."}
    with db.unit_of_work(clinic.id) as session:
        talk = conversations.of_number(session, clinic, number)
        message = Message(
            clinic_id=clinic.id, key_id=talk.key_id, conversation_id=talk.id, direction="out", lane="bulk",
            state=state, created_at=now, try_after=now, sent_at=now, **(fields | more),
        )  # fmt: skip
        session.add(message)
        session.flush()
        if left:
            token = message.id.bytes
            session.add(
                Attempt(
                    clinic_id=clinic.id,
                    message_id=message.id,
                    token_hash=token,
                    fence=1,
                    state="accepted",
                    started_at=now,
                )
            )
        return message


def found(clinic) -> list[consent_drift.Drift]:
    with db.unit_of_work(clinic.id, read_only=True) as session:
        return consent_drift.find(session, clinic.id)


@both
def test_where_all_is_well_there_is_no_drift(clinic, day):
    say(clinic, "granted")
    text(clinic)
    day(1)
    keyword(clinic)
    assert found(clinic) == []


@both
def test_a_yes_written_down_after_the_phone_s_own_stop_is_drift(clinic, day):
    text(clinic)
    keyword(clinic)
    day(5)
    say(clinic, "granted", programmes=("reminders", "screening"))
    [drift] = found(clinic)
    assert (drift.kind, drift.programmes, drift.at) == ("blocked", ("reminders", "screening"), START)


@both
def test_a_refusal_that_the_ledger_never_took_in_is_drift(clinic, day):
    say(clinic, "granted", source="import")
    day(5)
    text(clinic, state="failed", error_code=21610, left=False)
    [drift] = found(clinic)
    assert (drift.kind, drift.programmes) == ("blocked", PROGRAMMES)


def test_a_number_that_only_failed_is_no_drift(clinic, day):
    say(clinic, "granted", source="import")
    day(5)
    text(clinic, state="failed", error_code=30003, left=False)
    assert found(clinic) == []


def test_a_start_or_a_text_that_arrived_says_that_the_carrier_has_let_go(clinic, day):
    text(clinic)
    keyword(clinic)
    day(5)
    say(clinic, "granted", source="text")
    assert found(clinic) == []
    day(6)
    keyword(clinic)
    day(7)
    say(clinic, "granted")
    assert len(found(clinic)) == 1
    day(8)
    text(clinic)
    assert found(clinic) == []


def test_a_stop_in_plain_words_is_ours_to_lift_and_no_drift(clinic, day):
    text(clinic)
    say(clinic, "revoked", source="text", words="please no more")
    day(5)
    say(clinic, "granted")
    assert found(clinic) == []


def test_an_old_stop_without_a_version_may_have_been_a_keyword(clinic, day):
    text(clinic)
    say(clinic, "revoked", source="text")
    with db.unit_of_work(clinic.id) as session:
        for line in session.scalars(select(ConsentEntry)):
            line.wording = None
    day(5)
    say(clinic, "granted")
    assert [drift.kind for drift in found(clinic)] == ["blocked"]


@both
def test_a_text_that_left_after_consent_was_taken_back_is_drift(clinic, day):
    say(clinic, "granted")
    day(1)
    say(clinic, "revoked", programmes=("reminders",))
    day(5)
    text(clinic, programme="screening")
    wrong = text(clinic)
    [drift] = found(clinic)
    assert (drift.kind, drift.programmes, drift.message_id) == ("sent", ("reminders",), wrong.id)


def test_what_left_before_beside_or_after_the_revocation_ended_is_no_drift(clinic, day):
    say(clinic, "granted")
    text(clinic)
    day(5)
    say(clinic, "revoked")
    text(clinic)  # its last look and the stop met in the same second
    text(clinic, state="held", left=False)
    day(6)
    text(clinic, kind="stopped", programme="care_team")  # the last word, which the rule allows
    day(7)
    say(clinic, "granted")
    day(8)
    text(clinic)
    assert found(clinic) == []


def test_another_clinic_s_ledger_says_nothing_here(clinic, day):
    from messaging.people import directory

    with db.unit_of_work(db.EVERY) as session:
        other = directory.add_clinic(session, name="Larkspur", zone="America/Denver", number="+13035550109")
    text(clinic)
    keyword(clinic)
    text(other)
    day(5)
    say(other, "granted")
    assert found(clinic) == found(other) == []


@both
def test_following_the_carrier_ends_the_texts_takes_back_what_waits_and_is_written_down(clinic, day):
    text(clinic)
    keyword(clinic)
    day(5)
    say(clinic, "granted", programmes=("reminders",))
    waits = text(clinic, state="queued", left=False)
    [drift] = found(clinic)
    day(6)
    with db.unit_of_work(clinic.id) as session:
        ended = consent_drift.follow(session, clinic, drift.conversation_id, actor="staff:rosa")
    assert ended == ("reminders",)
    assert found(clinic) == []
    with db.unit_of_work(clinic.id) as session:
        assert set(ledger.state(session, clinic, NUMBER).values()) == {"revoked"}
        assert session.get_one(Message, waits.id).state == "cancelled"
        last = ledger.ledger(session, clinic, NUMBER)[0]
        assert (last.event, last.source, last.wording) == ("revoked", "carrier", "carrier-2026-11")
        acts = session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.actor == "staff:rosa"))
        assert set(acts) == {"consent.revoked", "consent.followed"}


def test_what_is_settled_cannot_be_followed_and_nothing_is_ever_opted_in(clinic, day):
    say(clinic, "granted")
    text(clinic)
    with db.unit_of_work(clinic.id) as session:
        talk = session.scalars(select(Conversation)).one()
        with pytest.raises(consent_drift.Settled):
            consent_drift.follow(session, clinic, talk.id, actor="staff:rosa")
        with pytest.raises(consent_drift.Settled):
            consent_drift.follow(session, clinic, db.new_id(), actor="staff:rosa")
        assert len(ledger.ledger(session, clinic, NUMBER)) == len(PROGRAMMES)


STEPS = st.lists(st.sampled_from(("keyword", "START", "spoken yes", "spoken no", "arrived")), max_size=7)


@profile(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_a_phone_is_blocked_exactly_while_its_stop_is_the_carrier_s_last_word_and_ours_is_yes(clinic, steps):
    number = f"+1{db.new_id().int % 10**10}"
    blocked, ours, moment = False, "unknown", START
    for step in steps:
        moment += timedelta(minutes=1)
        with time_machine.travel(moment, tick=False):
            if step == "keyword":
                keyword(clinic, number)
                blocked, ours = True, "revoked"
            elif step == "START":
                say(clinic, "granted", number, source="text")
                blocked, ours = False, "granted"
            elif step == "arrived":
                text(clinic, number, left=False)
                blocked = False
            else:
                ours = "granted" if step == "spoken yes" else "revoked"
                say(clinic, ours, number)
    with db.unit_of_work(clinic.id) as session, time_machine.travel(moment, tick=False):
        talk = conversations.of_number(session, clinic, number)
        mine = [drift for drift in consent_drift.find(session, clinic.id) if drift.conversation_id == talk.id]
    assert bool(mine) == (blocked and ours == "granted")
