"""Why a patient stands in the list: each reason with its own time and evidence, and who is on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db
from messaging.inbox import item_state, items, on_it, views
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Message, Staff
from web import team, times, words
from web.presenters import attention, item_marks


@dataclass(frozen=True)
class Reason:
    """One item of the patient that is not done. `quote` is what they wrote, None where the summary says it all.

    `stands` says that it is in progress or sleeps, `open` that it is the one whose page this is.
    """

    id: UUID
    kind: str
    tone: str
    mark: times.Mark | None
    summary: str
    quote: str | None
    came: str
    stands: str
    open: bool


@dataclass(frozen=True)
class Reasons:
    """The patient's reasons, the most urgent first, and what is said over all of them.

    `together` are the items that one act takes together. `on_it` says who is on it and until when, `over` whose time is
    over; `asked` that it came to the reader by escalation. Each is empty where it is not so.
    """

    listed: Sequence[Reason]
    together: Sequence[UUID]
    on_it: str
    over: str
    asked: str


def read(session: Session, clinic: Clinic, staff: Staff, item: InboxItem, *, readable: bool) -> Reasons:
    """Return the reasons that stand beside `item`, and it among them unless it is done."""
    now = clock.now()
    beside = views.beside(session, clinic.id, [item.thread_id])[item.thread_id]
    db.load_keys(session, (each.key_id for each in beside))
    quotes = _quotes(session, beside) if readable else {}
    named = [each for each in beside if each.held_by or each.escalated_at]
    names = team.names(session, (staff_id for each in named for staff_id in (each.held_by, each.owner_id)))
    told = views.told_at(session, staff, [each.id for each in beside if each.escalated_at])
    return Reasons(
        listed=[_reason(each, each.id == item.id, quotes, now, clinic.zone, readable=readable) for each in beside],
        together=[each.id for each in together(item, beside)],
        on_it=attention.on_it(on_it.latest(beside, now), names, staff, clinic.zone),
        over=attention.over(item, names, staff, clinic.zone),
        asked=attention.came_to(item, told, names, staff, clinic.zone),
    )


def together(item: InboxItem, beside: Sequence[InboxItem]) -> list[InboxItem]:
    """Return which of the patient's items one act takes together with `item`, itself first: what is owed a person."""
    if item.kind not in items.NEEDS_ACKNOWLEDGEMENT:
        return [item]
    others = [each for each in beside if each.id != item.id and belongs(each, item)]
    return [item, *others]


def leads(item: InboxItem, reasons: Reasons) -> bool:
    """Whether a case begins with what is to be done, and not with what was said."""
    return item.state != "done" and (item_state.is_owed(item) or item.kind != "reply" or len(reasons.listed) > 1)


def belongs(each: InboxItem, item: InboxItem) -> bool:
    """Whether an item of the same patient goes with `item`: both owed a person, both answered or neither."""
    alike = (each.acknowledged_at is None) == (item.acknowledged_at is None)
    same = each.thread_id == item.thread_id and each.state in ("open", "claimed")
    return same and alike and each.kind in items.NEEDS_ACKNOWLEDGEMENT


def _reason(
    item: InboxItem, is_open: bool, quotes: dict[str, str], now: datetime, zone: str, *, readable: bool
) -> Reason:
    kind, quote = words.say("kinds", item.kind), quotes.get(item.about)
    return Reason(
        id=item.id,
        kind=kind,
        tone=item_marks.tone(item, now, zone),
        mark=item_marks.until(item, now, zone),
        summary=(item.summary or kind) if readable or item_marks.is_notice(item) else kind,
        quote=quote if quote != item.summary else None,
        came=times.moment(item.created_at, now, zone, running=True),
        stands=item_marks.stands(item, now, zone),
        open=is_open,
    )


def _quotes(session: Session, beside: Sequence[InboxItem]) -> dict[str, str]:
    """Return what patients wrote, by what an item is about; one query."""
    ids = [UUID(each.about.partition(":")[2]) for each in beside if each.about.startswith("message:")]
    if not ids:
        return {}
    found = session.scalars(select(Message).where(Message.id.in_(ids), Message.direction == "in")).all()
    db.load_keys(session, (message.key_id for message in found))
    return {f"message:{message.id}": message.body for message in found if message.body}
