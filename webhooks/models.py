"""What the world said to the machine doors, once, word for word."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow, Work


class Receipt(SealedRow, Work, Base):
    """One thing the world said, sealed, before anything else is done with it.

    state: received -> processed | ignored | failed. Unique (source, event): saying it twice changes nothing.
    `source` is twilio.sms | twilio.status | forms.<name>; `event` the sender's id of it; `lane` urgent | default
    (a text that reads like a crisis is urgent). `attempt_id` names the sending a status speaks of.
    """

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("source", "event"),
        Index("ix_receipt_work", "state", "lane", "try_after"),
    )

    source: Mapped[str] = mapped_column(String(60))
    event: Mapped[str] = mapped_column(String(120))
    lane: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(10), default="received")
    payload_ct: Mapped[bytes]
    attempt_id: Mapped[UUID | None]
    received_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]

    payload = Sealed("payload_ct")


class InboundCheck(ClinicRow, Work, Base):
    """How far the carrier's list of a clinic's texts has been read (webhooks.missed_texts): one row for each clinic.

    Everything up to `looked_until` was looked at. Between `owed_from` and `owed_until` it still has to be: what was
    too much for one look, and, once an hour, the last two days.
    """

    __tablename__ = "inbound_check"
    __table_args__ = (UniqueConstraint("clinic_id"),)

    looked_until: Mapped[datetime]
    owed_from: Mapped[datetime | None]
    owed_until: Mapped[datetime | None]
    deep_at: Mapped[datetime]
