"""A clinic's team, and verbs that a test would repeat; each is a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import func, select

from config import clock, db
from messaging import jobs
from messaging.inbox.models import Contact, InboxItem
from messaging.inbox.staff import absences
from messaging.models import Clinic, Message, Patient, Staff
from messaging.team import tasks, thread
from messaging.team.models import Mention


@dataclass
class Team:
    """Colleagues who write to each other about one patient."""

    clinic: Clinic
    rosa: Staff
    ben: Staff
    patient: Patient

    def do(self, act: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do something with rows as they are now, in a transaction."""
        with db.unit_of_work(self.clinic.id) as session:
            db.load_keys(session, {self.clinic.key_id, self.patient.key_id})
            now = lambda each: session.get_one(type(each), each.id) if isinstance(each, db.Base) else each  # noqa: E731
            return act(session, *map(now, given), **{name: now(each) for name, each in named.items()})

    def note(self, words: str = "Call her daughter", author: Staff | None = None, **more: Any) -> Contact:
        """Write a note about the patient."""
        answers = more.pop("answers", None)
        draft = thread.Draft(words, **more)
        return self.do(thread.write, self.clinic, author or self.rosa, self.patient, draft, answers=answers)

    def task(self, title: str = "Call back", owner: Staff | None = None, **more: Any) -> InboxItem:
        """Make a task for `owner`, due in two hours."""
        wanted = tasks.Wanted(title, clock.now() + timedelta(hours=2), owner or self.ben, **more)
        return self.do(tasks.make, self.clinic, self.rosa, wanted)

    def away(self, staff: Staff, cover: Staff | None) -> None:
        """Let somebody be away from now on."""
        now = clock.now()
        self.do(absences.plan, staff, cover, now - timedelta(seconds=1), now + timedelta(hours=8))

    def asked(self) -> list[InboxItem]:
        """Every mention's item, in their order."""
        with db.unit_of_work(self.clinic.id) as session:
            return list(session.scalars(select(InboxItem).where(InboxItem.kind == "mention").order_by(InboxItem.id)))

    def mentions(self) -> list[Mention]:
        """Every mention, in their order."""
        with db.unit_of_work(self.clinic.id) as session:
            return list(session.scalars(select(Mention).order_by(Mention.id)))

    def item(self, item_id: UUID) -> InboxItem:
        """An item as it is now."""
        with db.unit_of_work(self.clinic.id) as session:
            return session.get_one(InboxItem, item_id)

    def contact(self, contact_id: UUID) -> Contact:
        """A note as it is now, opened."""
        with db.unit_of_work(self.clinic.id) as session:
            note = session.get_one(Contact, contact_id)
            _ = note.words
            return note

    def texts(self) -> int:
        """How many texts there are, to anybody."""
        with db.unit_of_work(self.clinic.id) as session:
            return session.scalar(select(func.count()).select_from(Message)) or 0

    @staticmethod
    def drain(after: timedelta = timedelta()) -> None:
        """Let time do its work."""
        with time_machine.travel(clock.now() + after, tick=False):
            jobs.begin_and_end_absences()
            jobs.fire_timers()


@pytest.fixture
def team(clinic: Clinic, new_staff: Callable[..., Staff], new_patient: Callable[..., Patient]) -> Team:
    """Rosa and Ben, care managers, and one patient."""
    return Team(clinic, new_staff("Rosa Delgado"), new_staff("Ben Okafor"), new_patient())
