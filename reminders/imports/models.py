"""Files that a clinic has handed in, and their parts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, Sealed, SealedRow, Work


class ImportRun(SealedRow, Work, Base):
    """One file of patients or visits that somebody handed in, worked off part by part.

    state: reading -> mapping (its columns are being told apart) -> checking -> checked -> running -> done; checked ->
    mapping; all but done and "reading" -> stopped. `mapping` and `meanings` as column_mapping.of reads them; `parts` of
    which `parts_checked` are checked and `parts_done` are through; `tally` counts rows by what became of them.
    `counts` has by column each of its values with its rows, where they are few; `findings` what a check found
    (checking.Findings); `complete` what is cancelled since a complete file does not hold it (completeness.decide).
    `header_ct` and others are sealed: they name patients.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_work", "state", "try_after"),)

    kind: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8), default="mapping")
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    header_ct: Mapped[bytes]
    rows: Mapped[int] = mapped_column(default=0)
    counts_ct: Mapped[bytes | None]
    meanings_ct: Mapped[bytes | None]
    findings_ct: Mapped[bytes | None]
    complete: Mapped[dict[str, Any]] = mapped_column(default=dict)
    parts: Mapped[int] = mapped_column(default=0)
    parts_checked: Mapped[int] = mapped_column(default=0)
    parts_done: Mapped[int] = mapped_column(default=0)
    tally: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    header = Sealed("header_ct")
    counts = Sealed("counts_ct")
    meanings = Sealed("meanings_ct")
    findings = Sealed("findings_ct")


class ImportPart(SealedRow, Base):
    """Some hundred rows of a file: `rows_ct` what is still to do,
    `wrong_ct` what was not taken and why (JSON, sealed)."""

    __tablename__ = "import_part"
    __table_args__ = (UniqueConstraint("run_id", "place"),)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    place: Mapped[int]
    rows_ct: Mapped[bytes | None]
    wrong_ct: Mapped[bytes | None]

    rows = Sealed("rows_ct")
    wrong = Sealed("wrong_ct")
