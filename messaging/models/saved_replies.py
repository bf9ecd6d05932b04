"""Answers that are written often."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from config.db import Base, ClinicRow


class SavedReply(ClinicRow, Base):
    """An answer that is written often: `texts` by language, with the variables of messaging.wording.text_templates.

    It is the clinic's where `staff_id` is null, else one person's own. Retired replies stay for those who look back.
    """

    __tablename__ = "saved_reply"

    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    name: Mapped[str] = mapped_column(String(80))
    texts: Mapped[dict[str, Any]]
    updated_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    updated_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
