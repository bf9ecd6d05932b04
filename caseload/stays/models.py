"""What colleagues say of a stay in a hospital that a feed tells wrongly, or whose end it never tells."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, Sealed, SealedRow


class StayCorrection(SealedRow, Base):
    """What a colleague says of one stay, and why. Never changed: the newest of a stay holds, over whatever a feed says.

    says: ended (from `admitted_at` to `ended_at`) | none (there was no such stay) | as_told (the feed's word holds
    again). `told_state`, `admitted_at` and `told_end` are what the feed said then, by which a later word is noticed.
    """

    __tablename__ = "stay_correction"
    __table_args__ = (Index("ix_stay_correction_stay", "stay_id", "id"),)

    stay_id: Mapped[UUID] = mapped_column(ForeignKey("inpatient_stay.id"))
    by_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
    says: Mapped[str] = mapped_column(String(8))
    ended_at: Mapped[datetime | None]
    told_state: Mapped[str] = mapped_column(String(10))
    admitted_at: Mapped[datetime]
    told_end: Mapped[datetime | None]
    reason_ct: Mapped[bytes]

    reason = Sealed("reason_ct")
