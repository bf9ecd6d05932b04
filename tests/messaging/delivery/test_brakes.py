"""Brakes: a kind of a clinic's texts is held back and loses nothing; what safety hangs on is never held."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.delivery import deliver, send_one
from messaging.delivery.brakes import braking, halting
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.jobs import LANES
from messaging.models import Message
from messaging.people import directory

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
WHO = audit.Actor.operator("ada")
# Numbers that the simulated network refuses.
REFUSED = [
    f"+1{area}5550190"
    for area in [
        "201",
        "202",
        "203",
        "205",
        "206",
        "207",
        "208",
        "209",
        "210",
        "212",
        "213",
        "214",
        "215",
        "216",
        "217",
        "218",
        "219",
        "224",
        "225",
        "228",
        "229",
        "231",
        "234",
        "239",
    ]
]


def turned(clinic, act, kind="reminder"):
    with db.unit_of_work(db.EVERY) as session:
        return act(session, clinic.id, kind, WHO)


def waiting(lane: str):
    (found,) = [each for each in LANES if each.name == f"deliver_{lane}"]
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        return found.oldest(session, clock.now())


@both
def test_a_pulled_brake_holds_reminders_until_it_is_released(network, desk, new_patient, clinic):
    message = desk.text(new_patient())
    assert turned(clinic, braking.pull)
    assert deliver.deliver("bulk") == 0
    assert (desk.state(message), waiting("bulk"), network.accepted()) == ("queued", None, [])
    assert turned(clinic, braking.release)
    assert deliver.deliver("bulk") == 1
    assert desk.state(message) == "sent"


@both
def test_it_is_pulled_once_and_written_down(clinic):
    assert [turned(clinic, braking.pull), turned(clinic, braking.pull)] == [True, False]
    assert [turned(clinic, braking.release), turned(clinic, braking.release)] == [True, False]
    with db.unit_of_work(db.EVERY) as session:
        acts = session.scalars(select(audit.AuditEntry.act).where(audit.AuditEntry.act.like("brake.%")))
        assert sorted(acts) == ["brake.pulled", "brake.released"]


def test_other_kinds_and_other_clinics_go_on(network, desk, new_patient, clinic):
    with db.unit_of_work(db.EVERY) as session:
        other = directory.add_clinic(session, name="Elm", zone="America/Denver", number="+14155550100")
    turned(other, braking.pull)
    turned(clinic, braking.pull, "automatic")
    desk.text(new_patient())
    assert deliver.deliver("bulk") == 1


@pytest.mark.parametrize("kind", ["crisis", "staff_alert", "handoff", "stopped"])
def test_what_safety_hangs_on_has_no_brake(clinic, kind):
    with pytest.raises(ValueError, match="never held back"):
        turned(clinic, braking.pull, kind)


def test_with_every_brake_pulled_alerts_and_answers_to_a_crisis_leave(network, desk, new_patient, new_staff, clinic):
    for kind in braking.KINDS:
        turned(clinic, braking.pull, kind)
    crisis = desk.text(new_patient(), kind="crisis", programme="care_team", lane="urgent")
    alert = desk.alert(new_staff("Rosa", number="+13035550150"), "alert")
    assert deliver.deliver("urgent") == 2
    assert desk.state(crisis, alert) == ["sent", "sent"]


def test_a_reply_leaves_where_its_patient_has_an_open_safety_item(network, desk, new_patient, clinic):
    turned(clinic, braking.pull, "reply")
    well, in_danger = new_patient(number="+13035550117"), new_patient(number="+13035550118")
    with db.unit_of_work(clinic.id) as session:
        there = session.merge(clinic)
        items.open_item(
            session, there, kind="safety", about="message:1", dedupe="safety", summary="x", patient_id=in_danger.id
        )
    first, second = (desk.text(each, kind="reply", programme="care_team", lane="urgent") for each in (well, in_danger))
    deliver.deliver("urgent")
    assert desk.state(first, second) == ["queued", "sent"]


def test_a_held_text_whose_time_is_over_is_dropped_and_somebody_is_told(network, desk, new_patient, clinic):
    message = desk.text(new_patient(), expires_at=clock.now() + timedelta(minutes=10))
    turned(clinic, braking.pull)
    assert deliver.deliver("bulk") == 0, "the condition that is built once asks for the time each time"
    with time_machine.travel(clock.now() + timedelta(minutes=11), tick=False):
        deliver.deliver("bulk")
    assert (desk.state(message), network.accepted()) == ("held", [])
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(InboxItem.kind)).all() == ["delivery"]


def test_a_brake_pulled_after_the_claim_is_still_in_time(network, desk, new_patient, clinic):
    message = desk.text(new_patient())
    _, (intent,) = deliver._claim("bulk")
    turned(clinic, braking.pull)
    deliver._land([Now(send_one.send(intent, set()))])
    assert (desk.state(message), network.accepted()) == ("queued", [])
    turned(clinic, braking.release)
    deliver.deliver("bulk")
    assert desk.state(message) == "sent"


class Now:
    """A future that has come."""

    def __init__(self, outcome) -> None:
        self.outcome = outcome

    def result(self):
        return self.outcome


def concluded(desk, new_patient, states: list[str]) -> None:
    """Texts that the carrier has taken, and what became of them."""
    for place, state in enumerate(states):
        message = desk.text(new_patient(number=f"+1303555{100 + place:04}"))
        with db.unit_of_work(db.EVERY) as session:
            deliver._intend(session, [session.get_one(Message, message.id)])
            session.get_one(Message, message.id).state = state


@both
@pytest.mark.parametrize(("failed", "halts"), [(3, False), (4, True)])
def test_a_campaign_halts_when_more_than_15_percent_of_the_last_sends_failed(desk, new_patient, clinic, failed, halts):
    concluded(desk, new_patient, ["failed"] * failed + ["delivered"] * (20 - failed))
    with db.unit_of_work(db.EVERY) as session:
        halting.learn(session, session.scalars(select(Message).limit(1)).one())
        pulled = braking.pulled(session, clinic.id)
        assert bool(pulled) is halts
        if halts:
            assert (pulled["reminder"].failed, pulled["reminder"].out_of) == (failed, 20)
            assert pulled["reminder"].pulled_by == "system:halt"


def test_few_failures_say_nothing(desk, new_patient, clinic):
    concluded(desk, new_patient, ["failed"] * 19)
    with db.unit_of_work(db.EVERY) as session:
        halting.learn(session, session.scalars(select(Message).limit(1)).one())
        assert braking.pulled(session, clinic.id) == {}


def test_a_release_begins_anew(desk, new_patient, clinic):
    concluded(desk, new_patient, ["failed"] * 20)
    with db.unit_of_work(db.EVERY) as session:
        halting.learn(session, session.scalars(select(Message).limit(1)).one())
    assert turned(clinic, braking.release)
    with db.unit_of_work(db.EVERY) as session:
        assert halting.last_sends(session, clinic.id, "reminder") == (0, 0)
        halting.learn(session, session.scalars(select(Message).limit(1)).one())
        assert braking.pulled(session, clinic.id) == {}


def test_alerts_that_fail_halt_nothing(desk, new_staff, clinic, network):
    for place in range(20):
        message = desk.alert(new_staff(f"Rosa {place}", number="+13035550150"), f"alert{place}")
        with db.unit_of_work(db.EVERY) as session:
            session.get_one(Message, message.id).state = "failed"
            halting.learn(session, session.get_one(Message, message.id))
    with db.unit_of_work(db.EVERY) as session:
        assert braking.pulled(session, clinic.id) == {}


def test_a_file_of_numbers_that_fail_halts_its_own_campaign(network, desk, new_patient, clinic):
    """Through the carrier: what it refuses outright counts, and what is left waits."""
    for number in REFUSED:
        desk.text(new_patient(number=number))
    deliver.deliver("bulk")
    with db.unit_of_work(db.EVERY) as session:
        assert list(braking.pulled(session, clinic.id)) == ["reminder"]
    later = desk.text(new_patient(number="+13035550117"))
    deliver.deliver("bulk")
    assert desk.state(later) == "queued"
