"""Sending, by the real SDK to a phone network that fails on purpose: nothing lost, nothing twice, nothing unwanted."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
import time_machine

from config import clock, db
from messaging.consent import ledger
from messaging.delivery import deliver, send_one
from messaging.gateways import twilio
from messaging.models import Attempt, Message, Patient, Staff
from tests.waiting import until

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@both
def test_a_text_leaves_and_is_sent_with_the_carrier_s_sid(network, desk, new_patient):
    message = desk.text(new_patient())
    assert deliver.deliver("bulk") == 1
    (accepted,) = network.accepted()
    stored = desk.now(message)
    assert (stored.state, stored.provider_sid) == ("sent", accepted["sid"])
    assert (stored.lease_until, stored.attempts) == (None, 1)
    (attempt,) = desk.attempts(message)
    assert (attempt.state, attempt.provider_sid) == ("accepted", accepted["sid"])


def test_the_carrier_is_told_where_from_where_to_and_where_to_call_back(network, desk, new_patient, clinic):
    desk.text(new_patient(number="+13035550117"), body="See you on Monday.")
    deliver.deliver("bulk")
    (accepted,) = network.accepted()
    assert (accepted["to"], accepted["from"]) == ("+13035550117", clinic.number)
    assert accepted["body"].startswith("See you on Monday.")
    assert accepted["status_callback"].startswith("https://clinic.example/webhooks/twilio/status/")
    assert accepted["validity_period"] == 4 * 3600


def test_a_clinic_with_a_messaging_service_sends_through_it(network, desk, new_patient, clinic):
    with db.unit_of_work(db.EVERY) as session:
        session.merge(clinic).messaging_service_sid = "MG" + "1" * 32
    desk.text(new_patient())
    deliver.deliver("bulk")
    assert network.accepted()[0]["messaging_service_sid"] == "MG" + "1" * 32


def test_a_text_cannot_arrive_after_it_is_of_use(network, desk, new_patient):
    patient = new_patient()
    desk.text(patient, expires_at=clock.now() + timedelta(minutes=10))
    desk.text(patient, expires_at=clock.now() + timedelta(days=3))
    deliver.deliver("bulk")
    short, long = sorted(text["validity_period"] for text in network.accepted())
    assert 590 <= short <= 600
    assert long == 36_000


def test_each_lane_is_delivered_by_itself(network, desk, new_patient):
    urgent, bulk = desk.text(new_patient(), lane="urgent"), desk.text(new_patient())
    assert deliver.deliver("urgent") == 1
    assert desk.state(urgent, bulk) == ["sent", "queued"]


def test_what_is_not_due_yet_waits(network, desk, new_patient):
    message = desk.text(new_patient(), not_before=clock.now() + timedelta(hours=1))
    assert deliver.deliver("bulk") == 0
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        assert deliver.deliver("bulk") == 1
    assert desk.state(message) == "sent"


@pytest.mark.parametrize(
    ("number", "code", "line"), [("+13035550190", 21211, "dead"), ("+13035550192", 21614, "landline")]
)
def test_what_a_refusal_says_of_a_number_is_learnt_and_a_human_told(network, desk, new_patient, number, code, line):
    patient = new_patient(number=number)
    message = desk.text(patient)
    deliver.deliver("bulk")
    stored = desk.now(message)
    assert (stored.state, stored.error_code) == ("failed", code)
    assert desk.attempts(message)[0].state == "refused"
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Patient, patient.id).numbers[0].line == line
    (item,) = desk.items()
    assert (item.patient_id, item.about) == (patient.id, f"message:{message.id}")
    assert "call" in (item.summary or "")


def test_who_stopped_at_the_carrier_has_stopped_with_us(network, desk, new_patient, clinic):
    message = desk.text(new_patient(number="+13035550191"))
    deliver.deliver("bulk")
    assert (desk.state(message), desk.now(message).error_code) == ("failed", 21610)
    with db.unit_of_work(clinic.id) as session:
        assert set(ledger.state(session, clinic, "+13035550191").values()) == {"revoked"}
    assert len(desk.items()) == 1


def test_a_permanent_refusal_is_never_tried_again(network, desk, new_patient):
    desk.text(new_patient(number="+13035550190"))
    deliver.deliver("bulk")
    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        assert deliver.deliver("bulk") == 0
    assert network.asked() == 1


def test_a_busy_carrier_is_asked_again_later_and_later(network, desk, new_patient):
    message, start, tried = desk.text(new_patient(number="+13035550198")), clock.now(), []
    for tenth in range(0, 60, 5):
        with time_machine.travel(start + timedelta(seconds=tenth / 10), tick=False):
            if deliver.deliver("bulk"):
                tried.append(tenth / 10)
    assert tried == [0, 1, 3]
    assert desk.state(message) == "sent"
    assert [attempt.state for attempt in desk.attempts(message)] == ["refused", "refused", "accepted"]
    assert desk.now(message).attempts == 1  # what the carrier could not take was no try
    assert len(network.accepted()) == 1
    assert desk.items() == []


def test_a_carrier_that_stays_busy_ends_before_a_human(network, desk, new_patient):
    network.faults({"answer": "429"})
    message, moment = desk.text(new_patient()), clock.now()
    for hour in range(8):
        with time_machine.travel(moment, tick=False):
            deliver.deliver("bulk")
        moment += timedelta(hours=1)
        # Somebody is told after half an hour; it is tried for as long as it is worth something.
        assert (desk.state(message), len(desk.items())) == ("failed" if hour >= 4 else "queued", min(hour, 1))
    assert network.asked() == 5


@pytest.mark.parametrize("answer", ["500", "503", "drop", "garbage", "accept_then_500", "accept_then_timeout"])
def test_what_is_neither_yes_nor_no_is_unknown_and_not_repeated(network, desk, new_patient, answer, monkeypatch):
    network.faults({"answer": answer, "hang_s": 600})
    if answer == "accept_then_timeout":
        monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 2)
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    assert desk.state(message) == "unknown"
    assert [attempt.state for attempt in desk.attempts(message)] == ["unknown"]
    assert deliver.deliver("bulk") == 0
    assert network.asked() == 1


def test_one_bad_text_does_not_hold_up_the_others(network, desk, new_patient):
    bad, *good = [desk.text(new_patient(number=number)) for number in ("+13035550190", "+13035550131", "+13035550132")]
    network.faults({"number": "+13035550131", "answer": "500"})
    deliver.deliver("bulk")
    assert desk.state(bad, *good) == ["failed", "unknown", "sent"]


@both
def test_a_stop_between_queueing_and_sending_holds_the_text(network, desk, new_patient, clinic):
    message = desk.text(new_patient(number="+13035550117"))
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, "+13035550117", "revoked", source="text", actor="patient:x", words="STOP")
    deliver.deliver("bulk")
    assert desk.state(message) == "held"
    assert desk.now(message).last_error == "opted out"
    assert network.asked() == 0
    assert desk.items() == []  # it was their wish: nobody need call about a reminder


def test_a_stop_holds_a_colleague_s_reply_and_a_human_is_told(network, desk, new_patient, clinic):
    message = desk.text(new_patient(number="+13035550117"), kind="reply", programme="care_team")
    with db.unit_of_work(clinic.id) as session:
        ledger.record(session, clinic, "+13035550117", "revoked", source="text", actor="patient:x", words="STOP")
    deliver.deliver("bulk")
    assert desk.state(message) == "held"
    assert len(desk.items()) == 1


@pytest.mark.parametrize("line", ["landline", "dead"])
def test_what_was_learnt_of_a_number_meanwhile_holds_the_text(network, desk, new_patient, line):
    message = desk.text(new_patient(number="+13035550117"))
    desk.learn("+13035550117", line)
    deliver.deliver("bulk")
    assert desk.state(message) == "held"
    assert network.asked() == 0


@pytest.mark.parametrize("state", ["inactive", "deceased"])
def test_nothing_leaves_for_a_patient_who_is_no_longer_active(network, desk, new_patient, state):
    patient = new_patient()
    message = desk.text(patient)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, patient.id).state = state
    deliver.deliver("bulk")
    assert desk.state(message) == "held"
    assert network.asked() == 0


def test_a_text_whose_time_has_passed_is_held_and_a_human_told(network, desk, new_patient):
    patient = new_patient()
    message = desk.text(patient, expires_at=clock.now() + timedelta(minutes=5))
    with time_machine.travel(clock.now() + timedelta(minutes=6), tick=False):
        deliver.deliver("bulk")
    assert (desk.state(message), desk.now(message).last_error) == ("held", "expired")
    assert network.asked() == 0
    assert [item.patient_id for item in desk.items()] == [patient.id]


def test_a_colleague_without_a_number_any_more_is_not_texted(network, desk, new_staff):
    staff = new_staff()
    message = desk.alert(staff, f"alert:{db.new_id()}:0:{staff.id}")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, staff.id).number = None
    deliver.deliver("urgent")
    assert desk.state(message) == "held"


@both
def test_two_workers_never_send_the_same_text(network, desk, new_patient):
    patient = new_patient()
    messages = [desk.text(patient, body=f"Text {number}") for number in range(40)]
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        deliver.deliver("bulk")

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # On a busy machine the last look at a text may have grown old before the line stood: it goes with the next round.
    until(lambda: deliver.deliver("bulk") or set(desk.state(*messages)) == {"sent"})
    assert set(Counter(text["body"].split(" Reply")[0] for text in network.accepted()).values()) == {1}
    assert len(network.accepted()) == len(messages)


@both
def test_a_look_that_has_grown_old_sends_nothing_and_the_text_goes_with_the_next_round(
    network, desk, new_patient, monkeypatch
):
    message = desk.text(new_patient())
    with monkeypatch.context() as patched:
        patched.setattr(send_one, "FRESH", timedelta(0))
        assert deliver.deliver("bulk", seconds=0.1) >= 1
    assert (desk.state(message), network.accepted()) == ("queued", [])
    until(lambda: deliver.deliver("bulk") or desk.state(message) == "sent")
    assert len(network.accepted()) == 1


def claim_and_intend() -> list[deliver.Intent]:
    """The first half of a sending: what a worker that dies afterwards leaves behind."""
    with db.unit_of_work(db.EVERY) as session:
        claims = db.claim(session, Message, deliver.due_in("bulk"))
        return deliver._intend(session, db.still_mine(session, Message, claims))


@both
def test_the_late_write_of_a_worker_thought_dead_is_refused(network, desk, new_patient):
    message = desk.text(new_patient())
    (late,) = claim_and_intend()
    with (
        time_machine.travel(clock.now() + timedelta(seconds=65), tick=False),
        db.unit_of_work(db.EVERY) as session,
    ):
        (again,) = db.claim(session, Message, Message.state == "sending")
    with db.unit_of_work(db.EVERY) as session:
        deliver._record(session, [deliver.Outcome(late, code=21211)])
    stored = desk.now(message)
    assert (stored.state, stored.error_code, stored.fence) == ("sending", None, again.fence)
    assert desk.items() == []


def test_a_late_yes_is_still_remembered_as_the_attempt_s(network, desk, new_patient):
    message = desk.text(new_patient())
    (late,) = claim_and_intend()
    with (
        time_machine.travel(clock.now() + timedelta(seconds=65), tick=False),
        db.unit_of_work(db.EVERY) as session,
    ):
        db.claim(session, Message, Message.state == "sending")
    with db.unit_of_work(db.EVERY) as session:
        deliver._record(session, [deliver.Outcome(late, sid="SM" + "7" * 32)])
    assert [attempt.provider_sid for attempt in desk.attempts(message)] == ["SM" + "7" * 32]
    assert desk.state(message) == "sending"


def test_a_callback_proves_acceptance_before_the_answer_does(network, desk, new_patient):
    network.faults({"answer": "accept_then_500"})
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    (accepted,) = network.accepted()
    desk.callback(accepted["status_callback"], "delivered", accepted["sid"])
    assert (desk.state(message), desk.now(message).provider_sid) == ("delivered", accepted["sid"])
    assert [attempt.state for attempt in desk.attempts(message)] == ["accepted"]


def test_a_callback_that_overtakes_the_answer_is_not_undone_by_it(network, desk, new_patient):
    message = desk.text(new_patient())
    (intent,) = claim_and_intend()
    desk.callback(intent.text.callback, "delivered", "SM" + "7" * 32)
    with db.unit_of_work(db.EVERY) as session:
        deliver._record(session, [deliver.Outcome(intent, sid="SM" + "7" * 32)])
    assert desk.state(message) == "delivered"
    assert desk.now(message).lease_until is None


def test_a_callback_to_nobody_s_address_finds_nothing(house, desk):
    with db.unit_of_work(db.EVERY) as session:
        assert deliver.attempt_by_token(session, "no such token") is None


def test_tokens_are_kept_as_hashes_only(network, desk, new_patient):
    message = desk.text(new_patient())
    (intent,) = claim_and_intend()
    token = intent.text.callback.rsplit("/", 1)[1]
    (attempt,) = desk.attempts(message)
    assert token.encode() not in attempt.token_hash
    assert len(token) >= 22  # 128 bits and more


def test_trimmed_bodies_are_the_same(house):
    assert deliver.fingerprint(" See you.\n") == deliver.fingerprint("See you.")
    assert deliver.fingerprint("See you.") != deliver.fingerprint("See you!")


def test_an_attempt_is_looked_for_from_before_it_began(house):
    attempt = Attempt(started_at=clock.now())
    assert deliver.since(attempt) < attempt.started_at
