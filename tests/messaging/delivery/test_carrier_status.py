"""What a carrier's word means: states only go up, and a final failure reaches a human."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from config import db
from messaging.consent import ledger
from messaging.delivery import carrier_status
from messaging.models import Message, Patient

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
SID = "SM" + "7" * 32
QUIET = ("accepted", "queued", "sending", "scheduled", "sent")
SAID = (*QUIET, "delivered", "read", "receiving", "received", "partially_delivered", "nonsense", "")


def sending(desk, new_patient, **facts) -> Message:
    message = desk.text(new_patient(**facts))
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Message, message.id).state = "sending"
    return message


def learn(message: Message, *statuses: str, code: int | None = None) -> list[int]:
    """Take these statuses in; return the rank after each."""
    ranks = []
    for status in statuses:
        with db.unit_of_work(db.EVERY) as session:
            row = session.get_one(Message, message.id)
            carrier_status.learn(session, row, status, SID, code)
            ranks.append(carrier_status.RANK[row.state])
    return ranks


@profile(max_examples=200, deadline=None)
@given(
    statuses=st.lists(st.sampled_from(SAID), max_size=8),
    begin=st.sampled_from(("sending", "unknown", "queued", "sent")),
)
def test_in_any_order_the_highest_rank_wins_and_nothing_goes_down(statuses, begin):
    message = Message(id=db.new_id(), state=begin, provider_sid=None)
    ranks = [carrier_status.RANK[begin]]
    for status in statuses:
        carrier_status.learn(None, message, status, SID, None)  # type: ignore[arg-type]
        ranks.append(carrier_status.RANK[message.state])
    assert ranks == sorted(ranks)
    ranks_said = [
        carrier_status.RANK[carrier_status.STATUSES[status]] for status in statuses if status in carrier_status.STATUSES
    ]
    assert ranks[-1] == max([ranks[0], *ranks_said])


@both
@pytest.mark.parametrize("end", ["delivered", "undelivered", "failed"])
def test_every_order_of_callbacks_ends_the_same(desk, new_patient, house, end):
    for order in permutations(("queued", "sent", end)):
        message = sending(desk, new_patient, number="+13035550117", record=f"R{db.new_id()}")
        ranks = learn(message, *order, code=30003)
        assert ranks == sorted(ranks)
        assert desk.state(message) == end
        assert desk.now(message).provider_sid == SID


def test_the_first_end_stays(desk, new_patient):
    message = sending(desk, new_patient)
    learn(message, "delivered", "failed", "undelivered", code=30003)
    assert desk.state(message) == "delivered"
    assert desk.items() == []


def test_a_text_taken_back_or_held_stays_so(desk, new_patient):
    for state in ("held", "cancelled"):
        message = desk.text(new_patient())
        with db.unit_of_work(db.EVERY) as session:
            session.get_one(Message, message.id).state = state
        learn(message, "sent", "delivered")
        assert desk.state(message) == state


def test_times_are_noted(desk, new_patient):
    message = sending(desk, new_patient)
    learn(message, "sent")
    stored = desk.now(message)
    assert stored.sent_at is not None
    assert stored.delivered_at is None
    learn(message, "delivered")
    assert desk.now(message).delivered_at is not None
    assert desk.now(message).sent_at == stored.sent_at


def test_a_failed_text_is_told_once_however_often_the_carrier_says_so(desk, new_patient):
    message = sending(desk, new_patient)
    learn(message, "undelivered", "undelivered", "failed", code=30003)
    assert len(desk.items()) == 1


@pytest.mark.parametrize(("code", "line"), [(30006, "landline"), (21635, "landline"), (30005, "dead")])
def test_a_callback_teaches_what_a_number_is(desk, new_patient, code, line):
    patient = new_patient()
    message = desk.text(patient)
    learn(message, "sent", "undelivered", code=code)
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Patient, patient.id).numbers[0].line == line


def test_a_21610_from_a_callback_is_an_opt_out_too(desk, new_patient, clinic):
    message = desk.text(new_patient(number="+13035550117"))
    learn(message, "failed", code=21610)
    with db.unit_of_work(clinic.id) as session:
        assert set(ledger.state(session, clinic, "+13035550117").values()) == {"revoked"}


def test_a_phone_switched_off_says_nothing_of_the_number(desk, new_patient):
    patient = new_patient()
    learn(desk.text(patient), "undelivered", code=30003)
    with db.unit_of_work(db.EVERY) as session:
        assert session.get_one(Patient, patient.id).numbers[0].line == "unknown"


def test_an_item_says_why_and_names_nobody(desk, new_patient):
    learn(sending(desk, new_patient), "undelivered", code=30006)
    (item,) = desk.items()
    assert item.summary == "A text could not be delivered: the number is a landline. Please call."


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (20429, "later"),
        (429, "later"),
        (21211, "dead"),
        (21408, "config"),
        (21606, "config"),
        (21610, "opt_out"),
        (21611, "later"),
        (21614, "landline"),
        (20003, "config"),
        (30003, "fail"),
        (30007, "fail"),
        (30034, "config"),
        (99999, "fail"),
    ],
)
def test_every_code_has_its_meaning(code, said):  # Twilio, Error and Warning Dictionary
    assert carrier_status.meaning(code) == said


@pytest.mark.parametrize("why", ["opted out", "inactive"])
def test_a_reminder_nobody_wants_any_more_asks_nobody_to_call(desk, new_patient, why):
    withhold(desk.text(new_patient()), why)
    assert desk.items() == []


@pytest.mark.parametrize("why", ["dead number", "landline", "no number", "expired"])
def test_a_reminder_that_cannot_leave_asks_somebody_to_call(desk, new_patient, why):
    message = desk.text(new_patient())
    withhold(message, why)
    assert desk.state(message) == "held"
    assert len(desk.items()) == 1


@pytest.mark.parametrize("kind", ["reply", "crisis", "handoff"])
def test_what_somebody_waits_for_is_never_held_in_silence(desk, new_patient, kind):
    withhold(desk.text(new_patient(), kind=kind, programme="care_team"), "opted out")
    assert len(desk.items()) == 1


def withhold(message: Message, why: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        carrier_status.withhold(session, session.get_one(Message, message.id), why)
