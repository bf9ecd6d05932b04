"""The words of a text do not stay at the carrier: emptied when they are ours and some days old, and never before."""

import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select, update

from config import clock, db, runtime
from messaging import conversations
from messaging.delivery import deliver, redacting
from messaging.delivery.breaker import circuits
from messaging.delivery.restored import holding
from messaging.delivery.restored.models import RestoredSpan
from messaging.gateways import twilio
from messaging.models import Attempt, CarrierCopy, Clinic, Message
from tests.conftest import ROOT
from tests.environments import environment
from tests.waiting import PATIENCE, until

PHONE = "+13035550117"
DAYS, LOOKS = timedelta(days=3, minutes=5), redacting.LOOKS_OLD
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


def said(network: Any, clinic: Clinic, body: str = "I sleep badly") -> str:
    """The sid of a text that came in and that we have."""
    sid = str(network.ask("POST", f"/sim/phones/{PHONE}/messages", {"body": body, "to": clinic.number})["sid"])
    with db.unit_of_work(clinic.id) as session:
        talk = conversations.of_number(session, clinic, PHONE)
        conversations.file_inbound(session, clinic, talk, body=body, provider_sid=sid, reading=[])
    return sid


def at_the_carrier(sid: str) -> str:
    """The words that the carrier shows of a text."""
    taken = twilio.gateway().fetch(sid)
    return taken.body if taken else "it is gone"


def owed() -> list[CarrierCopy]:
    """What is still to be emptied."""
    with db.unit_of_work(db.EVERY) as session:
        return list(session.scalars(select(CarrierCopy).order_by(CarrierCopy.taken_at)))


def after(time: timedelta = DAYS) -> int:
    """Empty what is due so much later; return how many texts were emptied."""
    with time_machine.travel(clock.now() + time, tick=False):
        return redacting.drain()


@both
def test_a_text_is_emptied_at_the_carrier_and_stays_with_us(network, clinic, desk, new_patient):
    came = said(network, clinic)
    message = desk.text(new_patient(number="+13035550118"))
    deliver.deliver("bulk")
    sid = desk.now(message).provider_sid
    until(lambda: twilio.gateway().fetch(sid).status == "delivered", "the text has arrived")
    desk.callback(network.accepted()[0]["status_callback"], "delivered", sid)
    assert redacting.drain() == 0
    assert after() == 2
    assert (at_the_carrier(came), at_the_carrier(sid), owed()) == ("", "", [])
    with db.unit_of_work(db.EVERY) as session:
        assert {(row.body or "")[:13] for row in session.scalars(select(Message))} == {"I sleep badly", "See you on Mo"}
    assert after() == 0


def soon() -> None:
    """Let all be due now, as where the operator lets the carrier keep nothing."""
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(CarrierCopy).values(try_after=clock.now()))


def test_a_text_on_its_way_is_left_alone_until_its_end_is_told(network, desk, new_patient):
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    soon()
    assert redacting.drain() == 0
    assert (desk.state(message), at_the_carrier(desk.now(message).provider_sid)[:18]) == ("sent", "See you on Monday.")
    desk.callback(network.accepted()[0]["status_callback"], "delivered", desk.now(message).provider_sid)
    network.settled(desk.now(message).provider_sid, "delivered")
    assert after(timedelta(minutes=2)) == 1


def test_a_try_that_the_carrier_let_fall_is_emptied_though_its_text_is_tried_again(network, desk, new_patient):
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    sid = desk.now(message).provider_sid
    network.settled(sid, "delivered")
    desk.callback(network.accepted()[0]["status_callback"], "failed", sid, 30022)
    soon()
    assert (redacting.drain(), desk.state(message), at_the_carrier(sid)) == (1, "queued", "")


def test_after_a_day_without_news_the_carrier_is_asked_all_the_same(network, desk, new_patient):
    message = desk.text(new_patient())
    deliver.deliver("bulk")
    network.settled(desk.now(message).provider_sid, "delivered")
    assert (desk.state(message), after()) == ("sent", 1)


def test_what_is_gone_at_the_carrier_is_done_with(network, clinic):
    twilio.gateway()._client.messages(said(network, clinic)).delete()
    assert (after(), owed()) == (1, [])


def test_what_the_carrier_refuses_is_asked_for_more_and_more_seldom(network, clinic, desk, new_patient):
    message = desk.text(new_patient(number="+12015550199"))  # a number whose texts never come to an end
    deliver.deliver("bulk")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, message.id).state = "delivered"
    came = said(network, clinic)
    soon()
    assert (redacting.drain(), at_the_carrier(came)) == (1, "")
    (refused,) = owed()
    assert (refused.last_error, refused.attempts) == ("refused with 20009", 1)
    assert clock.now() < refused.try_after < clock.now() + timedelta(seconds=3)
    for tries in (2, 3):
        with time_machine.travel(owed()[0].try_after + timedelta(milliseconds=1), tick=False):
            redacting.drain()
            assert owed()[0].attempts == tries
            assert owed()[0].try_after == clock.now() + timedelta(seconds=2**tries)


@pytest.mark.parametrize("status", ["429", "500", "503"])
def test_a_carrier_that_cannot_now_is_let_alone_and_no_text_pays_for_it(network, clinic, status):
    sids = [said(network, clinic, f"text {number}") for number in range(3)]
    network.faults({"redact": status})
    assert after() == 0
    assert [(row.attempts, row.lease_until, row.last_error) for row in owed()] == [(0, None, None)] * 3
    with db.unit_of_work(db.EVERY) as session, time_machine.travel(clock.now() + DAYS, tick=False):
        assert redacting.oldest(session, clock.now()) is None
    assert network.ask("GET", "/sim/faults")["rules"][0]["applied"] == 1
    network.faults()
    assert after() == 0  # for a minute
    runtime.once("redacting.rest", dict)["until"] = 0.0
    assert (after(), {at_the_carrier(sid) for sid in sids}) == (3, {""})


def test_while_the_carrier_lets_a_sender_wait_it_is_not_asked(network, clinic):
    said(network, clinic)
    with db.unit_of_work(db.EVERY) as session:
        circuits.learn(session, clinic.id, taken=0, not_now=1, in_doubt=0)
    assert after() == 0
    with db.unit_of_work(db.EVERY) as session:
        circuits.learn(session, clinic.id, taken=1, not_now=0, in_doubt=0)
    assert after() == 1


def test_while_a_restored_clinic_learns_from_the_carriers_list_the_list_keeps_its_words(network, clinic):
    sid = said(network, clinic)
    with db.unit_of_work(db.EVERY) as session:
        holding.begin(session, clock.now() - timedelta(days=1))
    assert (after(), at_the_carrier(sid)) == (0, "I sleep badly")
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(RestoredSpan).values(state="over"))
    assert (after(), at_the_carrier(sid)) == (1, "")


def test_a_text_that_we_do_not_have_keeps_its_words(network, clinic):
    lost = str(network.ask("POST", f"/sim/phones/{PHONE}/messages", {"body": "help", "to": clinic.number})["sid"])
    assert (after(), at_the_carrier(lost)) == (0, "help")


def test_where_the_operator_says_so_the_carrier_keeps_everything(network, clinic, monkeypatch):
    monkeypatch.setattr(runtime, "_settings", runtime.settings().model_copy(update={"carrier_keeps_hours": None}))
    sid = said(network, clinic)
    with db.unit_of_work(db.EVERY) as session:
        assert redacting.oldest(session, clock.now() + DAYS) is None
        assert redacting.overdue(session, clock.now() + DAYS) == (0, None)
    assert (after(), at_the_carrier(sid)) == (0, "I sleep badly")


def test_what_should_be_gone_and_is_not_is_counted_for_the_operator(network, clinic):
    said(network, clinic)
    (copy,) = owed()
    with db.unit_of_work(db.EVERY) as session:
        assert redacting.overdue(session, clock.now() + DAYS) == (0, None)
        assert redacting.overdue(session, clock.now() + DAYS + timedelta(hours=1)) == (1, copy.taken_at)
        much_later = clock.now() + timedelta(days=30)
        assert redacting.oldest(session, much_later) == much_later - LOOKS


def test_a_sid_that_was_given_to_the_wrong_try_is_owed_once(network, desk, new_patient):
    first, second = (desk.text(new_patient(), "Equal words.") for _ in range(2))
    deliver.deliver("bulk")
    (taken, other) = (desk.attempts(message)[0] for message in (first, second))
    with db.unit_of_work(db.EVERY) as session:
        deliver._take_back(session, {taken.provider_sid: other.id})
        session.get_one(Attempt, other.id).provider_sid = None
        session.flush()
        session.execute(delete(CarrierCopy).where(CarrierCopy.sid == other.provider_sid))
        deliver.accepted(session, session.get_one(Attempt, other.id), str(taken.provider_sid))
    assert [(row.sid, row.message_id) for row in owed()] == [(taken.provider_sid, second.id)]


EMPTYING = """
from config import queue, runtime, settings
from messaging.delivery import redacting
from service import start
runtime.configure(settings.load())
queue.use_lanes(start.every_lane)
redacting.BATCH = 1000
redacting.drain()
"""


@both
def test_killed_in_the_middle_nothing_is_forgotten_and_nothing_asked_for_in_vain(network, clinic):
    sids = [said(network, clinic, f"text {number}") for number in range(40)]
    soon()
    process = subprocess.Popen([sys.executable, "-c", EMPTYING], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    try:
        until(lambda: at_the_carrier(sids[0]) == "", "the first text to be emptied")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE)
    assert len(owed()) == 40  # the carrier had done some of it, and nobody had written that down
    assert after(timedelta(minutes=6)) == 40
    assert (owed(), {at_the_carrier(sid) for sid in sids}) == ([], {""})
