"""The table of the brakes that were pulled, and of those released since."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow

PULLED = text("released_at IS NULL")


class Brake(ClinicRow, Base):
    """A kind of a clinic's texts that is held back from `pulled_at` until `released_at`; one at a time of each kind.

    `kind` is one of messaging.delivery.brakes.braking.KINDS. `pulled_by` and `released_by` are actors. A brake that
    pulled itself says how many of how many sends had `failed` (`out_of`); both are null where a person pulled it.
    """

    __tablename__ = "brake"
    __table_args__ = (
        Index("uq_brake_pulled", "clinic_id", "kind", unique=True, sqlite_where=PULLED, postgresql_where=PULLED),
    )

    kind: Mapped[str] = mapped_column(String(12))
    pulled_at: Mapped[datetime]
    pulled_by: Mapped[str] = mapped_column(String(60))
    failed: Mapped[int | None]
    out_of: Mapped[int | None]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(60))
