"""The few texts that answer by themselves: what has stopped is said once, and two robots come to an end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import clock, db
from messaging.consent import ledger
from messaging.delivery.last_look import LastLook
from messaging.models import Clinic, Conversation, Message
from messaging.reading import read_reply
from messaging.wording import text_templates
from tests.messaging.wording.test_clinic_words import say
from webhooks import fields, jobs, missed_texts, receipts

PATIENT, STRANGER = "+13035550101", "+13035550199"


def _scoped(monkeypatch: pytest.MonkeyPatch, scope: str) -> None:
    """Let every stop be read as one about `scope`."""
    plain = read_reply.read

    def read(*given: Any, **named: Any) -> read_reply.Reading:
        return replace(plain(*given, **named), scope=scope)

    monkeypatch.setattr(read_reply, "read", read)


def _consents(world: Any) -> dict[str, str]:
    with db.unit_of_work(db.EVERY) as session:
        return ledger.state(session, world.clinic, PATIENT)


@pytest.mark.parametrize("words", ["please don't text me", "ALTO", "no más mensajes", "Stop texting me please"])
def test_clear_words_of_any_kind_revoke(world: Any, words: str) -> None:
    world.text(words)
    assert set(_consents(world).values()) == {"revoked"}
    (last,) = world.outbound
    assert (last.kind, last.lane) == ("stopped", "urgent")
    assert "no more texts" in last.body
    assert "START" in last.body
    assert last.expires_at - last.created_at <= timedelta(minutes=5)
    world.text(words)
    assert len(world.outbound) == 1


@pytest.mark.parametrize("words", ["STOP", "stop", "Unsubscribe"])
def test_what_the_carrier_confirms_we_do_not(world: Any, words: str) -> None:
    world.text(words)
    assert world.outbound == []


def test_what_the_carrier_was_told_to_take_as_a_stop_we_do_not_confirm(world: Any) -> None:
    world.text("no más mensajes", OptOutType="STOP")
    assert world.outbound == []


def test_the_confirmation_of_a_stop_leaves_though_they_have_stopped(world: Any) -> None:
    world.text("please stop texting me")
    with db.unit_of_work(db.EVERY) as session:
        message = session.get_one(Message, world.outbound[0].id)
        assert LastLook(session, [message]).why_not(message) is None
        message.kind = "automatic"
        assert LastLook(session, [message]).why_not(message) == "opted out"


def test_after_five_minutes_the_confirmation_of_a_stop_may_not_leave(world: Any) -> None:
    world.text("please stop texting me")
    with (
        time_machine.travel(datetime.now(UTC) + timedelta(minutes=5, seconds=1)),
        db.unit_of_work(db.EVERY) as session,
    ):
        message = session.get_one(Message, world.outbound[0].id)
        assert LastLook(session, [message]).why_not(message) == "expired"


def test_a_stop_found_late_is_obeyed_and_not_confirmed(world: Any) -> None:
    _found(world, "please stop texting me", clock.now() - timedelta(minutes=9))
    assert set(_consents(world).values()) == {"revoked"}
    assert world.outbound == []


def test_a_start_found_late_does_not_undo_a_stop_said_since(world: Any) -> None:
    world.text("STOP")
    _found(world, "START", clock.now() - timedelta(minutes=9))
    assert set(_consents(world).values()) == {"revoked"}
    assert [item.kind for item in world.items] == ["reply"]


def _found(world: Any, body: str, sent: datetime) -> None:
    form = world.form(body) | {fields.SENT: sent.isoformat()}
    assert receipts.receive(missed_texts.SOURCE, form["MessageSid"], form, clinic=world.clinic)
    world.drain()


@pytest.mark.parametrize("scope", ["reminders", "screening"])
def test_a_stop_of_one_kind_of_texts_stops_that_kind_and_says_so(
    world: Any, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    _scoped(monkeypatch, scope)
    world.text("please stop texting me")
    consents = _consents(world)
    assert consents.pop(scope) == "revoked"
    assert set(consents.values()) == {"granted"}
    (last,) = world.outbound
    assert last.kind == "stopped"
    assert "STOP" in last.body


def test_a_stop_about_a_visit_that_is_not_certain_is_a_humans(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _scoped(monkeypatch, "visit")
    world.text("please stop texting me")
    assert set(_consents(world).values()) == {"granted"}
    assert world.outbound == []
    assert len(world.items) == 1


def test_a_keyword_of_the_carrier_stops_everything_whatever_was_read(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _scoped(monkeypatch, "reminders")
    world.text("STOP")
    assert set(_consents(world).values()) == {"revoked"}


def test_every_confirmation_of_a_stop_fits_one_text_and_names_the_way_on() -> None:
    about = {"clinic": "Cedar Clinic", "clinic_phone": "303-555-0101"}
    for language in ("en", "es"):
        for key in ("stopped", "stopped_reminders", "stopped_screening", "stopped_visit"):
            body = text_templates.render(text_templates.texts(language)[key], about)
            assert len(body) <= 160, (language, key, len(body))
            assert about["clinic_phone"] in body


WORDS = (
    *(
        "Y",
        "R",
        "hello",
        "AYUDA",
        "I want to die",
        "ok",
        "Thank you for your message!",
        "please don't text me",
    ),
    *("START", "estoy aqui", "running late", "wrong number", "echo"),
)
ROBOTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(says=ROBOTS, who=st.sampled_from([PATIENT, STRANGER]))
def test_two_robots_that_answer_each_other_come_to_an_end(world: Any, says: list[str], who: str) -> None:
    """The other robot answers each text of ours with one of its own; within a day that ends by itself."""
    with db.unit_of_work(db.EVERY) as session:
        session.query(Message).update({"created_at": clock.now() - timedelta(days=40)})
        session.query(Conversation).update({"auto_replied_at": None})
        clinic = session.get_one(Clinic, world.clinic.id)
        ledger.record(session, clinic, PATIENT, "granted", source="import", actor="operator")
    before, answered, turn = len(world.outbound), 0, 0
    body = says[0]
    for turn in range(60):
        world.text(body, From=who)
        ours = world.outbound[before + answered :]
        if not ours:
            break
        answered += len(ours)
        body = ours[-1].body if says[turn % len(says)] == "echo" else says[turn % len(says)]
    assert turn < 30
    assert jobs.drain("urgent") == 0


def test_a_crisis_is_answered_with_the_clinics_own_line_beside_the_shipped_words(world: Any) -> None:
    say(world.clinic, "crisis_line", "Or call our line, day and night: {clinic_phone}.")
    world.text("I want to kill myself")
    (body,) = [message.body for message in world.outbound]
    assert body.startswith(text_templates.texts("en")["crisis"] + " Or call our line, day and night: ")
    assert {item.kind for item in world.items} == {"safety"}


def test_a_number_of_nobody_is_answered_in_the_clinics_words(world: Any) -> None:
    own = "{clinic}: we do not know you yet. In danger call 911; to talk, call or text 988."
    say(world.clinic, "unknown_sender", own)
    world.text("hello there", From=STRANGER)
    assert [message.body for message in world.outbound] == [own.replace("{clinic}", "Elm Clinic")]
