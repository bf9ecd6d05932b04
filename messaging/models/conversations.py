"""What was said with each number, and each try to send a text."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from config import live
from config.db import Base, ClinicRow, Sealed, SealedJson, SealedRow, Work


class Conversation(SealedRow, Base):
    """All that was said between the clinic and one number. `patient_id` is null while nobody or several fit it."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("clinic_id", "number_index"),)

    number_index: Mapped[bytes]
    number_ct: Mapped[bytes]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    last_at: Mapped[datetime]
    auto_replies: Mapped[int] = mapped_column(default=0)
    auto_replied_at: Mapped[datetime | None]

    number = Sealed("number_ct")


# What waits to leave is a small part of all texts: an index of its own says of which clinic.
QUEUED = text("state = 'queued'")
# So are those to colleagues, and what a carrier refused.
TO_STAFF, CODED = text("staff_id IS NOT NULL"), text("error_code IS NOT NULL")


class Message(SealedRow, Work, live.Shown, Base):
    """One text, in or out.

    inbound:  received
    outbound: queued -> sending -> sent -> delivered | undelivered | failed; queued -> held | cancelled;
              sending -> unknown -> sent | queued | failed.
    Ranked: a state never goes down (messaging.delivery.carrier_status).
    `kind` is reply | reminder | handoff | crisis | automatic | staff_alert; `lane` urgent | bulk. `dedupe` makes sure
    that one reason sends one text. A text to staff has `staff_id` and no conversation. `scheduled_for` is the moment a
    human chose for it to go out, and null where it was to go at once. `offered_until` is until when an automatic text
    waits for a colleague who is talking with the patient; if nobody decides, it goes then.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("clinic_id", "dedupe"),
        Index("ix_message_conversation_at", "conversation_id", "created_at"),
        Index("ix_message_work", "state", "lane", "try_after"),
        Index("ix_message_turns", "clinic_id", "lane", "try_after", sqlite_where=QUEUED, postgresql_where=QUEUED),
        Index("ix_message_staff", "staff_id", "id", sqlite_where=TO_STAFF, postgresql_where=TO_STAFF),
        Index("ix_message_error_code", "clinic_id", "error_code", sqlite_where=CODED, postgresql_where=CODED),
    )

    conversation_id: Mapped[UUID | None] = mapped_column(ForeignKey("conversation.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    direction: Mapped[str] = mapped_column(String(3))
    kind: Mapped[str] = mapped_column(String(12))
    programme: Mapped[str | None] = mapped_column(String(12))
    lane: Mapped[str] = mapped_column(String(8), default="bulk")
    state: Mapped[str] = mapped_column(String(12))
    body_ct: Mapped[bytes]
    media: Mapped[list[Any]] = mapped_column(default=list)
    reading_ct: Mapped[bytes | None]
    dedupe: Mapped[str] = mapped_column(String(120))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    provider_sid: Mapped[str | None] = mapped_column(String(40), index=True)
    error_code: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    scheduled_for: Mapped[datetime | None]
    offered_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    emptied_at: Mapped[datetime | None]  # its words are no longer kept (messaging.retention)

    body = Sealed("body_ct")
    reading = SealedJson("reading_ct", list)

    def topics(self) -> Iterable[str]:
        """The conversation, under both its names. Lists show items, not texts: a thousand reminders stir no list."""
        whose = (("conversation", self.conversation_id), ("patient", self.patient_id))
        return [f"{name}:{row_id}" for name, row_id in whose if row_id is not None and self.staff_id is None]

    attempts_made: Mapped[list["Attempt"]] = relationship(back_populates="message", order_by="Attempt.id")


class Attempt(ClinicRow, Base):
    """One try to send a message, written before the carrier is called: the write-ahead intent.

    state: started -> accepted | refused | unknown. `token_hash` finds the attempt that a status callback speaks of,
    and so proves that the carrier took it even when its answer was lost.
    """

    __tablename__ = "attempt"

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    fence: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    provider_sid: Mapped[str | None] = mapped_column(String(40), unique=True)
    error_code: Mapped[int | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    message: Mapped[Message] = relationship(back_populates="attempts_made")


class CarrierCopy(ClinicRow, Work, Base):
    """The words of a text as the carrier keeps them: owed to be emptied there (messaging.delivery.redacting).

    One for each text that came in and for each try that the carrier took, since `taken_at`; the row goes when the
    carrier holds no words of it any more.
    """

    __tablename__ = "carrier_copy"
    __table_args__ = (Index("ix_carrier_copy_work", "try_after"),)

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    sid: Mapped[str] = mapped_column(String(40), index=True)  # to be emptied twice does no harm, so it is not unique
    taken_at: Mapped[datetime] = mapped_column(index=True)
