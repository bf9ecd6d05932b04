"""What the tests of handoffs share: asking, acting at a moment, and reading how it stands."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import time_machine
from sqlalchemy import select

from config import db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Patient, Staff
from messaging.versions.models import Version
from reminders import handoff_steps, handoffs
from reminders.handoff import standing
from reminders.handoff.terms import Terms
from reminders.models import Handoff, HandoffOffer
from tests.reminders.conftest import NOW, World

PATIENCE = timedelta(minutes=Terms().answer)
NUMBER = "+13035550177"


def ask(world: World, patient: Patient, **facts: str) -> Handoff:
    with db.unit_of_work(db.EVERY) as session:
        given = {"requested_by": "api:front_desk", "place": "Room 4"} | facts
        clinic = session.get_one(Clinic, world.clinic.id)
        return handoffs.request(session, clinic, session.get_one(Patient, patient.id), **given)


def act(verb: Callable[..., object], handoff: Handoff, who: Staff | str) -> Handoff:
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Handoff, handoff.id)
        verb(session, found, session.get_one(Staff, who.id) if isinstance(who, Staff) else who)
        return found


def now_is(handoff: Handoff) -> tuple[Handoff, InboxItem]:
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Handoff, handoff.id)
        item = session.get_one(InboxItem, found.item_id)
        assert item.summary
        return found, item


def asked(handoff: Handoff) -> list[HandoffOffer]:
    """Whom it was offered to, in that order."""
    with db.unit_of_work(db.EVERY) as session:
        return standing.offers(session, handoff)


def being_asked(handoff: Handoff) -> list[object]:
    """Who has not answered yet."""
    return [offer.staff_id for offer in asked(handoff) if offer.answer is None]


def answers(handoff: Handoff) -> dict[object, str | None]:
    """What each colleague who was asked has answered."""
    return {offer.staff_id: offer.answer for offer in asked(handoff)}


def ended(outcome: str) -> Callable[..., object]:
    return lambda session, handoff, actor: handoffs.end(session, handoff, actor, outcome)


def summary_of(handoff: Handoff) -> str:
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(InboxItem, session.get_one(Handoff, handoff.id).item_id)
        return item.summary or ""


def told(staff: Staff) -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(Message).where(Message.staff_id == staff.id).order_by(Message.id))
        return [row.body or "" for row in rows]


def wait(until: datetime) -> None:
    with time_machine.travel(until, tick=False):
        handoff_steps.drain()


def decide(world: World, **terms: Any) -> None:
    """Let the clinic have published these terms."""
    version = Version(
        clinic_id=world.clinic.id, kind="handoffs", state="live", number=1, based_on=0,
        definition=Terms(**terms).model_dump(mode="json"),
        written_by="operator", written_at=NOW, published_by="operator", published_at=NOW,
    )  # fmt: skip
    with db.unit_of_work(db.EVERY) as session:
        session.add(version)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def summaries(handoff: Handoff) -> list[str]:
    """What the open items about a handoff say."""
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(
            select(InboxItem)
            .where(InboxItem.about == f"handoff:{handoff.id}", InboxItem.state != "done")
            .order_by(InboxItem.created_at, InboxItem.id)
        )
        return [row.summary or "" for row in rows]


def accepted(world: World, patient: Patient, **facts: Any) -> tuple[Handoff, Staff, Staff]:
    """A handoff that Ana has accepted and Doctor asked for."""
    doctor, ana = world.staff("Doctor", role="clinician"), world.staff("Ana")
    handoff = ask(world, patient, requested_by=f"staff:{doctor.id}", **facts)
    act(handoffs.accept, handoff, ana)
    return handoff, ana, doctor


def leave(staff: Staff) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, staff.id).active = False
