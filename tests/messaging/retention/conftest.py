"""A clinic with texts of many years, and verbs that a test would repeat."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select

from config import db, logging
from messaging import conversations
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient
from messaging.retention import daily_sweep, what_ages
from messaging.retention.models import Keeping

# A Tuesday in March, 9:00 in Denver.
NOW = datetime(2033, 3, 8, 16, tzinfo=UTC)
DAY = timedelta(days=1)
SHELVES: dict[str, what_ages.Shelf] = {"message": what_ages.texts, "inbox_item": what_ages.items}


@dataclass
class Archive:
    """What was said at a clinic over the years; each verb is a transaction of its own at the moment given."""

    clinic: Clinic
    serial: Iterator[int] = field(default_factory=count)

    def text(self, patient: Patient, at: datetime, body: str = "I feel low today", **more: Any) -> Message:
        """File a text from a patient that came at `at`; `more` are columns."""
        with time_machine.travel(at, tick=False), db.unit_of_work(self.clinic.id) as session:
            number = session.get_one(Patient, patient.id).numbers[0].number or ""
            talk = conversations.of_number(session, self.clinic, number)
            message = conversations.file_inbound(
                session,
                self.clinic,
                talk,
                body=body,
                provider_sid=f"SM{next(self.serial)}",
                reading=["crisis.x"],
            )
            for name, value in more.items():
                setattr(message, name, value)
            return message

    def item(self, patient: Patient, at: datetime, *, done: bool, **more: Any) -> InboxItem:
        """Open an item about a patient, done an hour later or still waiting."""
        with time_machine.travel(at, tick=False), db.unit_of_work(self.clinic.id) as session:
            clinic = session.get_one(Clinic, self.clinic.id)
            name = f"test:{next(self.serial)}"
            fields: dict[str, Any] = {"kind": "reply", "about": name, "dedupe": name, "summary": "feels low"}
            item = items.open_item(session, clinic, patient_id=patient.id, **(fields | more))
            if done:
                item.state, item.done_at = "done", at + timedelta(hours=1)
            return item

    def keep(self, years: int, at: datetime) -> None:
        """Let the clinic keep words for so many years, as if published at `at`."""
        with time_machine.travel(at, tick=False), db.unit_of_work(self.clinic.id) as session:
            clinic = session.get_one(Clinic, self.clinic.id)
            was = daily_sweep.years_of(clinic)
            clinic.rules = {**clinic.rules, daily_sweep.YEARS: years}
            daily_sweep.decide(session, clinic, was)

    def drain(self, at: datetime) -> int:
        """Work the lane off at `at`."""
        with time_machine.travel(at, tick=False):
            return daily_sweep.drain(SHELVES)

    def words(self, *texts: Message) -> list[str | None]:
        """What of these texts is still there to be read."""
        with db.unit_of_work(self.clinic.id, read_only=True) as session:
            return [session.get_one(Message, text.id).body for text in texts]

    def emptied(self) -> set[UUID]:
        """The texts that were emptied."""
        with db.unit_of_work(self.clinic.id, read_only=True) as session:
            return set(session.scalars(select(Message.id).where(Message.emptied_at.is_not(None))))

    def row(self) -> Keeping | None:
        """How far the walk has come."""
        with db.unit_of_work(self.clinic.id, read_only=True) as session:
            return daily_sweep.of_clinic(session, self.clinic.id)


@pytest.fixture
def archive(clinic: Clinic) -> Archive:
    """The archive of one clinic in Denver."""
    logging.configure("critical")
    return Archive(clinic)
