"""Answers that are written often."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, Sealed, SealedJson, SealedRow


class SavedReply(SealedRow, Base):
    """An answer that is written often: `texts` by language, with the variables of messaging.wording.text_templates.

    It is the clinic's where `staff_id` is null, else one person's own. Retired replies stay for those who look back.
    Both name and texts are sealed under the clinic's key.
    """

    __tablename__ = "saved_reply"

    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    name_ct: Mapped[bytes]
    texts_ct: Mapped[bytes]
    updated_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    updated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]

    name = Sealed("name_ct")
    texts = SealedJson("texts_ct", dict)
