"""The feeds of a clinic's EHRs, and what they said, once, word for word."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow, Work


class Feed(SealedRow, Base):
    """An EHR that may send for one clinic: the secret it signs with (Standard Webhooks), and how it is read.

    `mllp_sender` is who it names as its sender by MLLP, "APPLICATION|FACILITY" (MSH-3, MSH-4), None where it is not
    heard that way; `mllp_certificate` the name of the client certificate that may speak for it, "" for a connection of
    this machine alone. What comes while it is paused is kept and waits.
    """

    __tablename__ = "feed"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("mllp_sender", "mllp_certificate"))

    name: Mapped[str] = mapped_column(String(30))
    secret_ct: Mapped[bytes]
    profile: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    mllp_sender: Mapped[str | None] = mapped_column(String(130))
    mllp_certificate: Mapped[str] = mapped_column(String(100), default="", server_default="")
    paused_at: Mapped[datetime | None]

    secret = Sealed("secret_ct")


class FeedMessage(SealedRow, Work, Base):
    """One message or resource as it came, sealed before its sender is answered.

    state: received -> done | ignored (understood, and nothing to do) | held (waits for a person) | failed; refused from
    the beginning where its sender was told to mend it; paused while its feed is. A person's replay makes it received
    again, or they set it aside. Unique (feed, event): saying it twice changes nothing. `kind` is the event ("SIU^S12")
    or type of resource; `problems` are {"code", "where"}, never what stood there; `said_at` is when the EHR says it
    was so.
    """

    __tablename__ = "feed_message"
    __table_args__ = (
        UniqueConstraint("feed_id", "event"),
        Index("ix_feed_message_work", "state", "try_after"),
        Index("ix_feed_message_latest", "feed_id", "received_at"),
        Index("ix_feed_message_control", "feed_id", "control_id"),
    )

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    event: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    control_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), default="received")
    raw_ct: Mapped[bytes]
    problems: Mapped[list[Any]] = mapped_column(default=list)
    said_at: Mapped[datetime]
    received_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]

    raw = Sealed("raw_ct")


class FeedVisit(ClinicRow, Base):
    """A feed's entry of a visit: since when the newest that it has said is so, and what it has said of the start.

    `visit` is a hash of the visit's key, `external_id` the key as the appointment has it; `claims` see
    interchange.owning; `patient_id` whose it is, once that is known.
    """

    __tablename__ = "feed_visit"
    __table_args__ = (UniqueConstraint("feed_id", "visit"),)

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    visit: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(80), default="", server_default="")
    said_at: Mapped[datetime]
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    claims: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")


class FeedPatient(ClinicRow, Base):
    """Whom a feed means by an identifier, once that is known; `identifier_index` is blind."""

    __tablename__ = "feed_patient"
    __table_args__ = (UniqueConstraint("feed_id", "identifier_index"),)

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    identifier_index: Mapped[bytes]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
