"""Which EHR hears of what, what each of them is owed, and what falls under 42 CFR Part 2."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow, Work


class EhrWriter(ClinicRow, Work, Base):
    """What the EHR of a feed is written: nothing of a kind that is not among `kinds`.

    state: on | paused. `kinds` are screen | visit | handoff | day; `forms` the shapes these are written in, response |
    observations | document of a screen, task beside the request of a handoff; `allows` what may leave beyond that
    (messaging.ehr_outbox.allowances).

    `source` is under which name the feed's visits are known. It is claimed as a whole, so that what
    one EHR is owed is written in order and by one worker; `try_after` is until when the EHR is left alone, `refused`
    why it could not be written to the last time, null where it could. `days_from` is since when it has not heard of
    the texts of a day, null where it hears of none.
    """

    __tablename__ = "ehr_writer"
    __table_args__ = (UniqueConstraint("feed_id"), Index("ix_ehr_writer_work", "state", "try_after"))

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    source: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(6), default="on")
    kinds: Mapped[list[str]]
    forms: Mapped[list[str]]
    allows: Mapped[list[str]]
    refused: Mapped[str | None] = mapped_column(String(30))
    refused_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    written_at: Mapped[datetime | None]
    days_from: Mapped[datetime | None]
    created_at: Mapped[datetime]


class EhrWrite(ClinicRow, Base):
    """One thing that an EHR is owed, once for each (feed, kind, subject): ids and states, and nothing of what it says.

    state: waiting -> written | refused (a person looks) | kept_back (may not leave) | not_there (the EHR does not have
    the patient) | gone (it is so no more); a person's replay makes it waiting again, and so does a further event about
    a visit or a handoff, under the next `edition`. `begun_at` is since when something of it may stand over there
    without our knowing: it is looked for before it is sent. `parts` are what the EHR calls what it has taken, by part;
    `refused` is why it, or a part of it, was not taken, `code` the EHR's own code for that.
    """

    __tablename__ = "ehr_write"
    __table_args__ = (
        UniqueConstraint("feed_id", "kind", "subject_id"),
        Index("ix_ehr_write_work", "feed_id", "state", "try_after"),
        Index("ix_ehr_write_latest", "feed_id", "created_at"),
    )

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[UUID]
    edition: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    try_after: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    parts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    begun_at: Mapped[datetime | None]
    first_tried_at: Mapped[datetime | None]
    refused: Mapped[str | None] = mapped_column(String(30))
    code: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PartTwoLabel(ClinicRow, Base):
    """That records are of a program under 42 CFR Part 2: all of the clinic, of whom a feed knows, of whom an episode
    is, or of a patient as an EHR says. `about` is "clinic:<id>", "feed:<id>", "episode:<id>" or "patient:<id>"."""

    __tablename__ = "part_two_label"
    __table_args__ = (UniqueConstraint("clinic_id", "about"),)

    about: Mapped[str] = mapped_column(String(80))
    made_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
