"""The table of the spans that a restored database has forgotten."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Work


class RestoredSpan(ClinicRow, Work, Base):
    """What a clinic's restored database knows nothing of: all that was said and done from `backed_up_at` on.

    state: waiting -> over. Until then no text to a patient leaves (messaging.delivery.restored.holding).
    `inbound_at` is when the carrier's list of what came in had been read, `found` how many of our own texts it showed
    that the database had forgotten, or had still to send.
    """

    __tablename__ = "restored_span"
    __table_args__ = (Index("ix_restored_span_work", "state", "try_after"),)

    backed_up_at: Mapped[datetime]
    restored_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(8), default="waiting")
    inbound_at: Mapped[datetime | None]
    found: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]
