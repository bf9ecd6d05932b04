"""The table of the senders that the carrier takes no texts of for now."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from config.db import Base, ClinicRow


class Circuit(ClinicRow, Base):
    """A clinic's sender that the carrier takes no texts of for now; no row where all is well.

    `open_until` is when the next text may be tried, null while `failures` are too few to say; `since` the first.
    """

    __tablename__ = "circuit"
    __table_args__ = (UniqueConstraint("clinic_id"),)

    failures: Mapped[int]
    since: Mapped[datetime]
    open_until: Mapped[datetime | None]
