"""Where our ledger and the carrier disagree about who may be texted, found in SQL; and the one way to set it right.

Two kinds. `blocked`: the carrier has stopped texts to a phone (error 21610, or a keyword it acts on) and the ledger
says granted since; what we send there is refused. `sent`: a text left for the carrier although the ledger said
revoked; there must be none. Only an opt-out can be taken over from the carrier: an opt-in is the phone's own to say.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, and_, func, literal_column, or_, select, union_all
from sqlalchemy.orm import Session

from config import audit, clock
from messaging import number_owner, outbox
from messaging.consent import asking, ledger
from messaging.delivery import carrier_status
from messaging.models import PROGRAMMES, Attempt, Clinic, ConsentEntry, Conversation, Message
from messaging.people import staff_phones

Kind = Literal["blocked", "sent"]
# A text that left beside the STOP, within the moment in which its transaction was still open, is no drift.
BESIDE = timedelta(seconds=10)
# Texts are looked at as far back as this: what left earlier has been looked at for as long.
LOOK_BACK = timedelta(days=90)
LEFT = ("accepted", "unknown", "started")
# Written into the statement as it is: a parameter would hide that the index of revoking lines will do.
REVOKES = ConsentEntry.event == literal_column("'revoked'")


class Settled(Exception):
    """There is nothing to take over any more: ledger and carrier agree about this phone."""


@dataclass(frozen=True)
class Drift:
    """A phone about which ledger and carrier disagree, in these programmes; `at` is since when we know.

    `message_id` is the text that should not have left, for the kind `sent`.
    """

    kind: Kind
    clinic_id: UUID
    conversation_id: UUID
    patient_id: UUID | None
    programmes: tuple[str, ...]
    at: datetime
    message_id: UUID | None = None


def find(session: Session, clinic_id: UUID) -> list[Drift]:
    """Return every disagreement of a clinic, those that block first, the oldest of each first."""
    return [*_blocked(session, clinic_id), *_sent(session, clinic_id)]


def follow(session: Session, clinic: Clinic, conversation_id: UUID, *, actor: str) -> tuple[str, ...]:
    """Write down that the phone has opted out, as the carrier says, and take back what waits to leave to it.

    Returns the programmes that have ended. Raises Settled where the carrier does not (or no longer) say so.
    """
    talk = session.get(Conversation, conversation_id, with_for_update=True)
    if talk is None or talk.clinic_id != clinic.id:
        raise Settled
    blocked = _blocked(session, clinic.id, talk.number_index)
    if not blocked:
        raise Settled
    ended = blocked[0].programmes
    ledger.record(
        session,
        clinic,
        talk.number or "",
        "revoked",
        source="carrier",
        actor=actor,
        programmes=ended,
        patient_id=talk.patient_id,
    )
    staff_phones.said(session, clinic, talk.number or "", "revoked", ended)
    stopped = number_owner.stop_texts(session, talk, None, ended)
    audit.record(
        session,
        clinic.id,
        actor,
        "consent.followed",
        f"conversation:{talk.id}",
        programmes=len(ended),
        stopped=stopped,
    )
    return ended


def _blocked(session: Session, clinic_id: UUID, index: bytes | None = None) -> list[Drift]:
    stopped = _said(clinic_id)
    numbers = select(stopped.c.number_index)
    lifted = _lifted(clinic_id, numbers)
    granted = _last_lines(clinic_id, numbers)
    rows = (
        select(Conversation.id, Conversation.patient_id, stopped.c.at, granted.c.programme)
        .join(stopped, stopped.c.number_index == Conversation.number_index)
        .join(granted, granted.c.number_index == Conversation.number_index)
        .outerjoin(lifted, lifted.c.number_index == Conversation.number_index)
        .where(
            Conversation.clinic_id == clinic_id,
            granted.c.place == 1,
            granted.c.event == "granted",
            or_(lifted.c.at.is_(None), lifted.c.at <= stopped.c.at),
        )
        .order_by(stopped.c.at, Conversation.id)
    )
    if index is not None:
        rows = rows.where(Conversation.number_index == index)
    by_talk: dict[UUID, tuple[UUID | None, datetime, set[str]]] = {}
    for talk_id, patient_id, at, programme in session.execute(rows):
        by_talk.setdefault(talk_id, (patient_id, at, set()))[2].add(programme)
    return [
        Drift("blocked", clinic_id, talk_id, patient_id, _ordered(programmes), at)
        for talk_id, (patient_id, at, programmes) in by_talk.items()
    ]


def _ordered(programmes: set[str]) -> tuple[str, ...]:
    return tuple(programme for programme in PROGRAMMES if programme in programmes)


def _said(clinic_id: UUID) -> Any:
    """By number, when the carrier last said that the phone has opted out: a refusal, or a stop that it enforces."""
    refused = (
        select(Conversation.number_index, func.coalesce(Message.sent_at, Message.created_at).label("at"))
        .join(Message, Message.conversation_id == Conversation.id)
        .where(
            Conversation.clinic_id == clinic_id,
            Message.clinic_id == clinic_id,
            Message.direction == "out",
            Message.error_code.in_(carrier_status.codes("opt_out")),
        )
    )
    # A stop by text from before versions were kept may have been a keyword: the carrier's until we know better.
    enforced = select(ConsentEntry.number_index, ConsentEntry.at.label("at")).where(
        ConsentEntry.clinic_id == clinic_id,
        REVOKES,
        ConsentEntry.source.in_(("text", "carrier")),
        or_(ConsentEntry.wording.is_(None), ConsentEntry.wording.in_(asking.carriers())),
    )
    return _latest(union_all(refused, enforced).subquery()).cte("stopped")


def _lifted(clinic_id: UUID, numbers: Select[Any]) -> Any:
    """By each of the numbers, when we last knew that texts get through: its own START, or a text that arrived."""
    started = select(ConsentEntry.number_index, ConsentEntry.at.label("at")).where(
        ConsentEntry.clinic_id == clinic_id,
        ConsentEntry.event == "granted",
        ConsentEntry.source == "text",
        ConsentEntry.number_index.in_(numbers),
    )
    arrived = (
        select(Conversation.number_index, Message.created_at.label("at"))
        .join(Message, Message.conversation_id == Conversation.id)
        .where(
            Conversation.clinic_id == clinic_id,
            Conversation.number_index.in_(numbers),
            Message.direction == "out",
            Message.state == "delivered",
        )
    )
    return _latest(union_all(started, arrived).subquery()).subquery()


def _latest(rows: Any) -> Select[Any]:
    return select(rows.c.number_index, func.max(rows.c.at).label("at")).group_by(rows.c.number_index)


def _last_lines(clinic_id: UUID, numbers: Select[Any]) -> Any:
    """Every line of the ledger about the numbers with its `place`, from the last of its number and programme."""
    backwards = func.row_number().over(
        partition_by=(ConsentEntry.number_index, ConsentEntry.programme),
        order_by=[column.desc() for column in ledger.IN_ORDER],
    )
    return (
        select(
            ConsentEntry.number_index,
            ConsentEntry.programme,
            ConsentEntry.event,
            backwards.label("place"),
        )
        .where(ConsentEntry.clinic_id == clinic_id, ConsentEntry.number_index.in_(numbers))
        .subquery()
    )


def _sent(session: Session, clinic_id: UUID) -> list[Drift]:
    drifts: dict[UUID, Drift] = {}
    for message_id, talk_id, patient_id, programme, left, ended in session.execute(
        _after_revocation(clinic_id, clock.now() - LOOK_BACK)
    ):
        if left > ended + BESIDE and message_id not in drifts:
            drifts[message_id] = Drift("sent", clinic_id, talk_id, patient_id, (programme,), left, message_id)
    return list(drifts.values())


def _after_revocation(clinic_id: UUID, since: datetime) -> Select[Any]:
    """Tries that left between a line that revoked their programme and the next line about it, with both moments.

    The last word that says what has stopped may leave: 47 CFR 64.1200(a)(12).
    """
    following = func.lead(ConsentEntry.at).over(
        partition_by=(ConsentEntry.number_index, ConsentEntry.programme),
        order_by=ledger.IN_ORDER,
    )
    entry = ConsentEntry
    revoked = select(entry.number_index).where(entry.clinic_id == clinic_id, REVOKES)
    line = (
        select(entry.number_index, entry.programme, entry.event, entry.at, following.label("until"))
        .where(entry.clinic_id == clinic_id, entry.number_index.in_(revoked))
        .subquery()
        .c
    )
    programme = func.coalesce(Message.programme, "care_team")
    return (
        select(Message.id, Conversation.id, Message.patient_id, programme, Attempt.started_at, line.at)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Attempt, Attempt.message_id == Message.id)
        .join(line.at.table, and_(line.number_index == Conversation.number_index, line.programme == programme))
        .where(
            Message.clinic_id == clinic_id,
            Message.direction == "out",
            Message.kind != outbox.LAST_WORD,
            Message.created_at > since,
            Attempt.state.in_(LEFT),
            line.event == "revoked",
            Attempt.started_at > line.at,
            or_(line.until.is_(None), Attempt.started_at < line.until),
        )
        .order_by(Attempt.started_at, Message.id)
    )
