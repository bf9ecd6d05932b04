"""The versions of what a clinic decides: at most one draft of a kind, at most one in force, and all that were."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow

OPEN = "state IN ('draft', 'asked')"


class Version(ClinicRow, Base):
    """One version of one kind of decision (a cadence, the words, ...).

    state: draft -> asked (a second person must agree) -> live -> past; draft | asked -> dropped.
    `number` counts what was published, from 1, and is null before; 0 is what the clinic began with, kept when the first
    change is published. `based_on` is the number that was in force when the
    draft was begun, 0 where nothing had been published. `edit` grows with every change of a draft, so that of two
    people who change it at once the second is told. Actors are "staff:<id>" or "operator:<name>".
    """

    __tablename__ = "edition"
    __table_args__ = (
        UniqueConstraint("clinic_id", "kind", "number"),
        Index(
            "uq_edition_open",
            "clinic_id",
            "kind",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index(
            "uq_edition_live",
            "clinic_id",
            "kind",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
    )

    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(8), default="draft")
    number: Mapped[int | None]
    based_on: Mapped[int]
    edit: Mapped[int] = mapped_column(default=1)
    definition: Mapped[dict[str, Any]]
    why: Mapped[str | None] = mapped_column(String(300))
    written_by: Mapped[str] = mapped_column(String(60))
    written_at: Mapped[datetime]
    asked_by: Mapped[str | None] = mapped_column(String(60))
    published_by: Mapped[str | None] = mapped_column(String(60))
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
