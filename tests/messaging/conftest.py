"""The phone network as a real process, the service's own SDK pointed at it, and verbs that a test would repeat."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select

from config import clock, db
from messaging import outbox
from messaging.delivery import deliver, reconciling
from messaging.inbox.models import InboxItem, ItemEvent, Timer
from messaging.models import Attempt, Clinic, Message, Patient, Staff
from messaging.people import directory


@dataclass
class Desk:
    """A clinic's desk: queues texts, and looks at what became of them, each in a transaction of its own."""

    clinic: Clinic
    serial: Iterator[int] = field(default_factory=count)

    def text(self, patient: Patient, body: str = "See you on Monday.", **more: Any) -> Message:
        """Queue a reminder, unless told otherwise."""
        fields: dict[str, Any] = {
            "kind": "reminder",
            "programme": "reminders",
            "body": body,
            "dedupe": f"text:{next(self.serial)}",
        }
        with db.unit_of_work(self.clinic.id) as session:
            return outbox.text_patient(session, self.clinic, patient, **(fields | more))

    def alert(self, staff: Staff, dedupe: str) -> Message | None:
        """Queue a text to a colleague."""
        with db.unit_of_work(self.clinic.id) as session:
            return outbox.text_staff(session, self.clinic, staff, body="An item waits.", dedupe=dedupe)

    def now(self, message: Message) -> Message:
        """The message as it is now."""
        with db.unit_of_work(db.EVERY) as session:
            return session.get_one(Message, message.id)

    def state(self, *messages: Message) -> Any:
        """The state of a message now, or of several."""
        states = [self.now(message).state for message in messages]
        return states[0] if len(states) == 1 else states

    def attempts(self, message: Message) -> list[Attempt]:
        """Every try to send it, oldest first."""
        with db.unit_of_work(db.EVERY) as session:
            return list(
                session.scalars(select(Attempt).where(Attempt.message_id == message.id).order_by(Attempt.started_at))
            )

    def items(self, kind: str = "delivery") -> list[InboxItem]:
        """What waits for a human."""
        with db.unit_of_work(db.EVERY) as session:
            items = list(session.scalars(select(InboxItem).where(InboxItem.kind == kind)))
            for item in items:
                _ = item.summary  # opened here: it needs its session
            return items

    def item(self, item_id: UUID) -> InboxItem:
        """One item as it is now."""
        with db.unit_of_work(db.EVERY) as session:
            return session.get_one(InboxItem, item_id)

    def events(self, item_id: UUID) -> list[str]:
        """What happened to an item, oldest first."""
        with db.unit_of_work(db.EVERY) as session:
            rows = select(ItemEvent.event).where(ItemEvent.item_id == item_id)
            return list(session.scalars(rows.order_by(ItemEvent.at, ItemEvent.id)))

    def timers(self, item_id: UUID, state: str = "waiting") -> list[Timer]:
        """The timers of an item in a state."""
        with db.unit_of_work(db.EVERY) as session:
            return list(session.scalars(select(Timer).where(Timer.item_id == item_id, Timer.state == state)))

    def alerts(self) -> list[Message]:
        """Every text to a colleague, oldest first."""
        with db.unit_of_work(db.EVERY) as session:
            return list(
                session.scalars(select(Message).where(Message.kind == "staff_alert").order_by(Message.created_at))
            )

    def learn(self, number: str, line: str) -> None:
        """What is known of a number from now on."""
        with db.unit_of_work(self.clinic.id) as session:
            directory.learn_line(session, self.clinic, number, line, "operator")

    def callback(self, address: str, status: str, sid: str, code: int | None = None) -> None:
        """Take in a status as the door for the carrier does, from the address that the text was sent with."""
        with db.unit_of_work(db.EVERY) as session:
            attempt = deliver.attempt_by_token(session, address.rsplit("/", 1)[1])
            assert attempt is not None
            deliver.record_status(session, attempt, status, sid, code)


@pytest.fixture
def desk(clinic: Clinic) -> Desk:
    """The desk of the clinic."""
    return Desk(clinic)


@pytest.fixture
def at() -> Callable[[datetime], Any]:
    """Travel to a moment that stands still."""
    import time_machine

    return lambda moment: time_machine.travel(moment, tick=False)


@pytest.fixture
def later() -> Callable[[float], None]:
    """Reconciles and delivers so many seconds from now; the clock stands still meanwhile."""

    def later(seconds: float, lane: str = "bulk") -> None:
        with time_machine.travel(clock.now() + timedelta(seconds=seconds), tick=False):
            reconciling.reconcile()
            deliver.deliver(lane)

    return later


@pytest.fixture
def lost_key(clinic: Clinic) -> UUID:
    """The id of a key whose wrapping does not open, as after a disk error or a hand in the table."""
    lost = db.DataKey(id=db.new_id(), clinic_id=clinic.id, wrapped_by=clinic.key_id, created_at=clock.now())
    lost.wrapped = b"\x01" + b"x" * 60
    with db.unit_of_work(db.EVERY) as session:
        session.add(lost)
    return lost.id
