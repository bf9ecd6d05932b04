"""Answering a patient: checked, sent or planned once, and never lost when it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import conversations, outbox
from messaging.contactability import Refusal
from messaging.inbox import settle_on_reply
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Conversation, Message, Patient, Staff
from messaging.people import directory
from messaging.wording import text_templates
from web import drafts, ids, times, words
from web.compose import send_times
from web.presenters import composer, conversation_view, known

MOST_SEGMENTS = 10


@dataclass(frozen=True)
class Typed:
    """What was typed, under the id that makes it one text however often it is sent, and what the page says about it.

    `problem` says why it was refused, `proof` which words stop it, `newer` what was written meanwhile. `day` and `at`
    are the moment chosen for later. `put_back` is what was discarded just now.
    """

    body: str
    compose_id: str
    problem: str | None = None
    proof: composer.Proof | None = None
    newer: tuple[Message, ...] = ()
    day: str = ""
    at: str = ""
    put_back: str = ""
    version: str | None = None


@dataclass(frozen=True)
class FirstWords:
    """What a text is written from where nothing is answered: a patient's page. Nothing that waits is settled by it."""

    patient_id: UUID
    kind: ClassVar[str] = "first_words"
    id: ClassVar[None] = None
    conversation_id: ClassVar[None] = None

    @property
    def thread(self) -> str:
        """The thread as InboxItem.thread names it: a draft begun here stands in their cases too."""
        return f"patient:{self.patient_id}"


Source = InboxItem | FirstWords


@dataclass(frozen=True)
class Place:
    """Where a text would go: what it is written from, its conversation if one was begun, its patient if known."""

    item: Source
    conversation: Conversation | None
    patient: Patient | None


def place(session: Session, clinic: Clinic, item: Source) -> Place:
    """Return where a text written from `item` would go."""
    patient = session.get(Patient, item.patient_id) if item.patient_id else None
    return Place(item, conversation_view.of_item(session, clinic, item.conversation_id, patient), patient)


def proofread(session: Session, clinic: Clinic, here: Place, body: str) -> composer.Proof:
    """Read a text for the phone it would go to."""
    number = composer.number_of(session, here.conversation, here.patient)
    return composer.proofread(body, composer.sharing(session, clinic, number))


def send(
    session: Session, clinic: Clinic, staff: Staff, item: Source, form: Mapping[str, str]
) -> tuple[str | None, Typed | None]:
    """Send the text of `form`, or plan it for later. Return a notice, or what was typed with why it was refused.

    Fields: body, compose, seen (the last text on the page), then (next | settle | wait | send | later), day and at for
    later.
    """
    typed = Typed(
        form.get("body", ""),
        str(ids.uuid_of(form.get("compose")) or uuid4()),
        day=form.get("day", ""),
        at=form.get("at", ""),
    )
    here = _held(session, clinic, place(session, clinic, item))
    notice, refused = _send(session, clinic, staff, here, typed, form)
    if refused is None:
        _forget(session, staff, item.thread, typed)
        return notice, None
    return None, replace(refused, version=_remember(session, clinic, staff, here, refused, form.get("version")))


def _held(session: Session, clinic: Clinic, here: Place) -> Place:
    """The conversation, begun if need be and held: who writes at the same moment waits, and then sees what was said."""
    conversation = here.conversation
    if conversation is None and here.patient is not None:
        number = directory.textable_number(session, here.patient)
        conversation = conversations.of_number(session, clinic, number.number or "") if number else None
    if conversation is not None:
        session.refresh(conversation, with_for_update=True)
    return replace(here, conversation=conversation)


def _send(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    here: Place,
    typed: Typed,
    form: Mapping[str, str],
) -> tuple[str | None, Typed | None]:
    proof = proofread(session, clinic, here, typed.body)
    if here.conversation is None:
        return None, replace(typed, problem=words.say("closed", Refusal.NO_NUMBER.key))
    before = message_of(session, clinic, typed.compose_id)
    if before is not None:
        if before.body == proof.text and before.conversation_id == here.conversation.id:
            return "already_sent", None
        # The same form, changed after it had gone out: another text, which the human must see is another one.
        return None, replace(typed, compose_id=str(uuid4()), problem=words.say("refusals", "changed"))
    refused = _refused(session, staff, here.conversation, typed, proof, form)
    at, until, too_early = _moment(session, clinic, here, typed, form)
    if refused is not None or too_early:
        return None, refused or replace(typed, problem=too_early)
    try:
        message = _queue(session, clinic, staff, here, typed, proof.text, at, until)
    except outbox.MayNotText as why:
        return None, replace(typed, problem=words.say("closed", why.reason.key))
    if isinstance(here.item, InboxItem):
        # "Send" alone promises nothing: what they wrote waits for their answer, as with "Send and wait".
        settle = at is None and form.get("then") not in ("wait", "send")
        settle_on_reply.answered(session, here.conversation, staff, settle=settle)
    act = "message.planned" if at else "message.written"
    about = f"message:{message.id}"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), act, about, item=_id(here.item))
    return "planned" if at else "sent", None


def _id(item: Source) -> str | None:
    return str(item.id) if item.id else None


def message_of(session: Session, clinic: Clinic, compose_id: str) -> Message | None:
    """Return the text that a form was sent or planned as, if it was."""
    same = Message.dedupe == drafts.dedupe(compose_id)
    return session.scalar(select(Message).where(Message.clinic_id == clinic.id, same))


def _refused(
    session: Session,
    staff: Staff,
    conversation: Conversation,
    typed: Typed,
    proof: composer.Proof,
    form: Mapping[str, str],
) -> Typed | None:
    if not proof.text:
        return replace(typed, problem=words.say("refusals", "empty"))
    if text_templates.segments(proof.text).segments > MOST_SEGMENTS:
        return replace(typed, problem=words.say("refusals", "too_long"))
    if proof.flags:
        return replace(typed, problem=words.say("refusals", "flagged"), proof=proof)
    if "seen" in form:
        newer = composer.since(session, conversation, staff, ids.uuid_of(form["seen"]))
        if newer:
            return replace(typed, problem=_who_wrote(session, newer), newer=tuple(newer))
    return None


def _who_wrote(session: Session, newer: list[Message]) -> str:
    colleague = next((message.author_id for message in reversed(newer) if message.author_id), None)
    if colleague is None:
        return words.say("refusals", "patient_wrote")
    return words.say("refusals", "somebody_answered", who=session.get_one(Staff, colleague).name)


def the_clock(session: Session, clinic: Clinic, patient: Patient | None) -> send_times.Clock:
    """Return the clock by which a text to this person is planned: theirs, and the clinic's quiet hours."""
    return send_times.Clock(clock.now(), known.zone(clinic, patient), known.open_hours(session, clinic, patient))


def _moment(
    session: Session, clinic: Clinic, here: Place, typed: Typed, form: Mapping[str, str]
) -> tuple[datetime | None, datetime | None, str | None]:
    """The moment chosen and until when the text is of use, both None for now; or why that moment cannot be."""
    if form.get("then") != "later":
        return None, None, None
    by = the_clock(session, clinic, here.patient)
    try:
        at = send_times.moment(typed.day, typed.at, by)
    except ValueError:
        return None, None, words.say("refusals", "moment")
    allowed = send_times.instead(at, by)
    if allowed is not None:
        when = times.moment(allowed, by.now, by.zone, running=True)
        return None, None, words.say("refusals", "quiet_hours", when=when)
    return at, send_times.useful_until(at, by), None


def _queue(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    here: Place,
    typed: Typed,
    body: str,
    at: datetime | None,
    until: datetime | None,
) -> Message:
    refused = composer.refusal(session, here.conversation, here.patient)
    if here.conversation is None or refused:
        raise outbox.MayNotText(refused or Refusal.NO_NUMBER)
    return outbox.text_conversation(
        session,
        clinic,
        here.conversation,
        kind="reply",
        programme="care_team",
        body=body,
        dedupe=drafts.dedupe(typed.compose_id),
        author_id=staff.id,
        at=at,
        expires_at=until,
    )


def _remember(
    session: Session, clinic: Clinic, staff: Staff, here: Place, typed: Typed, known: str | None
) -> str | None:
    """Keep what was refused, so that it outlives this page as well; return the draft's version."""
    seen = composer.latest(session, here.conversation.id) if here.conversation else None
    compose_id = UUID(typed.compose_id)
    thread = here.item.thread
    try:
        draft = drafts.keep(
            session, clinic, staff, thread, typed.body, compose_id=compose_id, seen_id=seen, known=known
        )
    except drafts.NewerDraft:  # another window has other words: they stay, and these are on the page
        return None
    return drafts.version(draft)


def _forget(session: Session, staff: Staff, thread: str, typed: Typed) -> None:
    """What was sent is no draft any more; other words, begun in another window, stay."""
    draft = drafts.find(session, staff, thread)
    if draft is not None and (str(draft.compose_id) == typed.compose_id or draft.body == typed.body):
        drafts.clear(session, staff, thread)


def decide(session: Session, clinic: Clinic, staff: Staff, item: InboxItem, message_id: UUID, act: str) -> bool:
    """Let an automatic text that waits for a colleague go now (`act` send), or not at all (own: they say it themselves;
    skip). False if it has left or is not of this conversation."""
    here = place(session, clinic, item)
    message = session.get(Message, message_id, with_for_update=True)
    if message is None or here.conversation is None or message.conversation_id != here.conversation.id:
        return False
    if message.state != "queued" or message.offered_until is None:
        return False
    if act == "send":
        outbox.send_now(session, message)
    elif not outbox.cancel(session, [message.id]):
        return False
    about = f"message:{message.id}"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), f"message.offered_{act}", about, item=str(item.id))
    return True


def take_back(session: Session, clinic: Clinic, staff: Staff, item: Source, message_id: UUID) -> bool:
    """Take a planned text back and give its words to `staff` as a draft; False if it is not there to be taken back."""
    here = place(session, clinic, item)
    message = session.get(Message, message_id, with_for_update=True)
    if message is None or here.conversation is None or message.conversation_id != here.conversation.id:
        return False
    if message.scheduled_for is None or not outbox.cancel(session, [message.id]):
        return False
    settle_on_reply.unanswered(session, message, staff)
    begun = drafts.find(session, staff, item.thread)
    body = "\n".join(part for part in (begun.body if begun else "", message.body or "") if part)
    seen = composer.latest(session, here.conversation.id)
    drafts.keep(session, clinic, staff, item.thread, body, compose_id=uuid4(), seen_id=seen)
    about = f"message:{message.id}"
    audit.record(session, clinic.id, audit.Actor.staff(staff.id), "message.taken_back", about, item=_id(item))
    return True
