"""Who was asked to look and has, files beside notes, tasks and their templates, notes between two, announcements."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config import live
from config.db import Base, ClinicRow, Sealed, SealedBytes, SealedRow


class Mention(ClinicRow, live.Shown, Base):
    """That a note asks a colleague to look: their item, and when it was read by them or by who covers (`read_by`)."""

    __tablename__ = "mention"
    __table_args__ = (UniqueConstraint("contact_id", "staff_id"),)

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    read_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))

    def topics(self) -> Iterable[str]:
        """The item's own page."""
        return [f"inbox_item:{self.item_id}"]


class TeamFile(SealedRow, Base):
    """A file beside a note, by the rules of messaging.media.file_types: `type` was found out from the bytes.

    `name` is what its author called it, shown and never believed; `place` counts from 0 in its note.
    """

    __tablename__ = "team_file"
    __table_args__ = (UniqueConstraint("contact_id", "place"),)

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    place: Mapped[int]
    name_ct: Mapped[bytes]
    type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    # Megabytes: read only where they are shown.
    content_ct: Mapped[bytes] = mapped_column(deferred=True)
    created_at: Mapped[datetime]

    name = Sealed("name_ct")
    content = SealedBytes("content_ct")


class TaskTemplate(ClinicRow, live.Shown, Base):
    """A kind of task that the clinic does often: its `name`, what to do (`words`), and within how many hours.

    `after` are the outcomes (messaging.inbox.dispositions) after which it is made by itself, for whoever said them.
    A retired one stays for those who look back.
    """

    __tablename__ = "task_template"

    name: Mapped[str] = mapped_column(String(80))
    words: Mapped[str] = mapped_column(String(1000))
    hours: Mapped[int]
    after: Mapped[list[str]] = mapped_column(default=list)
    updated_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    updated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    def topics(self) -> Iterable[str]:
        """Nobody looks at one while it changes."""
        return []


class Task(SealedRow, Base):
    """What an item of the kind "task" asks for; its title is the item's summary, its time the item's clock.

    `made` is how it came: hand | rule | next_contact | recommendation | social_need | registry; `source`
    "<table>:<id>" of what it came from.
    `watcher_id` wants to know how it ends, and has seen it at `seen_at`.
    """

    __tablename__ = "task"
    __table_args__ = (UniqueConstraint("item_id"), Index("ix_task_watcher", "watcher_id", "seen_at"))

    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"))
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("task_template.id"))
    made: Mapped[str] = mapped_column(String(16))
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"), index=True)
    source: Mapped[str | None] = mapped_column(String(60))
    watcher_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    seen_at: Mapped[datetime | None]
    words_ct: Mapped[bytes | None]

    words = Sealed("words_ct")


class ColleagueNote(SealedRow, Base):
    """A note of one colleague to another, about no patient. Read by who it is for, or by who covers for them."""

    __tablename__ = "colleague_note"
    __table_args__ = (Index("ix_colleague_note_to", "to_id", "at"),)

    from_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    to_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("inbox_item.id"), index=True)
    answers_id: Mapped[UUID | None] = mapped_column(ForeignKey("colleague_note.id"), index=True)
    words_ct: Mapped[bytes]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    read_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))

    words = Sealed("words_ct")


class Announcement(SealedRow, live.Shown, Base):
    """Something everybody here should know until `ends_at`, or until it was taken down."""

    __tablename__ = "announcement"
    __table_args__ = (Index("ix_announcement_clinic_ends", "clinic_id", "ends_at"),)

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    words_ct: Mapped[bytes]
    at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))

    words = Sealed("words_ct")

    def topics(self) -> Iterable[str]:
        """Every open page of the clinic."""
        return ["list"]


class AnnouncementRead(ClinicRow, Base):
    """That a colleague has read an announcement."""

    __tablename__ = "announcement_read"
    __table_args__ = (UniqueConstraint("announcement_id", "staff_id"),)

    announcement_id: Mapped[UUID] = mapped_column(ForeignKey("announcement.id"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"))
    at: Mapped[datetime]
