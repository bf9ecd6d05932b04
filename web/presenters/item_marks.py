"""How an item stands, for rows and cases: its clock as a mark, its colour, and that it is in hand."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from interchange import feeds
from messaging.event_webhooks import telling
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from messaging.second_reading import watching
from records.writing import telling_of_refusals
from web import times, words

ADMINISTRATORS = tuple(f"{each.ABOUT}:" for each in (watching, feeds, telling, telling_of_refusals))


def kind_words(item: InboxItem) -> str:
    """Return what an item is called: what came of no patient is the administrator's."""
    return words.say("kinds", "notice" if is_notice(item) else item.kind)


def is_notice(item: InboxItem) -> bool:
    """Whether an item came of no patient: it holds no word of one, and its administrator reads what it says."""
    return item.patient_id is None and item.about.startswith(ADMINISTRATORS)


def mark(item: InboxItem, now: datetime, zone: str) -> times.Mark | None:
    """Return the deadline's mark; an item that is acknowledged or done has no clock any more."""
    if item.state == "done" or item.acknowledged_at is not None:
        return None
    return times.mark(safety=item.kind == "safety", answer_by=item.answer_by, now=now, zone=zone)


def until(item: InboxItem, now: datetime, zone: str) -> times.Mark | None:
    """Return the mark of an item: its deadline, or when it comes back."""
    if item.state == "snoozed" and item.snoozed_until:
        return times.asleep(item.snoozed_until, now, zone)
    return mark(item, now, zone)


def tone(item: InboxItem, now: datetime, zone: str) -> str:
    """Return the colour of the row's edge: safety until it is acknowledged, then in_hand; soon by its clock; plain."""
    if item.state == "done":
        return "plain"
    if item.kind == "safety":
        return "safety" if item.acknowledged_at is None else "in_hand"
    ticking = mark(item, now, zone) if item.state != "snoozed" else None
    return ticking.tone if ticking else "plain"


def stands(item: InboxItem, now: datetime, zone: str) -> str:
    """Return that an item is in progress, waits for the patient, or sleeps; empty while it waits for somebody here."""
    if item.state == "snoozed" and item.snoozed_until:
        return words.say("stands", "snoozed")
    if item.acknowledged_at is None or item.state == "done":
        return ""
    said = items.dispositions().get(item.disposition or "", "")
    waits = item.disposition == "replied"
    at = times.moment(item.acknowledged_at, now, zone, running=True)
    return words.say("stands", "replied" if waits else "in_progress", said=said.split(":")[0].lower(), at=at)


def worry(stack: Iterable[InboxItem]) -> str:
    """Return that one of these may be a crisis, and how that was read; empty where none is."""
    open_replies = (each.reason for each in stack if each.kind == "reply" and each.state != "done")
    keys = [key for reason in open_replies for key in topics.WORRIES if key in reason]
    return words.say("worries", keys[0]) if keys else ""


def earliest(stack: Sequence[InboxItem], now: datetime, zone: str) -> times.Mark | None:
    """Return the clock of a row: the earliest of what is as grave as what leads it, which its colour says."""
    lead = stack[0]
    alike = [each for each in stack if each.kind == lead.kind and each.rank == lead.rank]
    return until(min(alike, key=lambda each: each.answer_by) if lead.rank == 0 else lead, now, zone)
