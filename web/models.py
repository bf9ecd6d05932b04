"""Who is signed in, the one-time links that let them in, and what each keeps: drafts, filters, what they have read."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedRow


class StaffSession(ClinicRow, live.Shown, Base):
    """A signed-in browser: fifteen idle minutes, twelve hours at most, ended at once by revocation."""

    __tablename__ = "staff_session"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    def topics(self) -> Iterable[str]:
        """Whoever polls as this person is to be asked again who they are."""
        return [f"staff:{self.staff_id}"]


class SignInLink(ClinicRow, Base):
    """A one-time link: kind invite or reset (choose a password), or once (come in, as the demo prints it).

    `used_at` is when it stopped letting anybody in; `revoked_at` the same moment where nobody had come in by it.
    """

    __tablename__ = "sign_in_link"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Draft(SealedRow, Base):
    """What somebody has begun to write to a patient: one for each person and thread, cleared by nobody but its author.

    `thread` is as InboxItem.thread says it. `seen_id` is the last text the author
    had before their eyes; `compose_id` makes the text one text, however often it is sent.
    """

    __tablename__ = "draft"
    __table_args__ = (UniqueConstraint("staff_id", "thread"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    thread: Mapped[str] = mapped_column(String(60))
    body_ct: Mapped[bytes]
    compose_id: Mapped[UUID]
    seen_id: Mapped[UUID | None]
    updated_at: Mapped[datetime]

    body = Sealed("body_ct")


class ReadingMark(ClinicRow, Base):
    """When somebody last had a thread before their eyes; `thread` is as InboxItem.thread says it, or "inbox_item:<id>"
    where they saw that item and not the rest of its thread."""

    __tablename__ = "reading_mark"
    __table_args__ = (UniqueConstraint("staff_id", "thread"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    thread: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]


class SavedFilter(ClinicRow, Base):
    """A way of looking at the list that somebody has named; `query` as web.presenters.filters reads it."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str] = mapped_column(String(40))
    query: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class DutyFeed(ClinicRow, Base):
    """An address by which a colleague's own calendar reads their duty (web.account.duty_feed); revoked, it is gone."""

    __tablename__ = "duty_feed"
    __table_args__ = (UniqueConstraint("staff_id"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
