"""After a restore nobody is texted twice, nobody who said STOP is texted at all, and what is still owed is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select

from config import clock, db, runtime
from messaging import outbox
from messaging.consent import ledger
from messaging.delivery import deliver
from messaging.delivery.restored import holding
from messaging.delivery.restored.models import RestoredSpan
from messaging.inbox.models import InboxItem
from messaging.models import Attempt, Clinic, Message, Patient
from reminders import reasons
from reminders.models import Appointment, Reminder
from service import health, migrations
from webhooks import after_restore, jobs, missed_texts

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)
PHONE, OTHER = "+13035550117", "+13035550118"


@dataclass
class Loss:
    """A clinic that has lost what happened since `backed_up_at`, four hours ago, on a clock that stands still."""

    network: Any
    clinic: Clinic
    clock: Any
    backed_up_at: Any

    def pass_by(self, **length: int) -> None:
        """Let time go by."""
        self.clock.shift(timedelta(**length))

    def send(self, text: Message | None = None) -> None:
        """Send what is queued."""
        deliver.deliver("urgent")
        deliver.deliver("bulk")

    def restore(self) -> None:
        """Forget nothing more, and say that the database is as it was then."""
        with db.unit_of_work(db.EVERY) as session:
            holding.begin(session, self.backed_up_at)

    def catch_up(self) -> None:
        """Read what came in, then what left."""
        after_restore.drain()  # it brings the next look forward
        self.pass_by(seconds=30)
        missed_texts.look()
        jobs.drain("urgent")
        jobs.drain("default")
        after_restore.drain()


@pytest.fixture
def loss(network: Any, clinic: Clinic) -> Iterator[Loss]:
    """The clinic as its service is lost. The network's own clock is now, so that the backup lies behind."""
    missed_texts.look()
    with time_machine.travel(clock.now() + timedelta(seconds=5), tick=False) as moved:
        yield Loss(network, clinic, moved, clock.now() - timedelta(hours=4))


def queue(clinic: Clinic, patient: Patient, body: str = "See you on Monday.", **more: Any) -> Message:
    with db.unit_of_work(clinic.id) as session:
        facts = {"kind": "reply", "programme": "care_team", "dedupe": f"test:{body}"} | more
        return outbox.text_patient(session, clinic, patient, body=body, **facts)


def now(message: Message) -> Message:
    with db.unit_of_work(db.EVERY) as session:
        return session.get_one(Message, message.id)


def put_back(message: Message) -> None:
    """Make the message what it was at the backup: queued, and never tried."""
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(Attempt).where(Attempt.message_id == message.id))
        row = session.get_one(Message, message.id)
        row.state, row.provider_sid, row.sent_at, row.attempts, row.try_after = "queued", None, None, 0, row.created_at


def forget(message: Message) -> None:
    """Make the message one that was written after the backup."""
    with db.unit_of_work(db.EVERY) as session:
        session.execute(delete(Attempt).where(Attempt.message_id == message.id))
        session.execute(delete(Message).where(Message.id == message.id))


def span() -> RestoredSpan:
    with db.unit_of_work(db.EVERY) as session:
        return session.scalars(select(RestoredSpan).where(RestoredSpan.state != "gone")).one()


def sent(network: Any, number: str) -> list[str]:
    return [text["body"] for text in network.accepted(number)]


@both
def test_a_text_that_left_after_the_backup_is_not_sent_again(loss, network, new_patient):
    message = queue(loss.clinic, new_patient(number=PHONE))
    loss.send()
    put_back(message)
    loss.restore()
    loss.send()
    assert now(message).state == "queued"  # nothing leaves before the list is read
    loss.catch_up()
    loss.send()
    assert len(sent(network, PHONE)) == 1
    assert now(message).state in ("sent", "delivered")
    assert (span().state, span().found) == ("over", 1)


@both
def test_a_text_the_database_has_forgotten_stands_in_the_conversation(loss, network, new_patient):
    patient = new_patient(number=PHONE)
    forget(queue(loss.clinic, patient, "Bring your pills."))  # the conversation was there
    forgotten = queue(loss.clinic, patient, "The door is round the back.")
    loss.send()
    forget(forgotten)
    loss.restore()
    loss.catch_up()
    with db.unit_of_work(db.EVERY) as session:
        (kept,) = session.scalars(select(Message)).all()
        db.load_keys(session, [kept.key_id])
        assert (kept.body, kept.state, kept.patient_id) == ("The door is round the back.", kept.state, patient.id)
        assert kept.state in ("sent", "delivered")
        assert kept.sent_at is not None


@both
def test_a_stop_said_after_the_backup_is_heard_before_anything_leaves(loss, network, new_patient):
    message = queue(loss.clinic, new_patient(number=PHONE), kind="reminder", programme="reminders")
    network.faults({"inbound": "lose"})
    network.ask("POST", f"/sim/phones/{PHONE}/messages", {"body": "STOP", "to": "+13035550100"})
    loss.restore()
    loss.catch_up()
    loss.send()
    assert now(message).state == "held"
    with db.unit_of_work(db.EVERY) as session:
        states = ledger.state(session, loss.clinic, PHONE)
    assert set(states.values()) == {"revoked"}
    assert sent(network, PHONE) == []


def test_what_was_due_while_the_lost_service_still_sent_and_did_not_leave_is_for_a_human(loss, network, new_patient):
    other = queue(loss.clinic, new_patient(number=OTHER))
    loss.send()
    withdrawn = queue(loss.clinic, new_patient(number=PHONE), "We moved your visit.")
    with db.unit_of_work(db.EVERY) as session:
        row = session.get_one(Message, withdrawn.id)
        row.try_after = row.created_at = clock.now() - timedelta(hours=1)
    loss.restore()
    loss.catch_up()
    loss.send()
    assert sent(network, PHONE) == []
    assert now(withdrawn).state == "held"
    assert now(other).state in ("sent", "delivered")
    with db.unit_of_work(db.EVERY) as session:
        (item,) = session.scalars(select(InboxItem)).all()
        db.load_keys(session, [item.key_id])
        assert "backup was restored" in item.summary


def test_what_was_still_owed_when_the_service_was_lost_leaves_once_the_list_is_read(loss, network, new_patient):
    owed = queue(loss.clinic, new_patient(number=PHONE))
    loss.restore()
    loss.catch_up()
    loss.send()
    assert sent(network, PHONE) == ["See you on Monday."]
    assert now(owed).state in ("sent", "delivered")


def test_while_the_list_cannot_be_read_nothing_leaves_and_readiness_says_so(loss, network, new_patient, monkeypatch):
    monkeypatch.setattr(migrations, "at_head", lambda: True)
    queue(loss.clinic, new_patient(number=PHONE))
    loss.restore()
    with monkeypatch.context() as deaf:
        nowhere = runtime.settings().model_copy(update={"twilio_api_url": "http://127.0.0.1:9"})
        deaf.setattr(runtime, "_settings", nowhere)
        runtime.forget("gateways.twilio")
        loss.catch_up()
        loss.pass_by(minutes=6)
        loss.catch_up()
    runtime.forget("gateways.twilio")
    loss.send()
    assert sent(network, PHONE) == []
    assert any(said.startswith("texts to patients have waited since a restore for 4") for said in health.check())
    loss.pass_by(minutes=1)
    loss.catch_up()
    loss.send()
    assert sent(network, PHONE) == ["See you on Monday."]


@both
def test_what_safety_hangs_on_does_not_wait_for_long(loss, network, new_patient, new_staff):
    patient, colleague = new_patient(number=PHONE), new_staff(number=OTHER)
    old = queue(loss.clinic, patient, "You are not alone.", kind="crisis")
    loss.pass_by(seconds=1)
    loss.restore()
    loss.pass_by(seconds=1)
    with db.unit_of_work(loss.clinic.id) as session:
        outbox.text_staff(session, loss.clinic, colleague, body="A safety item waits.", dedupe="alert")
    fresh = queue(loss.clinic, patient, "You are not alone tonight.", kind="crisis")
    loss.send()
    assert (sent(network, OTHER), sent(network, PHONE)) == (["A safety item waits."], [])
    loss.pass_by(minutes=3)
    loss.send()
    assert sent(network, PHONE) == ["You are not alone tonight."]
    assert (now(old).state, now(fresh).state in ("sent", "delivered")) == ("queued", True)


def test_an_answer_a_rule_gives_anew_is_not_sent_again(loss, network, new_patient):
    patient = new_patient(number=PHONE)
    answer = queue(loss.clinic, patient, "Thank you, we have your text. It was 9:00.", kind="automatic")
    loss.send()
    forget(answer)
    loss.restore()
    loss.pass_by(seconds=1)
    again = queue(loss.clinic, patient, "Thank you, we have your text. It is 10:00.", kind="automatic")
    loss.catch_up()
    loss.send()
    assert len(sent(network, PHONE)) == 1
    assert now(again).state == "cancelled"


def remind(clinic: Clinic, patient: Patient, due: Any, name: str) -> Reminder:
    with db.unit_of_work(clinic.id) as session:
        visit = Appointment(
            clinic_id=clinic.id, patient_id=patient.id, source="test", external_id=name,
            starts_at=due + timedelta(days=1), zone="America/Denver", booked_at=due - timedelta(days=9),
            state="booked", revision=1, created_at=due, updated_at=due,
        )  # fmt: skip
        session.add(visit)
        session.flush()
        reminder = Reminder(
            clinic_id=clinic.id, appointment_id=visit.id, step="day_before", revision=1, state="planned", due_at=due,
            try_after=due, why=[], fence=0, attempts=0,
        )  # fmt: skip
        session.add(reminder)
        return reminder


@both
def test_reminders_that_fell_due_meanwhile_are_not_sent_again(loss, network, new_patient):
    due = clock.now() - timedelta(minutes=30)
    told, untold = new_patient(number=PHONE), new_patient(number=OTHER)
    first, second = remind(loss.clinic, told, due, "V1"), remind(loss.clinic, untold, due, "V2")
    third = remind(loss.clinic, untold, due + timedelta(minutes=25), "V3")
    text = queue(loss.clinic, told, "Tomorrow at 9:00.", kind="reminder", programme="reminders")
    loss.send()
    forget(text)
    loss.restore()
    loss.catch_up()
    with db.unit_of_work(db.EVERY) as session:
        first, second, third = (session.get_one(Reminder, row.id) for row in (first, second, third))
        kept = session.get_one(Message, first.message_id)
        assert (first.state, kept.dedupe.startswith("restored:")) == ("queued", True)
        assert "as the carrier's list shows" in reasons.kept(first.why)[0]
        # The lost service was sending when this one fell due, and did not send it.
        assert (second.state, reasons.kept(second.why)) == (
            "dropped",
            ["dropped: it fell due before a backup was restored, and was not sent then"],
        )
        # When this one fell due it sent nothing more: the rules of lateness decide.
        assert third.state == "planned"


def test_a_clinic_that_was_not_restored_waits_for_nothing(loss, network, new_patient):
    queue(loss.clinic, new_patient(number=PHONE))
    loss.send()
    assert len(sent(network, PHONE)) == 1
