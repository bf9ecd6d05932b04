"""What is to be seen from outside when a run is over: the carrier's own record, and the rows of the database."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import audit, clock, db, keys
from intake_links import alert_audit
from intake_links.models import Screen
from messaging.inbox.models import InboxItem, Timer
from messaging.models import Attempt, ConsentEntry, Message, Patient
from reminders.models import Appointment, Reminder
from tools.faults.acting import network
from tools.faults.stage import Stage
from tools.faults.traffic import CANARY
from webhooks.models import Receipt

TOKEN = re.compile(r"/webhooks/twilio/status/([^/#?]+)")
ITEM = re.compile(r"/inbox/([0-9a-f-]{36})")
IN_FLIGHT = ("queued", "sending", "unknown")


@dataclass(frozen=True)
class Sending:
    """A text that the carrier has taken: to whom, when, of which row of ours, and of which item it speaks to staff."""

    to: str
    at: datetime
    message_id: UUID | None
    item_id: UUID | None


@dataclass(frozen=True)
class Item:
    """An inbox item: whose, about what, and whether somebody will be asked if nobody answers."""

    id: UUID
    kind: str
    patient: int | None
    about: str
    climbs: bool


@dataclass
class Evidence:
    """Everything that the oracles look at; patients by their place in the plan, times as they really were."""

    receipts: Counter[str] = field(default_factory=Counter)
    received_at: dict[str, datetime] = field(default_factory=dict)
    texts_in: Counter[str] = field(default_factory=Counter)
    screens: dict[str, list[UUID]] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    kinds: dict[UUID, str] = field(default_factory=dict)
    sendings: list[Sending] = field(default_factory=list)
    reminders: dict[int, list[str]] = field(default_factory=dict)
    revoked: dict[int, datetime] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    unproved: list[str] = field(default_factory=list)
    broken_chain: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)


def gather(stage: Stage) -> Evidence:
    """Look at everything but the audit chain and the leaks. Raises SQLAlchemyError while the database is away."""
    found = Evidence()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        patients = _patients(session)
        _received(session, found, stage.clock.right)
        _opened(session, found, patients)
        _planned(session, found, patients)
        _revoked(session, found, patients, stage.clock.right)
        found.waiting = under_way(session)
        found.kinds = dict(session.execute(select(Message.id, Message.kind)).all())
        found.unproved = [f"screen {row.screen_id}" for row in alert_audit.rows(session) if row.item_id is None]
        by_token = dict(session.execute(select(Attempt.token_hash, Attempt.message_id)).all())
    found.sendings = [_sending(text, by_token) for text in network(stage, "GET", "/sim/messages")["messages"]]
    return found


def look_deeper(stage: Stage, found: Evidence) -> None:
    """Verify the audit chain, and look for patients' words where none may be: in the log and in Valkey."""
    audit.seal()
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        for head in session.scalars(select(audit.AuditHead)).all():
            found.broken_chain += list(audit.verify(session, head.clinic_id))
    for name, content in (("the log", stage.log.read_bytes()), ("Valkey", stage.remembered())):
        if CANARY.encode() in content or b"+1303555" in content:
            found.leaks.append(name)


def _patients(session: Session) -> dict[UUID, int]:
    rows = session.scalars(select(Patient)).all()
    db.load_keys(session, {row.key_id for row in rows})
    return {row.id: int(row.record or "-1") for row in rows}


def _received(session: Session, found: Evidence, right: Callable[[datetime], datetime]) -> None:
    receipts = select(Receipt.event, Receipt.received_at).where(Receipt.source == "twilio.sms")
    for event, at in session.execute(receipts):
        found.receipts[event] += 1
        found.received_at[event] = right(at)
    texts = select(Message.provider_sid).where(Message.direction == "in")
    found.texts_in = Counter(sid or "" for sid in session.scalars(texts))
    for screen in session.execute(select(Screen.event, Screen.id)):
        found.screens.setdefault(screen.event, []).append(screen.id)


def _opened(session: Session, found: Evidence, patients: dict[UUID, int]) -> None:
    climbing = set(session.scalars(select(Timer.item_id).where(Timer.state == "waiting")))
    for item in session.scalars(select(InboxItem)):
        settled = item.acknowledged_at is not None or item.exhausted_at is not None or item.state == "done"
        whose = patients.get(item.patient_id) if item.patient_id else None
        found.items.append(Item(item.id, item.kind, whose, item.about, settled or item.id in climbing))


def _planned(session: Session, found: Evidence, patients: dict[UUID, int]) -> None:
    visits = dict(session.execute(select(Appointment.id, Appointment.patient_id)).all())
    for reminder in session.scalars(select(Reminder).where(Reminder.step == "24h")):
        whose = patients[visits[reminder.appointment_id]]
        found.reminders.setdefault(whose, []).append(reminder.state)


def _revoked(
    session: Session, found: Evidence, patients: dict[UUID, int], right: Callable[[datetime], datetime]
) -> None:
    for line in session.scalars(select(ConsentEntry).where(ConsentEntry.event == "revoked")):
        if line.patient_id:
            whose = patients[line.patient_id]
            found.revoked[whose] = min(right(line.at), found.revoked.get(whose, right(line.at)))


def under_way(session: Session) -> list[str]:
    """Return what is still under way; when nothing is, nothing more will come of itself."""
    now = clock.now()
    questions = {
        "receipts": select(func.count()).select_from(Receipt).where(Receipt.state == "received"),
        "texts": select(func.count())
        .select_from(Message)
        .where(
            Message.direction == "out",
            Message.state.in_(IN_FLIGHT),
            Message.offered_until.is_(None) | (Message.offered_until < now),
        ),
        "reminders": select(func.count())
        .select_from(Reminder)
        .where(Reminder.state == "planned", Reminder.try_after <= now),
        "timers": select(func.count()).select_from(Timer).where(Timer.state == "waiting", Timer.try_after <= now),
    }
    counts = {name: session.scalar(question) or 0 for name, question in questions.items()}
    return [f"{count} {name} still under way" for name, count in counts.items() if count]


def _sending(text: dict[str, str], by_token: dict[bytes, UUID]) -> Sending:
    token, item = TOKEN.search(text["status_callback"] or ""), ITEM.search(text["body"])
    message_id = by_token.get(keys.token_hash(token[1])) if token else None
    return Sending(text["to"], datetime.fromisoformat(text["at"]), message_id, UUID(item[1]) if item else None)
