"""The composer as a page shows it: the draft, what stops it, saved replies, hours to plan for, and what is planned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock
from messaging import outbox
from messaging.inbox.models import InboxItem
from messaging.inbox.routing import topics
from messaging.models import Clinic, Message, Patient, Staff
from messaging.wording import proofreading, saved_replies
from web import drafts, ids, team, times, words
from web.compose import fill_replies, send_reply, send_times
from web.models import Draft
from web.presenters import composer, known


@dataclass(frozen=True)
class Newer:
    """A text that was written while somebody was writing: who wrote it, when, and its words."""

    side: str
    author: str
    at: str
    body: str


@dataclass(frozen=True)
class Planned:
    """A text that goes out later: when, in words, who wrote it; `overtaken` when the patient has written since."""

    id: UUID
    body: str
    author: str
    when: str
    overtaken: bool


@dataclass(frozen=True)
class Offered:
    """An automatic text that waits for whoever is talking with the patient: until when, in words."""

    id: UUID
    body: str
    until: str


@dataclass(frozen=True)
class Later:
    """What can be chosen for later: days and hours as (value, words), those chosen, and whose clock it is."""

    days: list[tuple[str, str]]
    times: list[tuple[str, str]]
    day: str
    at: str
    clock: str


@dataclass(frozen=True)
class Writing:
    """Everything the composer shows beside whether it is open (composer.Composer); `offers` reads saved replies."""

    item_id: UUID | None
    body: str
    compose_id: str
    seen: str
    version: str
    kept: str
    stale: bool
    problem: str | None
    proof: composer.Proof
    newer: list[Newer]
    put_back: str
    settles: bool
    offers: Callable[[], list[fill_replies.Offer]]
    later: Later
    planned: list[Planned]
    offered: list[Offered]


def show(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    here: send_reply.Place,
    whom: known.Known,
    typed: send_reply.Typed | None,
) -> Writing:
    """Return the composer of a place for `staff`: with what was `typed` just now, else with the draft that was kept."""
    item, draft = here.item, drafts.find(session, staff, here.item.thread)
    mine = typed or _from(draft)
    proof = mine.proof or composer.proofread(mine.body, _sharing(session, clinic, whom))
    scheduled, waiting = outbox.kept_back(session, here.conversation.id) if here.conversation else ([], [])
    stale = typed is None and _behind(session, staff, here, draft)
    return Writing(
        item_id=item.id,
        body=mine.body,
        compose_id=mine.compose_id,
        seen=str(whom.newest or ""),
        version=mine.version if mine.version is not None else drafts.version(draft),
        kept=times.time_of(draft.updated_at, clinic.zone) if draft is not None else "",
        stale=stale,
        problem=mine.problem,
        proof=proof,
        newer=_newer(session, mine.newer, here.patient, clinic.zone),
        put_back=mine.put_back,
        settles=isinstance(item, InboxItem) and item.kind == "reply" and item.state != "done",
        offers=partial(offers, session, clinic, staff, here, item),
        later=_later(send_times.Clock(clock.now(), whom.zone, whom.open_hours), mine, clinic),
        planned=_planned(session, whom.zone, scheduled),
        offered=_offered(clinic, waiting),
    )


def _sharing(session: Session, clinic: Clinic, whom: known.Known) -> list[Patient]:
    """Who shares the phone; where it is known to be one person's nobody is looked for."""
    if not whom.phone_may_be_shared:
        return []
    return composer.sharing(session, clinic, composer.number_of(session, whom.conversation, whom.patient))


def offers(
    session: Session, clinic: Clinic, staff: Staff, here: send_reply.Place, item: send_reply.Source
) -> list[fill_replies.Offer]:
    """Return the saved replies that `staff` may use, filled for who reads them; a page asks when it shows them."""
    shared = bool(composer.sharing(session, clinic, composer.number_of(session, here.conversation, here.patient)))
    return fill_replies.offers(session, clinic, staff, here.patient, shared=shared, said_in=_said_in(item))


def _said_in(item: send_reply.Source) -> str | None:
    return topics.language(item.reason) if isinstance(item, InboxItem) else None


def _from(draft: Draft | None) -> send_reply.Typed:
    if draft is None:
        return send_reply.Typed("", str(uuid4()))
    return send_reply.Typed(draft.body or "", str(draft.compose_id))


def _behind(session: Session, staff: Staff, here: send_reply.Place, draft: Draft | None) -> bool:
    """Whether a draft was written before something that was said since."""
    if draft is None or here.conversation is None:
        return False
    return bool(composer.since(session, here.conversation, staff, draft.seen_id))


def _later(by: send_times.Clock, typed: send_reply.Typed, clinic: Clinic) -> Later:
    day, at = send_times.usual(by)
    elsewhere = times.time_of(by.now, by.zone) if by.zone != clinic.zone else ""
    return Later(
        send_times.days(by),
        send_times.times(by),
        typed.day or day,
        typed.at or at,
        words.say("text_later", "theirs", time=elsewhere) if elsewhere else words.say("text_later", "ours"),
    )


def _newer(session: Session, messages: tuple[Message, ...], patient: Patient | None, zone: str) -> list[Newer]:
    names = team.names(session, (message.author_id for message in messages))
    them = (patient.first_name if patient else None) or words.say("text_later", "somebody")
    return [
        Newer(
            message.direction,
            names.get(message.author_id, them) if message.author_id else them,
            times.time_of(message.created_at, zone),
            message.body or "",
        )
        for message in messages
    ]


def _planned(session: Session, zone: str, messages: Sequence[Message]) -> list[Planned]:
    if not messages:
        return []
    names, now = team.names(session, (message.author_id for message in messages)), clock.now()
    heard = session.scalar(
        select(Message.id)
        .where(Message.conversation_id == messages[0].conversation_id, Message.direction == "in")
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
    )
    return [
        Planned(
            message.id,
            message.body or "",
            names.get(message.author_id, "") if message.author_id else "",
            times.moment(message.scheduled_for or message.try_after, now, zone, running=True),
            heard is not None and heard > message.id,
        )
        for message in messages
    ]


def _offered(clinic: Clinic, messages: Sequence[Message]) -> list[Offered]:
    now = clock.now()
    return [
        Offered(
            message.id, message.body or "", times.moment(message.offered_until or now, now, clinic.zone, running=True)
        )
        for message in messages
    ]


def insert(
    session: Session, clinic: Clinic, staff: Staff, item: send_reply.Source, typed: send_reply.Typed, wanted: str
) -> send_reply.Typed:
    """Return what was typed with a saved reply put after it: `wanted` is "<reply>:<language>".

    Or "plain": with letters that cost less. Whatever else is wanted changes nothing.
    """
    if wanted == "plain":
        return replace(typed, body=proofreading.plainer(proofreading.tidy(typed.body)))
    name, _, language = wanted.partition(":")
    reply_id = ids.uuid_of(name)
    reply = saved_replies.one(session, clinic, staff, reply_id) if reply_id else None
    if reply is None:
        return typed
    here = send_reply.place(session, clinic, item)
    sharing = composer.sharing(session, clinic, composer.number_of(session, here.conversation, here.patient))
    filled = fill_replies.one(session, clinic, reply.texts, here.patient, language, bool(sharing))
    return replace(typed, body=" ".join(part for part in (typed.body.rstrip(), filled) if part))
