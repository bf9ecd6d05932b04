"""Who saw or did what to whom, and why: written with the act itself, chained so that no line can be changed unseen.

An entry is inserted in the act's own transaction, and sealed into its clinic's chain (sequence, hash of the line
before, own hash) by the lane "audit" within a second or two: a chain written by every transaction would make all of a
clinic's work wait for one row. Entries hold ids and names of acts, never words of a patient.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, String, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import clock, db, queue

LONGEST_ACTOR = 60
GENESIS = "0" * 64


class Actor(str):
    """Who acted, as columns and lines hold it: "staff:<id>", "patient:<id>", "system:<part>" and so on.

    Made and read here alone. Text from a column is read by `Actor(text)`, whatever it says.
    """

    __slots__ = ()

    @classmethod
    def staff(cls, staff_id: UUID | str) -> "Actor":
        """Return a colleague."""
        return cls(f"staff:{staff_id}")

    @classmethod
    def patient(cls, patient_id: UUID) -> "Actor":
        """Return a patient, who answered or chose for themselves."""
        return cls(f"patient:{patient_id}")

    @classmethod
    def conversation(cls, conversation_id: UUID) -> "Actor":
        """Return whoever has a phone that is nobody's, or several people's."""
        return cls(f"conversation:{conversation_id}")

    @classmethod
    def absence(cls, absence_id: UUID) -> "Actor":
        """Return an absence, which moves what its colleague owned."""
        return cls(f"absence:{absence_id}")

    @classmethod
    def system(cls, part: str) -> "Actor":
        """Return a part of the service itself, or a source of forms."""
        return cls(f"system:{part}"[:LONGEST_ACTOR])

    @classmethod
    def operator(cls, user: str) -> "Actor":
        """Return who sits at the command line, by the name of their account."""
        return cls(f"operator:{user}"[:LONGEST_ACTOR])

    @classmethod
    def program(cls, key_id: UUID) -> "Actor":
        """Return a program of the clinic, by the key it came with."""
        return cls(f"program:{key_id}")

    @property
    def kind(self) -> str:
        """What acted: staff | patient | conversation | absence | system | operator | program."""
        return self.partition(":")[0]

    @property
    def staff_id(self) -> UUID | None:
        """Which colleague it was, None if it was none."""
        try:
            return UUID(self.partition(":")[2]) if self.kind == "staff" else None
        except ValueError:
            return None


OPERATOR = Actor("operator")
# What belongs to every act of a colleague in this request, beside its own detail.
_MARK: ContextVar[Mapping[str, str]] = ContextVar("audit.mark", default=MappingProxyType({}))
# What was done, about what ("<kind>:<id>"), and the ids, states and rule names that belong to it.
Act = tuple[str, str, dict[str, str | int | None]]


class AuditEntry(db.Base):
    """One act. `seq`, `prev` and `hash` are null until it is sealed into the chain."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("uq_audit_entry_clinic_seq", "clinic_id", "seq", unique=True),
        Index("ix_audit_entry_clinic_at", "clinic_id", "at"),
        Index("ix_audit_entry_about", "about"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clinic_id: Mapped[UUID]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(LONGEST_ACTOR))
    act: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    prev: Mapped[str | None] = mapped_column(String(64))
    hash: Mapped[str | None] = mapped_column(String(64))


class AuditHead(db.Base):
    """The last sealed line of a clinic's chain; its row is the lock that one sealer holds at a time.

    `signed_seq` is the line whose hash was last signed and sent outside, at `signed_at` (config.audit_heads).
    """

    __tablename__ = "audit_head"

    clinic_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    signed_seq: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    signed_at: Mapped[datetime | None]


def mark(**detail: str) -> None:
    """Write `detail` with each act of a colleague from here on in this context; without any, write nothing more."""
    _MARK.set(detail)


def mark_also(**detail: str) -> None:
    """Write `detail` beside what is written already with each act of a colleague in this context."""
    _MARK.set({**_MARK.get(), **detail})


def record(session: Session, clinic_id: UUID, actor: str, act: str, about: str, **detail: str | int | None) -> None:
    """Write one act in the caller's transaction.

    `actor` is an Actor, `about` "<kind>:<id>"; `detail` holds ids, states and rule names.
    """
    session.add(AuditEntry(**_entry(db.new_id(), clinic_id, actor, (act, about, detail))))
    queue.ring(session, "audit")


def record_many(session: Session, clinic_id: UUID, actor: str, acts: Sequence[Act]) -> None:
    """Write many acts of one actor at once, in the caller's transaction and in their order, as `record` does each."""
    rows = [_entry(new, clinic_id, actor, act) for new, act in zip(db.new_ids(len(acts)), acts, strict=True)]
    db.write_rows(session, AuditEntry, rows)
    if rows:
        queue.ring(session, "audit")


def _entry(entry_id: UUID, clinic_id: UUID, actor: str, act: Act) -> dict[str, Any]:
    name, about, detail = act
    whose = {"id": entry_id, "clinic_id": clinic_id, "at": clock.now(), "actor": actor}
    marked = _MARK.get() if Actor(actor).kind == "staff" else {}
    return whose | {"act": name, "about": about, "detail": {**detail, **marked}}


def seal() -> int:
    """Chain the entries that are not sealed yet; return how many."""
    sealed = 0
    with db.unit_of_work(db.EVERY) as session:
        waiting = session.scalars(
            select(AuditEntry).where(AuditEntry.seq.is_(None)).order_by(AuditEntry.clinic_id, AuditEntry.id).limit(1000)
        ).all()
        for clinic_id, entries in groupby(waiting, key=lambda entry: entry.clinic_id):
            sealed += _chain(session, clinic_id, [entry.id for entry in entries])
    return sealed


def _chain(session: Session, clinic_id: UUID, ids: list[UUID]) -> int:
    head = session.get(AuditHead, clinic_id, with_for_update=True)
    if head is None:
        # Another sealer may begin the same chain at this very moment.
        with suppress(IntegrityError), session.begin_nested():
            session.add(AuditHead(clinic_id=clinic_id, seq=0, hash=GENESIS))
        head = session.get_one(AuditHead, clinic_id, with_for_update=True, populate_existing=True)
    # Read again under the lock: another sealer may have been faster.
    again = select(AuditEntry).where(AuditEntry.id.in_(ids), AuditEntry.seq.is_(None)).order_by(AuditEntry.id)
    entries = session.scalars(again.execution_options(populate_existing=True)).all()
    for entry in entries:
        entry.seq, entry.prev = head.seq + 1, head.hash
        entry.hash = digest(entry)
        head.seq, head.hash = entry.seq, entry.hash
    return len(entries)


def digest(entry: AuditEntry) -> str:
    """Return the SHA-256 of the line before and this line in canonical JSON, 64 hexadecimal digits."""
    line = {
        "seq": entry.seq,
        "id": str(entry.id),
        "clinic": str(entry.clinic_id),
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "act": entry.act,
        "about": entry.about,
        "detail": entry.detail,
    }
    canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{entry.prev}{canonical}".encode()).hexdigest()


def verify(session: Session, clinic_id: UUID) -> Iterator[str]:
    """Yield a sentence for every fault of the clinic's chain, none if it holds."""
    seq, last = 0, GENESIS
    rows = select(AuditEntry).where(AuditEntry.clinic_id == clinic_id, AuditEntry.seq.is_not(None))
    for entry in session.scalars(rows.order_by(AuditEntry.seq).execution_options(yield_per=1000)):
        if entry.seq != seq + 1:
            yield f"line {seq + 1} is missing: the next one is {entry.seq}"
        if entry.prev != last or entry.hash != digest(entry):
            yield f"line {entry.seq} was changed or does not follow the one before"
        seq, last = entry.seq or 0, entry.hash or ""
    head = session.get(AuditHead, clinic_id)
    if (head.seq if head else 0) != seq:
        yield f"the chain ends at line {seq}, but {head.seq if head else 0} were sealed"
    elif head is not None and head.hash != last:
        yield f"line {seq} is not the one that was sealed last"


def _oldest(session: Session, _now: datetime) -> datetime | None:
    return session.scalar(select(func.min(AuditEntry.at)).where(AuditEntry.seq.is_(None)))


LANES = [queue.Lane("audit", "default", seal, _oldest)]
