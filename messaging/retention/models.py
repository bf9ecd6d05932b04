"""How far a clinic's old words have been emptied: one row for each clinic that keeps them for a number of years."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Work


class Keeping(ClinicRow, Work, Base):
    """A clinic's walk over what has grown too old: there is none where words are kept for good.

    `pointers` maps a shelf ("message", "inbox_item", "receipt" ...) to the id up to which it was looked at: ids grow
    with time. The walk began at `began_at`; `try_after` is when it goes on, at first a day after the number was
    published. The number itself stands in the clinic's rules ("keep_years") alone.
    """

    __tablename__ = "keeping"
    __table_args__ = (UniqueConstraint("clinic_id"),)

    pointers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    began_at: Mapped[datetime]
