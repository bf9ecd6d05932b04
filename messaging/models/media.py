"""Pictures and files that came with a text."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, SealedBytes, SealedRow, Work


class Media(SealedRow, Work, Base):
    """A picture or file that came with a text, ours once it is fetched (messaging.media.attachments).

    state: waiting -> held (we have it, the carrier still does) -> kept; waiting -> failed (`last_error`). `place`
    counts from 0 in its text; `carrier_sid` is null where nobody has told us; `type` was found out from the bytes.
    """

    __tablename__ = "media"
    __table_args__ = (UniqueConstraint("message_id", "place"), Index("ix_media_work", "state", "try_after"))

    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    place: Mapped[int]
    carrier_sid: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(8))
    type: Mapped[str | None] = mapped_column(String(40))
    size: Mapped[int | None]
    # Megabytes: read only where they are shown.
    content_ct: Mapped[bytes | None] = mapped_column(deferred=True)
    created_at: Mapped[datetime]

    content = SealedBytes("content_ct")
