"""Counts of each day that are kept, and what a clinic has changed in order to become better."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Sealed, SealedRow, Work


class FigureDay(ClinicRow, Work, Base):
    """What was counted of one day of a clinic, by the clinic's clock. No patient stands in it, only numbers.

    `counts` maps a name to a number (caseload/figures/measures.toml says what is made of which). A day is counted anew
    at `try_after`, since what belongs to it still happens (a contact, a kept visit); `settled` once nothing does.
    """

    __tablename__ = "figure_day"
    __table_args__ = (UniqueConstraint("clinic_id", "day"), Index("ix_figure_day_work", "settled", "try_after"))

    day: Mapped[date]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counted_at: Mapped[datetime | None]
    settled: Mapped[bool] = mapped_column(default=False)


class Improvement(SealedRow, Base):
    """Something that the clinic does differently from `started_on` on, and the measure it is meant to move.

    `outcome` is adopted | adapted | abandoned since `ended_on`, both None while it is being tried. The words are the
    clinic's own, sealed, since somebody may have named a patient in them.
    """

    __tablename__ = "improvement"

    measure: Mapped[str] = mapped_column(String(40))
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    outcome: Mapped[str | None] = mapped_column(String(10))
    words_ct: Mapped[bytes]
    learned_ct: Mapped[bytes | None]
    made_by: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]

    words = Sealed("words_ct")
    learned = Sealed("learned_ct")
