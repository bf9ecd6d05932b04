"""Texts in doubt: found in the carrier's list or sent again, once, and never in silence."""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import delete, update

from config import clock, db, runtime
from messaging.consent import ledger
from messaging.delivery import deliver, reconciling
from messaging.gateways import lastmoment, twilio
from messaging.gateways.twilio import gateway
from messaging.models import Message

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@both
@pytest.mark.parametrize("answer", ["accept_then_500", "accept_then_timeout", "garbage"])
def test_a_text_that_was_accepted_is_found_and_not_sent_again(network, desk, new_patient, later, answer, monkeypatch):
    network.faults({"answer": answer, "hang_s": 600})
    if answer == "accept_then_timeout":
        monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 2)
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    assert desk.state(message) == "unknown"
    later(4)
    later(200)
    (accepted,) = network.accepted()
    assert desk.now(message).provider_sid == accepted["sid"]
    assert desk.state(message) in ("sent", "delivered")
    assert [attempt.state for attempt in desk.attempts(message)] == ["accepted"]


@both
@pytest.mark.parametrize("answer", ["500", "drop"])
def test_a_text_that_was_not_accepted_is_sent_again_once_it_has_settled(
    network, desk, new_patient, later, answer, monkeypatch
):
    # Long enough that no machine is so slow as to come to it before its time.
    patient = runtime.settings().model_copy(update={"settle_seconds": 60})
    monkeypatch.setattr(runtime, "_settings", patient)
    network.faults({"answer": answer, "count": 1})
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    assert desk.state(message) == "unknown"
    later(3.2)
    assert (desk.state(message), network.accepted()) == ("unknown", [])
    later(70)
    assert desk.state(message) == "sent"
    assert len(network.accepted()) == 1
    assert [attempt.state for attempt in desk.attempts(message)] == ["unknown", "accepted"]


def test_a_callback_settles_the_doubt_before_the_list_is_asked(network, desk, new_patient, later):
    network.faults({"answer": "accept_then_500"})
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    (accepted,) = network.accepted()
    desk.callback(accepted["status_callback"], "sent", accepted["sid"])
    network.ask("DELETE", "/sim")  # the list would now say that nothing was taken
    later(10)
    assert desk.state(message) == "sent"
    assert network.asked() == 0


def test_nothing_is_sent_again_while_the_list_cannot_be_read(network, desk, new_patient, later, monkeypatch, house):
    network.faults({"answer": "500", "count": 1})
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    answers(network, monkeypatch, "http://127.0.0.1:9")
    later(10)
    later(100)
    assert desk.state(message) == "unknown"
    answers(network, monkeypatch, network.url)
    later(200)
    assert desk.state(message) == "sent"
    assert len(network.accepted()) == 1


def answers(network, monkeypatch, url: str) -> None:
    """From now on, whoever asks the carrier asks this address."""
    from config import runtime

    gateway = runtime._made.pop("gateways.twilio", None)
    if gateway is not None:
        gateway._client.http_client.session.close()
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"twilio_api_url": url}))


@pytest.mark.parametrize("kind", ["crisis", "handoff"])
def test_a_text_on_which_safety_hangs_is_sent_again_at_once(network, desk, new_patient, later, kind):
    network.faults({"answer": "500", "count": 1})
    message = desk.text(new_patient(), kind=kind, programme="care_team", lane="urgent")
    deliver.deliver("urgent")
    later(3.2, "urgent")
    assert desk.state(message) == "sent"
    assert len(network.accepted()) == 1


def test_a_text_on_which_safety_hangs_is_not_repeated_every_moment(network, desk, new_patient, later, monkeypatch):
    network.faults({"answer": "accept_then_500"})
    message = desk.text(new_patient(), kind="crisis", programme="care_team", lane="urgent")
    deliver.deliver("urgent")
    monkeypatch.setattr(reconciling, "gateway", Deaf)
    for second in range(4, 64, 4):
        later(second, "urgent")
    assert 2 <= len(network.accepted()) <= 5
    assert desk.state(message) in ("unknown", "queued")


class Deaf:
    """A carrier whose list cannot be read."""

    def find(self, _to: str, _since: object) -> list[object]:
        raise reconciling.OutcomeUnknown("deaf")

    fetch = find


def test_identical_texts_in_doubt_at_once_are_matched_to_different_sids(network, desk, new_patient, later):
    network.faults({"answer": "accept_then_500"})
    patient = new_patient()
    desk.text(patient, dedupe="intro")
    messages = [desk.text(patient, body="See you soon.") for _ in range(3)]
    deliver.deliver("bulk")
    network.faults()
    later(4)
    accepted = {text["sid"] for text in network.accepted() if text["body"] == "See you soon."}
    assert {desk.now(message).provider_sid for message in messages} == accepted
    assert len(accepted) == 3


def test_of_identical_texts_only_the_one_not_taken_is_sent_again(network, desk, new_patient, later):
    patient = new_patient()
    desk.text(patient, dedupe="intro")
    deliver.deliver("bulk")
    network.faults({"answer": "accept_then_500", "count": 1}, {"answer": "500", "count": 1})
    messages = [desk.text(patient, body="See you soon.") for _ in range(2)]
    deliver.deliver("bulk")
    later(4)
    later(10)
    assert desk.state(*messages) != ["unknown", "unknown"]
    sids = Counter(text["sid"] for text in network.accepted() if text["body"] == "See you soon.")
    assert len(sids) == 2
    assert {desk.now(message).provider_sid for message in messages} == set(sids)


def test_a_text_of_another_day_with_the_same_words_is_no_proof(network, desk, new_patient, later):
    network.faults({"answer": "accept_then_500", "count": 1})
    patient = new_patient()
    first = desk.text(patient, body="See you soon. Reply STOP to end texts, HELP for help.")
    deliver.deliver("bulk")
    with db.unit_of_work(db.EVERY) as session:  # as if its attempt had been forgotten
        session.execute(update(Message).where(Message.id == first.id).values(state="failed"))
    network.faults({"answer": "500", "count": 1})
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        message = desk.text(patient, body="See you soon. Reply STOP to end texts, HELP for help.")
        deliver.deliver("bulk")
        later(5)
    assert desk.state(message) == "sent"
    assert len(network.accepted()) == 2


def test_a_sender_that_died_is_noticed_when_its_lease_runs_out(network, desk, new_patient, later):
    message = desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, deliver.due_in("bulk"), lease=deliver.LEASE["bulk"])
        deliver._intend(session, db.still_mine(session, Message, claims))
    later(30)
    assert desk.state(message) == "sending"
    later(61)
    assert desk.state(message) == "unknown"
    later(66)
    assert desk.state(message) == "sent"
    assert len(network.accepted()) == 1


def test_an_alert_whose_sender_was_killed_leaves_within_the_minute(network, desk, new_staff, later):
    """Seed 108 of the fault runs: a worker killed in the middle of an alert kept it for 71 seconds."""
    message = desk.alert(new_staff(), "alert")
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, deliver.due_in("urgent"), lease=deliver.LEASE["urgent"])
        deliver._intend(session, db.still_mine(session, Message, claims))
    later(46, "urgent")
    later(50, "urgent")
    assert desk.state(message) == "sent"
    assert len(network.accepted()) == 1


def test_no_lease_ends_while_a_call_that_began_in_it_may_last():
    longest_call = timedelta(seconds=twilio.TIMEOUT_SECONDS + lastmoment.CONNECT_SECONDS)
    assert longest_call < deliver.BEFORE_LEASE_ENDS < min(deliver.LEASE.values())


def test_the_late_yes_of_a_sender_thought_dead_is_not_sent_again(network, desk, new_patient, later):
    message = desk.text(new_patient())
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, deliver.due_in("bulk"), lease=deliver.LEASE["bulk"])
        (intent,) = deliver._intend(session, db.still_mine(session, Message, claims))
    later(61)
    assert desk.state(message) == "unknown"
    outcome = deliver.Outcome(intent, sid=gateway().send(intent.text))  # its bytes had left before it was frozen
    with db.unit_of_work(db.EVERY) as session:
        deliver._record(session, [outcome])
    later(66)
    later(200)
    assert desk.state(message) in ("sent", "delivered")
    assert len(network.accepted()) == 1


def test_a_doubted_text_whose_time_has_passed_is_not_sent_again(network, desk, new_patient, later):
    network.faults({"answer": "500", "count": 1})
    message = desk.text(new_patient(), expires_at=clock.now() + timedelta(seconds=5))
    deliver.deliver("bulk")
    later(10)
    assert desk.state(message) == "held"
    assert network.accepted() == []
    assert len(desk.items()) == 1


def test_a_stop_while_a_text_is_in_doubt_keeps_it_from_being_sent_again(network, desk, new_patient, clinic, later):
    network.faults({"answer": "500", "count": 1})
    message = desk.text(new_patient(number="+13035550117"))
    deliver.deliver("bulk")
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, "+13035550117", "revoked", source="text", actor="patient:x")
    later(10)
    assert desk.state(message) == "held"
    assert network.accepted() == []


def test_a_text_long_in_doubt_reaches_a_human_and_is_still_looked_for(network, desk, new_patient, later, monkeypatch):
    network.faults({"answer": "500", "count": 1})
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    monkeypatch.setattr(reconciling, "gateway", Deaf)
    later(600)
    assert desk.items() == []
    later(3600)
    later(3700)
    assert [item.about for item in desk.items()] == [f"message:{message.id}"]
    assert desk.state(message) == "unknown"


def test_looking_for_a_text_does_not_use_up_its_tries(network, desk, new_patient, later, monkeypatch):
    network.faults({"answer": "500", "count": 1})
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    with monkeypatch.context() as deaf:
        deaf.setattr(reconciling, "gateway", Deaf)
        for second in range(10, 200, 16):
            later(second)
    network.faults({"answer": "429", "count": 1})
    later(300)
    assert desk.state(message) == "queued"
    later(400)
    assert desk.state(message) == "sent"


def test_a_patient_whose_key_is_gone_does_not_stop_the_others(network, desk, new_patient, later, house):
    network.faults({"answer": "500", "count": 2})
    gone, kept = new_patient(), new_patient()
    erased, message = desk.text(gone), desk.text(kept)
    deliver.deliver("bulk")
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(db.DataKey).where(db.DataKey.id == gone.key_id))
    from config import runtime

    runtime.forget("db.keys")
    later(10)
    assert desk.state(message) == "sent"
    assert desk.state(erased) == "failed"
