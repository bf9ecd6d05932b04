"""A carrier that says "not now", is gone, or hangs; a sender that freezes: nothing fails, comes twice or late."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from threading import Thread

import pytest
import time_machine

from config import clock, db, runtime
from messaging.consent import ledger
from messaging.delivery import deliver, reconciling, send_one
from messaging.delivery.breaker import circuits
from messaging.gateways import twilio
from messaging.models import Patient
from service import health
from tests.conftest import ROOT
from tests.environments import environment

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def until(true) -> None:
    ends = time.monotonic() + 120
    while not true():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.02)


class Clock:
    """Goes on by steps; all lanes are worked off at each."""

    def __init__(self) -> None:
        self.start, self.seconds = clock.now(), 0.0

    def go(self, seconds: float, *lanes: str) -> None:
        self.seconds += seconds
        with time_machine.travel(self.start + timedelta(seconds=self.seconds), tick=False):
            for lane in lanes or ("urgent", "bulk"):
                deliver.deliver(lane)
            reconciling.reconcile()


@both
def test_a_storm_of_429_for_two_minutes_fails_nothing_and_safety_leaves_first(network, desk, new_patient, new_staff):
    patients, colleague, time_ = [new_patient() for _ in range(20)], new_staff(), Clock()
    reminders = [desk.text(patient) for patient in patients]
    crisis = desk.text(patients[0], kind="crisis", programme="care_team", lane="urgent")
    network.faults({"answer": "429"})
    for _ in range(40):
        time_.go(3)
    alert = desk.alert(colleague, f"alert:{db.new_id()}:0:{colleague.id}")
    time_.go(3)
    assert set(desk.state(*reminders, crisis, alert)) == {"queued"}
    assert all(desk.now(message).attempts <= 1 for message in (*reminders, crisis, alert))
    requests = network.asked()
    assert requests < 80  # one at a time asks whether it is over
    network.faults()
    time_.go(6, "urgent")
    assert desk.state(crisis, alert) == ["sent", "sent"]
    assert desk.state(reminders[0]) == "queued"
    time_.go(1)
    assert set(desk.state(*reminders)) == {"sent"}
    assert set(Counter(text["to"] for text in network.accepted()).values()) <= {1, 2}
    assert len(network.accepted()) == 22
    assert desk.items() == []


def test_while_an_urgent_text_waits_it_is_the_one_that_asks(network, desk, new_patient):
    reminder, urgent, time_ = desk.text(new_patient()), desk.text(new_patient(), lane="urgent"), Clock()
    network.faults({"answer": "429", "count": 1})
    time_.go(0, "bulk")
    time_.go(2, "bulk")
    assert desk.state(reminder, urgent) == ["queued", "queued"]
    time_.go(0, "urgent", "bulk")
    assert desk.state(reminder, urgent) == ["sent", "sent"]


@pytest.mark.parametrize("how", ["nobody listens", "429", "503"])
def test_after_minutes_without_the_carrier_an_alert_leaves_within_seconds(network, desk, new_staff, monkeypatch, how):
    colleague, time_ = new_staff(), Clock()
    alert = desk.alert(colleague, f"alert:{db.new_id()}:0:{colleague.id}")
    whole = runtime.settings()
    if how == "nobody listens":
        monkeypatch.setattr(runtime, "_settings", whole.model_copy(update={"twilio_api_url": "http://127.0.0.1:9"}))
    else:
        network.faults({"answer": how})
    for _ in range(60):
        time_.go(3)
    assert desk.state(alert) in ("queued", "unknown")
    if how == "nobody listens":
        runtime._made.pop("gateways.twilio")._client.http_client.session.close()
        monkeypatch.setattr(runtime, "_settings", whole)
    network.faults()
    for _ in range(9):
        time_.go(1)
    assert desk.state(alert) == "sent"
    assert desk.now(alert).attempts >= 1


def test_a_sender_that_is_throttled_for_a_minute_is_in_sight(network, desk, new_patient):
    network.faults({"number": "+13035550131", "answer": "429"})
    bad = desk.text(new_patient(number="+13035550131"))
    deliver.deliver("bulk")
    assert desk.state(bad) == "queued"
    with db.unit_of_work(db.EVERY) as session:
        assert circuits.since(session) is not None
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=False):
        assert any("carrier" in problem for problem in health._rows())


def test_a_number_that_is_always_refused_for_now_does_not_keep_the_others_back(network, desk, new_patient):
    network.faults({"number": "+13035550131", "answer": "429"})
    time_ = Clock()
    bad = desk.text(new_patient(number="+13035550131"))
    good = [desk.text(new_patient()) for _ in range(3)]
    time_.go(3)
    refused, others = desk.now(bad), [desk.now(message) for message in good]
    assert all(other.state == "sent" or other.try_after < refused.try_after for other in others)
    for _ in range(5):
        time_.go(3)
    assert desk.state(bad) == "queued"
    assert set(desk.state(*good)) == {"sent"}


@pytest.mark.parametrize("code", [30022, 30001, 30017])
def test_a_text_the_carrier_took_and_dropped_for_its_rate_is_sent_again(network, desk, new_patient, code):
    message, time_ = desk.text(new_patient()), Clock()
    time_.go(0)
    (first,) = network.accepted()
    desk.callback(first["status_callback"], "failed", first["sid"], code)
    desk.callback(first["status_callback"], "failed", first["sid"], code)  # carriers say things twice
    desk.callback(first["status_callback"], "sent", first["sid"])  # and late
    assert desk.state(message) == "queued"
    time_.go(0)
    assert len(network.accepted()) == 1
    time_.go(60)
    assert (desk.state(message), len(network.accepted())) == ("sent", 2)
    assert desk.items() == []


def test_a_dropped_text_that_arrives_after_all_is_not_sent_again(network, desk, new_patient):
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    (first,) = network.accepted()
    desk.callback(first["status_callback"], "failed", first["sid"], 30022)
    desk.callback(first["status_callback"], "delivered", first["sid"])
    assert desk.state(message) == "delivered"


def test_a_stop_is_obeyed_by_texts_that_stand_in_the_pool(network, desk, new_patient, clinic, monkeypatch):
    monkeypatch.setattr(twilio, "TIMEOUT_SECONDS", 30.0)
    monkeypatch.setattr(deliver, "SENDERS", 4)
    numbers = [f"+130355501{place}" for place in range(20, 32)]
    messages = [desk.text(new_patient(number=number)) for number in numbers]
    network.faults(*({"number": number, "answer": "accept_then_timeout", "hang_s": 600} for number in numbers))
    sender = Thread(target=deliver.deliver, args=("bulk",))
    sender.start()
    until(lambda: network.asked() == 4)
    with db.unit_of_work(clinic.id) as session:
        for number in numbers:
            ledger.record(session, clinic, number, "revoked", source="text", actor="patient:x", words="STOP")
    network.faults()  # whoever hangs is let go
    sender.join()
    assert network.asked() == 4
    assert Counter(desk.state(*messages))["held"] == 8
    assert {desk.now(message).last_error for message in messages if desk.state(message) == "held"} == {"opted out"}


@pytest.mark.parametrize("what", ["inactive", "dead", "cancelled claim"])
def test_whatever_forbids_a_text_is_asked_just_before_it_leaves(network, desk, new_patient, what):
    patient = new_patient(number="+13035550117")
    message = desk.text(patient)
    (intent,) = deliver._claim("bulk")[1]
    with db.unit_of_work(db.EVERY) as session:
        if what == "inactive":
            session.get_one(Patient, patient.id).state = "inactive"
        elif what == "cancelled claim":
            session.get_one(type(message), message.id).fence += 1
    if what == "dead":
        desk.learn("+13035550117", "dead")
    outcome = send_one.send(intent, set())
    assert (outcome.sid, bool(outcome.held or outcome.unsent)) == (None, True)
    assert network.asked() == 0


def test_an_intent_is_void_well_before_its_lease_ends_by_either_clock(network, desk, new_patient):
    message = desk.text(new_patient())
    (intent,) = deliver._claim("bulk")[1]
    with time_machine.travel(clock.now() + timedelta(seconds=40), tick=False):
        outcome = send_one.send(intent, set())
    assert outcome.unsent
    assert network.asked() == 0
    with db.unit_of_work(db.EVERY) as session:
        deliver._record(session, [outcome])
    assert desk.state(message) == "queued"
    assert desk.now(message).attempts == 0


# Its second text brings each of eight senders to one point between the last question and the carrier; when all stand
# there the process stops itself. Nothing is on its way in that moment, so no instant of the machine decides the test.
SENDER = """
import signal, sys, threading
from datetime import timedelta
from config import queue, runtime, settings
from messaging.delivery import deliver, send_one
from messaging.gateways import lastmoment
from service import start
runtime.configure(settings.load())
queue.use_lanes(start.every_lane)
send_one.FRESH, deliver.SENDERS = timedelta(seconds=1), 8
# To the thread, not the process: else another thread is chosen to take it, and this one goes on for a moment.
stop = lambda: signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
together = threading.Barrier(deliver.SENDERS, stop)
here, nth = threading.local(), int(sys.argv[2])

def at_the_point():
    here.times = getattr(here, "times", 0) + 1
    if here.times == nth:
        together.wait(120)

objection, ask = send_one._objection, lastmoment._ask

def asked(intent):
    answer = objection(intent)
    at_the_point()
    return answer

def about_to_write():
    at_the_point()
    ask()

if sys.argv[1] == "asked":
    send_one._objection = asked
else:
    lastmoment._ask = about_to_write
deliver.deliver("bulk", 60)
"""


@both
# A request is written in two pieces, its head and its body: the third writing of a sender is its second text's head.
@pytest.mark.parametrize(("point", "nth"), [("asked", 2), ("writing", 3), ("writing", 4)])
def test_a_sender_frozen_past_its_lease_sends_nothing_again_when_it_wakes(network, desk, new_patient, point, nth):
    messages = [desk.text(new_patient(number=f"+1303555{line:04}")) for line in range(120, 150)]
    process = subprocess.Popen([sys.executable, "-c", SENDER, point, str(nth)], cwd=ROOT, env=environment())
    try:
        until(lambda: os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT))
        frozen, time_ = time.monotonic(), Clock()
        assert len(network.accepted()) == 8
        for seconds in (61, 4, 4, 4, 60, 4, 4):
            time_.go(seconds)
        until(lambda: time.monotonic() > frozen + 1.5)  # longer than any last look is believed
        assert set(desk.state(*messages)) <= {"sent", "delivered"}
        assert len(network.accepted()) == len(messages)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(timeout=120) == 0
    finally:
        process.kill()
        process.wait()
    assert set(Counter(text["to"] for text in network.accepted()).values()) == {1}
    assert set(desk.state(*messages)) <= {"sent", "delivered"}
