"""What a person says of a text that may be a crisis: crisis, worry, neither, or that they cannot tell."""

from typing import Literal, get_args

from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox import item_state, items
from messaging.inbox.models import URGENCY, InboxItem, ItemEvent
from messaging.inbox.routing import assign, topics
from messaging.models import Clinic, Message, Staff
from messaging.second_reading import keeping
from messaging.second_reading.models import SecondReading

Verdict = Literal["crisis", "worry", "neither", "unclear"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def note(session: Session, clinic: Clinic, staff: Staff, reading: SecondReading, verdict: str) -> None:
    """Keep what this person says of a text. Raises ValueError for anything but a verdict."""
    if verdict not in VERDICTS:
        raise ValueError("choose one of the four")
    reading.verdict, reading.verdict_by, reading.verdict_at = verdict, staff.id, clock.now()
    audit.record(
        session,
        clinic.id,
        audit.Actor.staff(staff.id),
        "second_reading.verdict",
        f"second_reading:{reading.id}",
        verdict=verdict,
    )


def give(
    session: Session, clinic: Clinic, staff: Staff, item: InboxItem, reading: SecondReading, verdict: str
) -> ItemEvent:
    """Say it of the item that the text led to. "crisis" makes it a safety item with its alarm; "neither" of each worry
    in it makes it an ordinary reply again. No verdict acknowledges anything. Raises ValueError for anything else."""
    note(session, clinic, staff, reading, verdict)
    before = item_state.read(session, item)
    if verdict == "crisis" and item.kind != "safety":
        _alarm(session, item, reading)
    elif topics.is_worry(item.reason) and item.state != "done" and not keeping.worries(session, item):
        _calm(session, clinic, item)
    return items.write_down(session, item, staff, f"read_{verdict}", before)


def _alarm(session: Session, item: InboxItem, reading: SecondReading) -> None:
    """Make it a safety item as if it had come in now: nobody has answered it, its owner is told, and it escalates.

    It is about the very text that was called a crisis, whatever the item began with.
    """
    item.about = f"message:{reading.message_id}"
    item.kind, item.urgency = "safety", URGENCY["safety"]
    item.state = "open" if item.owner_id is None else "claimed"
    item.role, item.topic, item.disposition = None, None, None
    item.acknowledged_at, item.acknowledged_by, item.done_at, item.done_by = None, None, None, None
    item.snoozed_until, item.snoozed_for = None, None
    item.level, item.notified_at, item.escalated_at, item.exhausted_at = 0, None, None, None
    items.cancel_timers(session, item)
    items.set_timer(session, item, "route", clock.now())
    items.set_clock(session, item, items.fresh_deadline(session, item))


def _calm(session: Session, clinic: Clinic, item: InboxItem) -> None:
    """Give it the place and the time of an ordinary reply, from when it came in."""
    reason = [each for each in item.reason if each not in topics.WORRIES]
    item.reason = [topics.CALLED_NEITHER, *reason]
    item.urgency = items.urgency_of(item.kind, item.reason)
    if item.acknowledged_at is None and item.state != "snoozed":
        rules = assign.Rules.of(clinic.rules)
        items.set_clock(session, item, assign.answer_by(item.kind, item.created_at, rules, reason=item.reason))


def of_sample(session: Session, clinic: Clinic, staff: Staff, reading: SecondReading, verdict: str) -> InboxItem | None:
    """Say it of a text of the weekly sample. One that both readers missed is put before the care team at once, as a
    safety item or a worry; return that item. Raises ValueError for anything but a verdict."""
    note(session, clinic, staff, reading, verdict)
    if verdict not in ("crisis", "worry"):
        return None
    text = session.get_one(Message, reading.message_id)
    db.load_keys(session, {text.key_id, clinic.key_id})
    item = items.open_item(
        session,
        clinic,
        kind="safety" if verdict == "crisis" else "reply",
        about=f"message:{text.id}",
        dedupe=f"sample:{text.id}",
        summary=items.words()["summaries"]["missed"].replace("{words}", text.body or ""),
        patient_id=text.patient_id,
        conversation_id=text.conversation_id,
        reason=[topics.MISSED] if verdict == "worry" else [],
    )
    reading.item_id = item.id
    return item
