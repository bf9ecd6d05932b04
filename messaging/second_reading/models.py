"""What both readers said of each text that came in, what a person said of it then, and when it is looked over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Work


class SecondReading(ClinicRow, Base):
    """One text as both readers read it, by which versions; without a word of it.

    `score`, `band` and `language` are the second reader's, None where it was not heard, and `off` why. `tier` (crisis |
    worry | None) is what both say together and `reasons` why; `acted` the tier that was acted on, which in shadow mode
    is that of the rules alone. `joined` names the texts with which it was read as one. `item_id` is the item it led to.
    `verdict` (VERDICTS) is what a colleague says of it, `drawn` the week ("2026-W49") for whose sample it was drawn.
    """

    __tablename__ = "second_reading"
    __table_args__ = (
        Index("ix_second_reading_at", "clinic_id", "at"),
        Index("ix_second_reading_latest", "at"),
        Index("ix_second_reading_drawn", "clinic_id", "drawn"),
    )

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"), unique=True)
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    rules_version: Mapped[str] = mapped_column(String(20))
    weights_version: Mapped[str | None] = mapped_column(String(40))
    score: Mapped[float | None]
    band: Mapped[str | None] = mapped_column(String(6))
    language: Mapped[str] = mapped_column(String(6))
    off: Mapped[str | None] = mapped_column(String(8))
    tier: Mapped[str | None] = mapped_column(String(6))
    acted: Mapped[str | None] = mapped_column(String(6))
    reasons: Mapped[list[str]] = mapped_column(default=list)
    joined: Mapped[list[str]] = mapped_column(default=list)
    at: Mapped[datetime]
    drawn: Mapped[str | None] = mapped_column(String(8))
    verdict: Mapped[str | None] = mapped_column(String(8))
    verdict_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    verdict_at: Mapped[datetime | None]


class ReadingWatch(ClinicRow, Work, Base):
    """When a clinic's readings are next looked over for drift, and which week's sample was drawn last ("2026-W49")."""

    __tablename__ = "reading_watch"
    __table_args__ = (UniqueConstraint("clinic_id"),)

    drawn: Mapped[str | None] = mapped_column(String(8))
