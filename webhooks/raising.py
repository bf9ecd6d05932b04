"""Puts a text that came in before a human: at once when it may speak of a crisis, else as one open reply a conversation."""

import tomllib
from functools import cache
from importlib import resources

from sqlalchemy import select

from messaging.inbox import items
from messaging.inbox.models import InboxItem
from webhooks.inbound import Inbound

LONGEST_SUMMARY = 4_000


@cache
def words() -> dict[str, dict[str, str]]:
    """Return this room's words for staff."""
    return tomllib.loads((resources.files("webhooks") / "texts" / "staff.toml").read_text("utf-8"))


def safety(inbound: Inbound) -> InboxItem:
    """Open the safety item of a text that may speak of a crisis, whoever wrote it, opted out or unknown."""
    return items.open_item(
        inbound.session,
        inbound.clinic,
        kind="safety",
        about=f"message:{inbound.message.id}",
        dedupe=f"crisis:{inbound.message.id}",
        summary=_summary(inbound, "crisis", "crisis_unknown", "crisis_shared"),
        patient_id=inbound.patient.id if inbound.patient else None,
        conversation_id=inbound.conversation.id,
    )


def reply(inbound: Inbound) -> InboxItem:
    """Have a human read the text: added to the open reply of its conversation, whose clock runs on, or a new one."""
    summary = _summary(inbound, "known", "unknown", "shared")
    waiting = _waiting(inbound)
    if waiting is None:
        return items.open_item(
            inbound.session,
            inbound.clinic,
            kind="reply",
            about=f"message:{inbound.message.id}",
            dedupe=f"reply:{inbound.message.id}",
            summary=summary,
            patient_id=inbound.patient.id if inbound.patient else None,
            conversation_id=inbound.conversation.id,
        )
    _add(inbound, waiting, summary)
    return waiting


def add_to_waiting(inbound: Inbound) -> None:
    """Show the text with what already waits of its conversation; where nothing waits, it is only filed."""
    waiting = _waiting(inbound)
    if waiting is not None:
        _add(inbound, waiting, _summary(inbound, "known", "unknown", "shared"))


def _add(inbound: Inbound, waiting: InboxItem, summary: str) -> None:
    waiting.summary = f"{waiting.summary}\n{summary}"[-LONGEST_SUMMARY:]
    if waiting.state == "snoozed":  # it was to sleep until the patient had more to say
        waiting.state, waiting.snoozed_until = "claimed" if waiting.owner_id else "open", None
    items.note_event(inbound.session, waiting, "system:webhooks", "added", message_id=str(inbound.message.id))


def _waiting(inbound: Inbound) -> InboxItem | None:
    """The reply nobody has dealt with yet; one that somebody has acknowledged is not the place for new words."""
    return inbound.session.scalar(
        select(InboxItem)
        .where(
            InboxItem.conversation_id == inbound.conversation.id,
            InboxItem.kind == "reply",
            InboxItem.state != "done",
            InboxItem.acknowledged_at.is_(None),
        )
        .order_by(InboxItem.id)
        .limit(1)
    )


def _summary(inbound: Inbound, one: str, nobody: str, several: str) -> str:
    count = len(inbound.patients)
    form = words()["text"][several if count > 1 else one if count else nobody]
    return form.replace("{count}", str(count)).replace("{words}", _words(inbound))


def _words(inbound: Inbound) -> str:
    body, attached = (inbound.message.body or "").strip(), len(inbound.message.media)
    said = [body] if body else []
    if attached:
        said.append(words()["text"]["media"].replace("{count}", str(attached)))
    return " ".join(said) or words()["text"]["empty"]
