"""Puts a text that came in before a human: at once when it may speak of a crisis,
else as one open reply a conversation."""

import tomllib
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import cache
from importlib import resources
from uuid import UUID

from sqlalchemy import func, select

from config import audit, clock
from messaging import conversations, outbox
from messaging.contactability import Refusal
from messaging.inbox import escalation, items, snoozing, triage
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import assign, fitting, topics
from messaging.models import Staff
from messaging.second_reading import keeping
from webhooks.inbound_text import Inbound

LONGEST_SUMMARY = 4_000
# Whoever dealt with somebody within this time gets their next words too.
STILL_THEIRS = timedelta(days=30)


@cache
def words() -> dict[str, dict[str, str]]:
    """Return this room's words for staff."""
    return tomllib.loads((resources.files("webhooks") / "texts" / "staff.toml").read_text("utf-8"))


def safety(inbound: Inbound) -> InboxItem:
    """Open the safety item of a text that may speak of a crisis, whoever wrote it, opted out or unknown."""
    item = items.open_item(
        inbound.session,
        inbound.clinic,
        kind="safety",
        about=f"message:{inbound.message.id}",
        dedupe=f"crisis:{inbound.message.id}",
        summary=_cannot_be_texted(inbound)
        + _summary(inbound, "crisis", "crisis_unknown", "crisis_shared", _whole(inbound)),
        patient_id=inbound.patient.id if inbound.patient else None,
        conversation_id=inbound.conversation.id,
        reason=_said_in(inbound),
    )
    keeping.led_to(inbound.session, inbound.message.id, item)
    return item


def _said_in(inbound: Inbound) -> tuple[str, ...]:
    """Say which language the words are in, where the record names another: who is asked must be able to read them."""
    return (topics.said_in(inbound.said_in),) if inbound.said_in else ()


def _cannot_be_texted(inbound: Inbound) -> str:
    """Say that only a call is left, where the number has opted out (perhaps by this very text) or gets no texts."""
    why = outbox.closed(inbound.session, inbound.conversation)
    if inbound.reading.consent == "stop" and inbound.reading.scope in (None, "all"):
        why = Refusal.OPTED_OUT
    return words()["cannot"].get(why.key, "") if why else ""


def reply(inbound: Inbound) -> InboxItem:
    """Have a human read the text: added to the open reply of its conversation, whose clock runs on, or a new one."""
    item = _waiting_or_new(inbound)
    if inbound.tier == "worry":
        keeping.led_to(inbound.session, inbound.message.id, item)
    return item


def _waiting_or_new(inbound: Inbound) -> InboxItem:
    summary = _summary(inbound, "known", "unknown", "shared")
    why = triage.reasons(inbound.session, inbound.conversation.id, inbound.patients, inbound.reading.topics)
    why = (*((topics.of_worry(inbound.tier_why),) if inbound.tier == "worry" else ()), *why, *_said_in(inbound))
    cannot_read = _who_cannot_read(inbound)
    waiting = triage.waiting(inbound.session, inbound.conversation.id, why, cannot_read=cannot_read)
    if waiting is None:
        last = None if _for_the_desk(inbound, why) else _answered_last(inbound, cannot_read)
        return items.open_item(
            inbound.session,
            inbound.clinic,
            kind="reply",
            about=f"message:{inbound.message.id}",
            dedupe=f"reply:{inbound.message.id}",
            summary=summary,
            patient_id=inbound.patient.id if inbound.patient else None,
            conversation_id=inbound.conversation.id,
            owner_id=last,
            reason=[*why, *(["answered_last"] if last else ())],
        )
    append(inbound, waiting, summary)
    why = (*why, *_no_reader(inbound, waiting))
    if why:
        triage.add(inbound.session, waiting, why)
    return waiting


def _who_cannot_read(inbound: Inbound) -> Collection[UUID]:
    """Who has no use for these words: they are in another language than the record says, and somebody here reads it."""
    said_in = inbound.said_in
    return fitting.who_cannot_read(said_in, escalation.team(inbound.session, inbound.clinic)) if said_in else ()


def _no_reader(inbound: Inbound, waiting: InboxItem) -> tuple[str, ...]:
    """Say why more words stay with who has the others and cannot read these: nobody who can is here."""
    owner = inbound.session.get(Staff, waiting.owner_id) if waiting.owner_id and inbound.said_in else None
    return (f"no_reader:{inbound.said_in}",) if owner and inbound.said_in not in owner.languages else ()


def _for_the_desk(inbound: Inbound, why: Sequence[str]) -> bool:
    """Whether this is the front desk's, and not part of a conversation that is under way."""
    rules = assign.Rules.of(inbound.clinic.rules)
    if not topics.for_the_desk(why, rules.topics):
        return False
    since = clock.now() - timedelta(minutes=rules.quiet_after)
    return not conversations.last_words(inbound.session, [patient.id for patient in inbound.patients], since)


def add_to_waiting(inbound: Inbound) -> None:
    """Show the text with what already waits of its conversation; where nothing waits, it is only filed."""
    waiting = triage.waiting(inbound.session, inbound.conversation.id)
    if waiting is not None:
        append(inbound, waiting, _summary(inbound, "known", "unknown", "shared"))


def wake(inbound: Inbound) -> None:
    """Bring back what was set aside until later: the patient has said something that nobody could foresee."""
    patients = [patient.id for patient in inbound.patients]
    snoozing.wake_for_words(
        inbound.session,
        inbound.clinic.id,
        inbound.conversation.id,
        patients,
        message_id=str(inbound.message.id),
    )


def _answered_last(inbound: Inbound, cannot_read: Collection[UUID]) -> UUID | None:
    """The care manager who settled the last reply of this conversation, or has it still, if they are here now and can
    read these words."""
    when = func.coalesce(InboxItem.done_at, InboxItem.acknowledged_at)
    settled = select(func.coalesce(InboxItem.done_by, InboxItem.owner_id)).where(
        InboxItem.conversation_id == inbound.conversation.id,
        InboxItem.kind == "reply",
        when >= clock.now() - STILL_THEIRS,
    )
    last = inbound.session.scalar(settled.order_by(when.desc(), InboxItem.id.desc()).limit(1))
    if last is None or last in cannot_read:
        return None
    team = escalation.team(inbound.session, inbound.clinic)
    here = (
        colleague.id
        for colleague in team
        if colleague.role in assign.OWNERS and colleague.on_duty and colleague.reachable
    )
    return last if last in here else None


def append(inbound: Inbound, waiting: InboxItem, summary: str) -> None:
    """Show more words with an item that waits."""
    waiting.summary = f"{waiting.summary}\n{summary}"[-LONGEST_SUMMARY:]
    items.note_event(
        inbound.session, waiting, audit.Actor.system("webhooks"), "added", message_id=str(inbound.message.id)
    )


def of_colleague(inbound: Inbound, staff: Staff, form: str = "colleague") -> str:
    """Return what a colleague texted, in the words of an item's summary."""
    return words()["text"][form].replace("{name}", staff.name).replace("{words}", _words(inbound))


def _summary(inbound: Inbound, one_patient: str, nobody: str, several: str, said: str = "") -> str:
    if inbound.colleague is not None:
        return of_colleague(inbound, inbound.colleague, "colleague" if one_patient == "known" else "crisis_colleague")
    count = len(inbound.patients)
    form = words()["text"][several if count > 1 else one_patient if count else nobody]
    return form.replace("{count}", str(count)).replace("{words}", said or _words(inbound))


def _whole(inbound: Inbound) -> str:
    """The words with those of the texts that they were read with, in the order in which they were sent."""
    texts = sorted([*inbound.joined, inbound.message], key=lambda text: text.created_at)
    return " / ".join(_words(inbound) if text is inbound.message else text.body or "" for text in texts)


def _words(inbound: Inbound) -> str:
    body, attached = (inbound.message.body or "").strip(), len(inbound.message.media)
    parts = [body] if body else []
    if attached:
        parts.append(words()["text"]["media"].replace("{count}", str(attached)))
    return " ".join(parts) or words()["text"]["empty"]
