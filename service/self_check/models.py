"""The self-check's one row: what is on its way, and what was last seen."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Work


class SelfCheck(ClinicRow, Work, Base):
    """One for each made-up clinic (there is one): resting -> running -> resting, for ever.

    `event` is the id of the link that was handed out at `begun_at`. `seen_at` is when a check last came through,
    `took_ms` milliseconds after it was made; `late_at` when one last did not. `pinged_at` is when the address outside
    last took our word, `ping_error` why it did not the last time (a word or a status, never the address); `door_error`
    in the same way why the web server did not take the last answer.
    """

    __tablename__ = "self_check"
    __table_args__ = (UniqueConstraint("clinic_id"),)

    state: Mapped[str] = mapped_column(String(8), default="resting")
    event: Mapped[str | None] = mapped_column(String(40))
    begun_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    late_at: Mapped[datetime | None]
    pinged_at: Mapped[datetime | None]
    ping_error: Mapped[str | None] = mapped_column(String(40))
    door_error: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
