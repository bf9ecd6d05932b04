"""Texts whose webhook never came are found in the carrier's list, once, in time, and never instead of a webhook."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db, runtime
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Message
from webhooks import fields, jobs, missed_texts, receipts
from webhooks.models import InboundCheck, Receipt

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
PHONE = "+13035550117"
Look = Callable[..., None]


@pytest.fixture
def look(network: Any, clinic: Clinic) -> Look:
    """Look at the list so many seconds from now and work on what was found; the clock stands still meanwhile."""

    def look(seconds: float) -> None:
        with time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=False):
            missed_texts.look()
            jobs.drain("urgent")
            jobs.drain("default")

    look(0)
    return look


def _say(network: Any, body: str, phone: str = PHONE, **more: Any) -> str:
    answer = network.ask("POST", f"/sim/phones/{phone}/messages", {"body": body, "to": "+13035550100", **more})
    return str(answer["sid"])


def _all(model: Any) -> list[Any]:
    with db.unit_of_work(db.EVERY) as session:
        rows = list(session.scalars(select(model).order_by(model.id)))
        db.load_keys(session, {row.key_id for row in rows if hasattr(row, "key_id")})
        return rows


def _inbound() -> list[Message]:
    return [message for message in _all(Message) if message.direction == "in"]


@both
def test_a_text_whose_webhook_was_lost_is_in_the_inbox_within_two_minutes(network, look, new_patient):
    new_patient(number=PHONE)
    network.faults({"inbound": "lose"})
    sid = _say(network, "I have a question about my pills")
    look(70)
    (message,), (item,) = _inbound(), _all(InboxItem)
    assert (message.provider_sid, message.body) == (sid, "I have a question about my pills")
    assert "pills" in item.summary
    assert clock.now() - message.created_at < timedelta(seconds=30)  # when it was said, not when it was found
    longest = missed_texts.EVERY + missed_texts.YOUNG + timedelta(seconds=missed_texts.LEASE.total_seconds() / 3)
    assert longest < timedelta(minutes=2)


def test_a_lost_crisis_text_is_urgent(network, look, new_patient):
    new_patient(number=PHONE)
    _say(network, "I want to kill myself tonight")
    look(70)
    assert [item.kind for item in _all(InboxItem)] == ["safety"]
    assert [receipt.lane for receipt in _all(Receipt)] == ["urgent"]


def test_looking_again_and_a_webhook_that_comes_after_all_change_nothing(network, look, clinic):
    sid = _say(network, "Hello, is this the clinic?")
    look(70)
    look(130)
    look(1200)
    form = {"MessageSid": sid, "From": PHONE, "To": clinic.number, "Body": "Hello, is this the clinic?"}
    assert not receipts.receive("twilio.sms", sid, form, clinic=clinic)
    assert len(_inbound()) == len(_all(Receipt)) == len(_all(InboxItem)) == 1


def test_what_a_webhook_brought_is_not_found_again(network, look, clinic):
    sid = _say(network, "Y")
    form = {"MessageSid": sid, "From": PHONE, "To": clinic.number, "Body": "Y"}
    assert receipts.receive("twilio.sms", sid, form, clinic=clinic)
    look(70)
    look(4000)
    assert [receipt.event for receipt in _all(Receipt)] == [sid]


def test_a_text_that_has_just_come_is_left_to_its_webhook(network, look):
    _say(network, "Hello")
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=False):
        with db.unit_of_work(db.EVERY) as session:
            session.scalars(select(InboundCheck)).one().try_after = clock.now()
        missed_texts.look()
    assert _all(Receipt) == []


def test_hundreds_of_lost_texts_are_all_found_though_a_look_is_short(network, look, monkeypatch):
    monkeypatch.setattr(missed_texts, "MOST", 7)
    sids = {_say(network, f"Text {number}") for number in range(30)}
    for seconds in range(70, 1000, 10):  # a carrier that was slow once is asked again a little later
        look(seconds)
        if len(_all(Receipt)) == len(sids):
            break
    assert seconds > 70, "one look was to be too short"
    assert {receipt.event for receipt in _all(Receipt)} == sids
    assert _all(InboundCheck)[0].owed_from is None


def test_after_an_outage_of_days_everything_since_is_read(network, look):
    with db.unit_of_work(db.EVERY) as session:
        check = session.scalars(select(InboundCheck)).one()
        clinic = session.get_one(Clinic, check.clinic_id)
        clinic.created_at = check.looked_until = clock.now() - timedelta(days=5)
    fresh, _ = missed_texts._spans(check, clinic, clock.now())
    assert fresh.since == clinic.created_at
    assert fresh.until > clock.now() - timedelta(minutes=1)


def test_the_last_two_days_are_read_once_an_hour(network, look):
    _say(network, "A text that the list shows late")
    check = _all(InboundCheck)[0]
    with db.unit_of_work(db.EVERY) as session:
        mine = session.get_one(InboundCheck, check.id)
        mine.looked_until = clock.now() + timedelta(hours=1, minutes=30)
        session.scalars(select(Clinic)).one().created_at = clock.now() - timedelta(days=9)
    look(3 * 3600)
    assert len(_all(Receipt)) == 1


def test_while_the_carrier_fails_the_looks_grow_rarer_and_nothing_is_forgotten(look, network, house, monkeypatch):
    _say(network, "Hello")
    good = runtime.settings()
    monkeypatch.setattr(runtime, "_settings", good.model_copy(update={"twilio_api_url": "http://127.0.0.1:9"}))
    runtime.forget("gateways.twilio")
    seconds, waits = 70.0, []
    for _ in range(12):
        look(seconds)
        check = _all(InboundCheck)[0]
        waits.append((check.try_after - clock.now()).total_seconds() - seconds)
        seconds += waits[-1] + 1
    assert waits[0] < 5
    assert 250 < waits[-1] <= 300
    monkeypatch.setattr(runtime, "_settings", good)
    runtime.forget("gateways.twilio")
    look(seconds)
    assert len(_inbound()) == 1


def test_two_tickers_find_a_text_once(network, look, clinic):
    _say(network, "Hello")
    with time_machine.travel(clock.now() + timedelta(seconds=70), tick=False):
        with db.unit_of_work(db.EVERY) as session:
            first = db.claim(session, InboundCheck, missed_texts._ALL)
            assert missed_texts.oldest(session, clock.now()) is None
        assert missed_texts.look() == 0
        (came,) = missed_texts._missing(
            missed_texts.gateway().came(clinic.number, clinic.created_at, clock.now(), 10).texts
        )
        assert missed_texts._keep(clinic, came, []) is not None
        assert missed_texts._keep(clinic, came, []) is None
    assert len(first) == 1


def test_a_clinic_without_a_row_is_due_at_once(house, clinic):
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        assert missed_texts.oldest(session, clock.now()) is not None


def test_a_listed_text_is_kept_with_its_pictures(network, look):
    picture = {"content_type": "image/png", "base64": "iVBORw0KGgo="}
    sid = _say(network, "", media=[picture])
    look(70)
    form = receipts.said(_all(Receipt)[0])
    assert form["NumMedia"] == "1"
    assert form["MediaUrl0"].startswith(f"/Messages/{sid}/Media/ME")


def test_nothing_of_a_patient_stands_in_clear(network, look):
    _say(network, "a secret of mine")
    look(70)
    (receipt,) = _all(Receipt)
    assert b"secret" not in receipt.payload_ct
    assert fields.SENT in receipts.said(receipt)
    assert _all(Conversation)[0].number == PHONE


def test_a_lost_text_that_came_by_the_messaging_service_is_found_too(network, look, clinic, new_patient):
    new_patient(number=PHONE)
    service = "MG" + "b" * 32
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Clinic, clinic.id).messaging_service_sid = service
    network.faults({"inbound": "lose"})
    sids = {
        _say(network, "I want to die", to="rcs:elm_agent", service=service),
        _say(network, "a question by text"),
    }
    _say(network, "to another clinic's agent", to="rcs:oak_agent", service="MG" + "c" * 32)
    look(70)
    look(140)
    assert {message.provider_sid for message in _inbound()} == sids
    assert {conversation.number for conversation in _all(Conversation)} == {PHONE}
    assert [item.kind for item in _all(InboxItem)].count("safety") == 1


def test_a_clock_that_jumped_a_day_ahead_and_back_does_not_stop_the_search(house, clinic):
    from datetime import timedelta

    from webhooks.models import InboundCheck

    missed_texts._begin()
    for what in ("looked_until", "deep_at", "try_after", "lease_until"):
        with db.unit_of_work(db.EVERY) as session:
            (check,) = session.query(InboundCheck)
            check.looked_until = check.deep_at = check.try_after = clock.now() - timedelta(seconds=60)
            setattr(check, what, clock.now() + timedelta(days=1))
            check.fence, before = check.fence + 1, check.fence + 1
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            assert missed_texts.oldest(session, clock.now()) is not None, what
        missed_texts._mistrust_the_future()
        with db.unit_of_work(db.EVERY) as session:
            claims = db.claim(session, InboundCheck, missed_texts._ALL)
            (check,) = db.still_mine(session, InboundCheck, claims)
            assert check.fence == before + 1, what
            spans = missed_texts._spans(check, clinic, clock.now())
            assert all(span.since <= clock.now() for span in spans if span), what
            check.lease_until = None
