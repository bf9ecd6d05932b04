"""The proof of a patient's consent: each line of the ledger, its words, the texts around it, its audit hashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.consent import asking, ledger
from messaging.models import PROGRAMMES, Clinic, ConsentEntry, Conversation, Message, Patient

# How far from a line of the ledger texts belong to it, and how many of them on each side.
AROUND = timedelta(hours=24)
MOST_AROUND = 10
# The lines of one act are written within one call, and its audit line with them.
TOGETHER = timedelta(seconds=2)


@dataclass(frozen=True)
class Hash:
    """A line of the audit chain: its place and hash, None until it is sealed; `holds` whether the hash fits."""

    seq: int | None
    hash: str | None
    holds: bool


@dataclass(frozen=True)
class Text:
    """A text near an act: when it was written, left and arrived, and the carrier's id. `body` only for who may read it,
    and empty where it was `emptied`: its words are no longer kept."""

    at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    direction: str
    kind: str
    state: str
    carrier_id: str | None
    body: str | None
    emptied: bool


@dataclass(frozen=True)
class Act:
    """One time that consent was given or taken back: lines of the ledger that were written together.

    `wording` is the version, `asked` its words as (language, words), the patient's language first. `words` are the
    verbatim ones: None where there were none, where they may not be read, or where `others` is true (another patient
    who shares the phone said them).
    """

    at: datetime
    event: str
    programmes: tuple[str, ...]
    source: str
    actor: str
    wording: str | None
    asked: tuple[tuple[str, str], ...]
    words: str | None
    others: bool
    texts: tuple[Text, ...]
    hashes: tuple[Hash, ...]


@dataclass(frozen=True)
class Phone:
    """A number, None where it is no longer known; granted | revoked | unknown by programme; its acts, oldest first."""

    number: str | None
    states: dict[str, str]
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Proof:
    """All that is known of a patient's consent at a moment, the number given last first."""

    patient_id: UUID
    made_at: datetime
    phones: tuple[Phone, ...]


def gather(session: Session, clinic: Clinic, patient: Patient, *, readable: bool, actor: str, form: str) -> Proof:
    """Return the proof, and write down that it was made (`form` is page or paper).

    `readable`: whether the reader may see what the patient said; lines, times and hashes are there for everybody.
    """
    rows = {row.number_index: row.number for row in reversed(patient.numbers)}
    lines = _lines(session, clinic, patient, list(rows))
    talks = _conversations(session, clinic, {line.number_index for line in lines})
    db.load_keys(session, {line.key_id for line in lines} | {talk.key_id for talk in talks.values()} | {patient.key_id})
    for index, talk in talks.items():
        rows.setdefault(index, talk.number)
    phones = []
    for index in dict.fromkeys([*rows, *(line.number_index for line in lines)]):
        own = [line for line in lines if line.number_index == index]
        acts = [_act(session, patient, group, talks.get(index), readable=readable) for group in _together(own)]
        phones.append(Phone(rows.get(index), _states(own), tuple(acts)))
    audit.record(session, clinic.id, actor, "consent.proof", f"patient:{patient.id}", form=form)
    return Proof(patient.id, clock.now(), tuple(phones))


def _lines(session: Session, clinic: Clinic, patient: Patient, indexes: Sequence[bytes]) -> list[ConsentEntry]:
    """Every line about the patient's numbers, and those about the patient at a number that is no longer theirs."""
    lines = select(ConsentEntry).where(
        ConsentEntry.clinic_id == clinic.id,
        or_(ConsentEntry.number_index.in_(indexes), ConsentEntry.patient_id == patient.id),
    )
    return list(session.scalars(lines.order_by(*ledger.IN_ORDER)))


def _conversations(session: Session, clinic: Clinic, indexes: set[bytes]) -> dict[bytes, Conversation]:
    conversations = select(Conversation).where(
        Conversation.clinic_id == clinic.id, Conversation.number_index.in_(indexes)
    )
    return {conversation.number_index: conversation for conversation in session.scalars(conversations)}


def _states(lines: Sequence[ConsentEntry]) -> dict[str, str]:
    return dict.fromkeys(PROGRAMMES, "unknown") | {line.programme: line.event for line in lines}


def _together(lines: Sequence[ConsentEntry]) -> list[list[ConsentEntry]]:
    groups: list[list[ConsentEntry]] = []
    for line in lines:
        last = groups[-1] if groups else []
        if last and _same(last, line):
            last.append(line)
        else:
            groups.append([line])
    return groups


def _same(act: Sequence[ConsentEntry], line: ConsentEntry) -> bool:
    first = act[0]
    alike = (first.event, first.source, first.actor, first.patient_id, first.wording)
    return (
        alike == (line.event, line.source, line.actor, line.patient_id, line.wording)
        and line.at - first.at < TOGETHER
        and line.programme not in {entry.programme for entry in act}
    )


def _act(
    session: Session,
    patient: Patient,
    lines: Sequence[ConsentEntry],
    talk: Conversation | None,
    *,
    readable: bool,
) -> Act:
    first = lines[0]
    others = first.patient_id not in (None, patient.id)
    programmes = tuple(programme for programme in PROGRAMMES if programme in {line.programme for line in lines})
    return Act(
        at=first.at,
        event=first.event,
        programmes=programmes,
        source=first.source,
        actor=first.actor,
        wording=first.wording,
        asked=_asked(first.wording, programmes, patient.language),
        words=first.words if readable and not others else None,
        others=others,
        texts=_texts(session, patient, talk, first.at, readable=readable) if talk else (),
        hashes=_hashes(session, first),
    )


def _asked(version: str | None, programmes: Sequence[str], language: str) -> tuple[tuple[str, str], ...]:
    tongues = sorted(asking.LANGUAGES, key=lambda tongue: not language.lower().startswith(tongue))
    asked_words = [(tongue, asking.text(version, programme, tongue)) for tongue in tongues for programme in programmes]
    return tuple(dict.fromkeys((tongue, words) for tongue, words in asked_words if words))


def _texts(session: Session, patient: Patient, talk: Conversation, at: datetime, *, readable: bool) -> tuple[Text, ...]:
    # What others who share the phone said or were told stands in their own proof.
    near = select(Message).where(
        Message.conversation_id == talk.id,
        or_(Message.patient_id == patient.id, Message.patient_id.is_(None)),
    )
    before = near.where(Message.created_at <= at, Message.created_at > at - AROUND)
    after = near.where(Message.created_at > at, Message.created_at < at + AROUND)
    rows = [
        *reversed(
            session.scalars(before.order_by(Message.created_at.desc(), Message.id.desc()).limit(MOST_AROUND)).all()
        ),
        *session.scalars(after.order_by(Message.created_at, Message.id).limit(MOST_AROUND)).all(),
    ]
    db.load_keys(session, {row.key_id for row in rows})
    return tuple(
        Text(
            at=row.created_at,
            sent_at=row.sent_at,
            delivered_at=row.delivered_at,
            direction=row.direction,
            kind=row.kind,
            state=row.state,
            carrier_id=row.provider_sid,
            body=row.body if readable and patient.id in (row.patient_id, talk.patient_id) else None,
            emptied=row.emptied_at is not None,
        )
        for row in rows
    )


def _hashes(session: Session, line: ConsentEntry) -> tuple[Hash, ...]:
    """The audit lines of this act. Their ids grow with time, so that one act's are found without reading the chain."""
    written = select(audit.AuditEntry).where(
        audit.AuditEntry.id.between(db.first_id(line.at - TOGETHER), db.first_id(line.at + TOGETHER)),
        audit.AuditEntry.clinic_id == line.clinic_id,
        audit.AuditEntry.act == f"consent.{line.event}",
        audit.AuditEntry.about == f"number:{line.number_index.hex()}",
    )
    return tuple(
        Hash(entry.seq, entry.hash, entry.hash is None or entry.hash == audit.digest(entry))
        for entry in session.scalars(written.order_by(audit.AuditEntry.id))
    )
